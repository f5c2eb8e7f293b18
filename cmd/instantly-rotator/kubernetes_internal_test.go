package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

// kubernetesFixture is a user's: a configuration with a store of kind kubernetes, a
// kubeconfig, the stand-in for the API server, and the sandbox.
type kubernetesFixture struct {
	*testing.T
	server             *kubetest.Server
	config, kubeconfig string
	key                string        // the admin key
	ahead              time.Duration // of the rotator's clock
}

func newKubernetesFixture(t *testing.T, options string) *kubernetesFixture {
	t.Helper()
	server := kubetest.New("growth")
	cluster := httptest.NewServer(server)
	t.Cleanup(cluster.Close)
	api := sandbox.New(sandbox.Options{})
	web := httptest.NewServer(api)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	d := &kubernetesFixture{
		T: t, server: server, key: api.Workspaces()[0].AdminKey.Reveal(),
		config: filepath.Join(dir, "config.yaml"), kubeconfig: filepath.Join(dir, "kubeconfig"),
	}
	d.write(d.kubeconfig, fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here,
  clusters: [{name: here, cluster: {server: %q}}], users: [{name: me, user: {token: t}}],
  contexts: [{name: here, context: {cluster: here, user: me, namespace: growth}}]}`, cluster.URL))
	d.write(d.config, fmt.Sprintf(`workspaces:
  main: {admin_key: {env: ADMIN_KEY}, base_url: %q}
stores:
  cluster: {kind: kubernetes, kubeconfig: kubeconfig%s}
keys:
  - {name: sending, scopes: [campaigns:read], stores: [{store: cluster}]}
`, web.URL, options))
	return d
}

func (d *kubernetesFixture) write(path, text string) {
	d.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// run carries out a command and gives its exit code and all that it said.
func (d *kubernetesFixture) run(args ...string) (code int, stdout, stderr string) {
	d.Helper()
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, now: func() time.Time { return time.Now().Add(d.ahead) }, getenv: func(name string) string {
		return map[string]string{"ADMIN_KEY": d.key, "INSTANTLY_ROTATOR_CONFIG": d.config}[name]
	}}
	code = a.run(d.Context(), args)
	return code, out.String(), errs.String()
}

func TestRotationInAKubernetesSecret(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true, labels: {team: growth}")
	if code, stdout, stderr := d.run("rotate"); code != exitSettled {
		t.Fatalf("rotate: exit %d\n%s%s", code, stdout, stderr)
	}
	first := d.server.Served("growth", "sending", "api-key")
	if _, got, _ := d.run("get", "sending"); first == "" || got != first+"\n" {
		t.Error("get gives another key than pods have")
	}
	if code, _, stderr := d.run("plan"); code != exitSettled {
		t.Errorf("plan: exit %d: %s", code, stderr)
	}
	for _, args := range [][]string{{"status"}, {"rotate", "sending"}, {"verify"}} {
		if code, stdout, stderr := d.run(args...); code != exitSettled || strings.Contains(stdout+stderr, first) {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	second := d.server.Served("growth", "sending", "api-key")
	if second == "" || second == first || d.server.Served("growth", "sending", "api-key-previous") != first {
		t.Error("after the second rotation api-key is not a new key, or api-key-previous not the one before")
	}
	if d.server.Secret("growth", "sending").Labels["team"] != "growth" {
		t.Error("the Secret was made without its label")
	}
}

func TestMissingKubernetesSecretAndPermissionAreNamed(t *testing.T) {
	d := newKubernetesFixture(t, "")
	code, _, stderr := d.run("rotate")
	if code != exitFailed || !strings.Contains(stderr, "kubectl --namespace growth create secret generic sending") {
		t.Errorf("without the Secret: exit %d, %s", code, stderr)
	}
	d.server.Denied = map[string]bool{"get": true}
	code, _, stderr = d.run("rotate")
	if want := "permission denied: needs the verb get on the secret sending in namespace growth"; code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("without the verb get: exit %d, %s", code, stderr)
	}
	if err := os.Remove(d.kubeconfig); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = d.run("rotate")
	if code != exitFailed || !strings.Contains(stderr, "run in one, or set kubeconfig, or KUBECONFIG") {
		t.Errorf("without a cluster: exit %d, %s", code, stderr)
	}
}
