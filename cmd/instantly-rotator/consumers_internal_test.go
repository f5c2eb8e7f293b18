package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// graceIsOver is when it is.
const graceIsOver = 25 * time.Hour

// withConsumers gives the fixture's key consumers.
func (d *kubernetesFixture) withConsumers(after string) {
	d.Helper()
	text, err := os.ReadFile(d.config)
	if err != nil {
		d.Fatal(err)
	}
	d.write(d.config, strings.Replace(string(text), "scopes:", "after_promote: ["+after+"], scopes:", 1))
	d.Setenv("KUBECONFIG", d.kubeconfig)
}

// previous is the old key, as pods could read it; "" when it is gone.
func (d *kubernetesFixture) previous() string {
	return d.server.Served("growth", "sending", "api-key-previous")
}

// mustRun runs a command that must end with this exit code and gives what it said.
func (d *kubernetesFixture) mustRun(want int, args ...string) string {
	d.Helper()
	code, stdout, stderr := d.run(args...)
	if code != want {
		d.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout + stderr
}

func TestRolloutThatDoesNotFinishHoldsTheRevokeAndSaysSo(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true")
	d.server.Deploy("growth", "web", 2)
	d.withConsumers("{restart: deployment/web}")
	d.mustRun(exitSettled, "rotate")
	d.mustRun(exitSettled, "rotate", "sending")
	old := d.previous()
	if old == "" {
		t.Fatal("there is no old key")
	}
	d.server.Restarted("growth", "web", 1)
	d.ahead = graceIsOver
	said := d.mustRun(exitFailed, "rotate", "--due")
	for _, want := range []string{"restart of deployment/web: 1 of 2 pods have restarted", "the old key lives on until its consumers have moved"} {
		if !strings.Contains(said, want) {
			t.Errorf("rotate does not say %q:\n%s", want, said)
		}
	}
	if d.previous() != old {
		t.Fatal("the old key was revoked although a pod uses it")
	}
	for _, args := range [][]string{{"status"}, {"plan"}} {
		_, said, _ := d.run(args...)
		if !strings.Contains(said, "only when its consumers have moved: restart of deployment/web") {
			t.Errorf("%v does not say what the old key waits for:\n%s", args, said)
		}
	}
	d.server.Restarted("growth", "web", 2)
	d.mustRun(exitSettled, "rotate", "--due")
	if d.previous() != "" {
		t.Error("the old key lives on although all pods have restarted")
	}
}

func TestConsumersAreNotWaitedForInAnIncident(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true")
	d.withConsumers("{restart: deployment/nobody-made-it}")
	d.mustRun(exitSettled, "rotate")
	leaked := d.server.Served("growth", "sending", "api-key")
	d.mustRun(exitSettled, "rotate", "--compromised", "sending", "--incident", "leak")
	if got := d.server.Served("growth", "sending", "api-key"); got == leaked || d.previous() != "" {
		t.Error("a key that leaked lives on")
	}
}

func TestCommandLearnsTheKeysIDAndNoAdminKey(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true")
	t.Setenv("ADMIN_KEY", "canary")
	heard := filepath.Join(t.TempDir(), "heard")
	d.withConsumers("{command: [sh, -c, 'env > \"$0\"', " + heard + "]}")
	d.mustRun(exitSettled, "rotate")
	env, err := os.ReadFile(heard)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nPATH=", "\nINSTANTLY_ROTATOR_TARGET=sending\n", "\nINSTANTLY_ROTATOR_KEY_ID="} {
		if !strings.Contains("\n"+string(env), want) {
			t.Errorf("it does not learn %q", want)
		}
	}
	for _, secret := range []string{"canary", d.server.Served("growth", "sending", "api-key")} {
		if strings.Contains(string(env), secret) {
			t.Error("it learns a key")
		}
	}
}

func TestHookThatSaysNotYetHoldsTheRevoke(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true")
	status := http.StatusServiceUnavailable
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer hook.Close()
	d.withConsumers("{url: \"" + hook.URL + "/hook\"}")
	d.mustRun(exitSettled, "rotate")
	d.mustRun(exitSettled, "rotate", "sending")
	d.ahead = graceIsOver
	if said := d.mustRun(exitFailed, "rotate", "--due"); !strings.Contains(said, "it answers 503 Service Unavailable") || d.previous() == "" {
		t.Errorf("rotate: %s", said)
	}
	status = http.StatusOK
	d.mustRun(exitSettled, "rotate", "--due")
	if d.previous() != "" {
		t.Error("the old key lives on although the consumers have moved")
	}
}
