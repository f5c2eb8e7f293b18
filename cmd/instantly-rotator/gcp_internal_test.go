package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// gcpFixture is a user's: a configuration with a store of kind gcp, the stand-in for
// Secret Manager and the sandbox.
type gcpFixture struct {
	*testing.T
	server   *gcptest.Server
	listener *countedListener
	config   string
	key      string // the admin key
}

// newGCPFixture takes further options of the store, and the names of the keys:
// sending if there are none.
func newGCPFixture(t *testing.T, options string, names ...string) *gcpFixture {
	t.Helper()
	server := gcptest.New()
	t.Cleanup(server.Close)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &countedListener{Listener: l}
	server.Serve(listener)
	api := sandbox.New(sandbox.Options{})
	web := httptest.NewServer(api)
	t.Cleanup(web.Close)
	text := fmt.Sprintf(`workspaces:
  main: {admin_key: {env: ADMIN_KEY}, base_url: %q}
stores:
  google: {kind: gcp, project: %s, endpoint: %q%s}
keys:
`, web.URL, gcptest.Project, l.Addr(), options)
	if len(names) == 0 {
		names = []string{"sending"}
	}
	for _, name := range names {
		text += fmt.Sprintf("  - {name: %s, scopes: [campaigns:read], stores: [{store: google}]}\n", name)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &gcpFixture{T: t, server: server, listener: listener, config: path, key: api.Workspaces()[0].AdminKey.Reveal()}
}

// run carries out a command and gives its exit code and all that it said.
func (d *gcpFixture) run(args ...string) (code int, stdout, stderr string) {
	d.Helper()
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, now: time.Now, getenv: func(name string) string {
		return map[string]string{"ADMIN_KEY": d.key, "INSTANTLY_ROTATOR_CONFIG": d.config}[name]
	}}
	code = a.run(d.Context(), args)
	return code, out.String(), errs.String()
}

func TestRotationInGCPSecretManager(t *testing.T) {
	d := newGCPFixture(t, "")
	code, _, stderr := d.run("rotate")
	if code != exitFailed || !strings.Contains(stderr, "gcloud secrets create sending --project="+gcptest.Project) {
		t.Errorf("without the secret: exit %d, %s", code, stderr)
	}
	d.server.Make("sending")
	if code, stdout, stderr := d.run("rotate"); code != exitSettled {
		t.Fatalf("rotate: exit %d\n%s%s", code, stdout, stderr)
	}
	first := d.server.Served("sending", "latest")
	_, got, _ := d.run("get", "sending")
	if first == "" || got != first+"\n" || d.server.Served("sending", "current") != first {
		t.Error("get, latest and the alias current do not give the same key")
	}
	if code, _, stderr := d.run("plan"); code != exitSettled {
		t.Errorf("plan: exit %d: %s", code, stderr)
	}
	for _, args := range [][]string{{"status"}, {"rotate", "sending"}, {"verify"}} {
		if code, stdout, stderr := d.run(args...); code != exitSettled || strings.Contains(stdout+stderr, first) {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	if latest := d.server.Served("sending", "latest"); latest == first || latest == "" {
		t.Error("the second rotation brought no other key")
	}
}

func TestGCPSecretIsMadeWhereAskedFor(t *testing.T) {
	d := newGCPFixture(t, ", create_missing: true, labels: {team: growth}")
	if code, stdout, stderr := d.run("rotate"); code != exitSettled {
		t.Fatalf("rotate: exit %d\n%s%s", code, stdout, stderr)
	}
	if d.server.Secret("sending").GetLabels()["team"] != "growth" || d.server.Served("sending", "latest") == "" {
		t.Errorf("the secret is %v", d.server.Secret("sending"))
	}
}

func TestMissingGCPPermissionIsNamed(t *testing.T) {
	d := newGCPFixture(t, "")
	d.server.Make("sending")
	d.server.Deny("secretmanager.secrets.update")
	code, _, stderr := d.run("rotate")
	want := "permission denied: needs secretmanager.secrets.update on projects/" + gcptest.Project + "/secrets/sending"
	if code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestEmulatorThatIgnoresEtagsIsRefused(t *testing.T) {
	d := newGCPFixture(t, "")
	d.server.Make("sending")
	d.server.Quirks.IgnoreEtags = true
	code, _, stderr := d.run("rotate")
	if code != exitFailed || !strings.Contains(stderr, "two rotators could not be kept apart") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if n := len(d.server.Versions("sending")); n > 0 {
		t.Errorf("%d versions were stored", n)
	}
}
