package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// workspaceFixture is a user's: a configuration with a local store, and a sandbox that
// lives by the same clock.
type workspaceFixture struct {
	*testing.T
	api    *sandbox.Server
	web    *httptest.Server
	config string
	ahead  time.Duration // of both clocks
}

// newWorkspaceFixture has $API in the configuration stand for the sandbox.
func newWorkspaceFixture(t *testing.T, o sandbox.Options, config string) *workspaceFixture {
	t.Helper()
	d := &workspaceFixture{T: t, config: filepath.Join(t.TempDir(), "config.yaml")}
	o.Now = d.now
	d.api = sandbox.New(o)
	d.web = httptest.NewServer(d.api)
	t.Cleanup(d.web.Close)
	d.configure(config)
	return d
}

func (d *workspaceFixture) configure(config string) {
	d.Helper()
	if err := os.WriteFile(d.config, []byte(strings.ReplaceAll(config, "$API", d.web.URL)), 0o600); err != nil {
		d.Fatal(err)
	}
}

func (d *workspaceFixture) now() time.Time { return time.Now().Add(d.ahead) }

// run carries out a command that must end with this exit code, and gives what it said.
func (d *workspaceFixture) run(want int, args ...string) string {
	d.Helper()
	stdout, stderr := d.both(want, args...)
	return stdout + stderr
}

// stdout is what a command prints that must end well.
func (d *workspaceFixture) stdout(args ...string) string {
	d.Helper()
	stdout, _ := d.both(exitSettled, args...)
	return stdout
}

func (d *workspaceFixture) both(want int, args ...string) (stdout, stderr string) {
	d.Helper()
	code, stdout, stderr := d.carryOut(args...)
	if code != want {
		d.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout, stderr
}

func (d *workspaceFixture) carryOut(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, now: d.now, getenv: func(name string) string {
		return map[string]string{
			"ADMIN_KEY": d.api.Workspaces()[0].AdminKey.Reveal(), "INSTANTLY_ROTATOR_CONFIG": d.config,
		}[name]
	}}
	code = a.run(d.Context(), args)
	return code, out.String(), errs.String()
}

// makesAKey is what the holder of a key does that the audit log shows.
func (d *workspaceFixture) makesAKey(holder string) {
	d.Helper()
	body := strings.NewReader(`{"name": "made by an old key", "scopes": ["leads:read"]}`)
	r, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.web.URL+"/api/v2/api-keys", body)
	if err != nil {
		d.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(holder))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "python-requests/2.31")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		d.Fatalf("the holder of a key got %s", res.Status)
	}
}

const auditLogGated = `
workspaces: {main: {admin_key: {env: ADMIN_KEY}, base_url: $API, requests_per_second: 100}}
stores: {local: {kind: file, path: ./store}}
keys:
  - name: sending
    scopes: [api_keys:all]
    allow_critical_scopes: "it makes keys"
    stores: [{store: local}]
    after_promote: [{audit_log: %s}]
`

func TestOldKeyThatTheAuditLogShowsActingIsNotRevoked(t *testing.T) {
	d := newWorkspaceFixture(t, sandbox.Options{}, fmt.Sprintf(auditLogGated, "{quiet: 2h}"))
	d.run(exitSettled, "rotate")
	old := d.stdout("get", "sending")
	d.run(exitSettled, "rotate", "sending")
	d.ahead = 24 * time.Hour
	d.makesAKey(old)
	d.ahead += 20 * time.Minute
	said := d.run(exitFailed, "rotate", "--due")
	for _, want := range []string{
		"audit log", "still acts: 20m ago from 127.0.0.1 (python-requests/2.31): API key created", "rotate --skip-gates REASON sending",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("rotate does not say %q:\n%s", want, said)
		}
	}
	if said := d.run(exitFailed, "status"); !strings.Contains(said, "audit log (the old key has not acted for 2h)") {
		t.Errorf("status does not say what is waited for:\n%s", said)
	}
	d.makesAKey(old) // it lives
	d.ahead += 2*time.Hour + time.Minute
	if said := d.run(exitSettled, "rotate", "--due"); !strings.Contains(said, "revoked the old key") {
		t.Errorf("it has been quiet, but: %s", said)
	}
}

func TestWithoutTheAuditLogTheOldKeyWaitsOrGoesAsConfigured(t *testing.T) {
	scopes := []string{"api_keys:all", "workspaces:read"}
	for unknown, want := range map[string]int{"wait": exitFailed, "pass": exitSettled} {
		box := sandbox.Options{Workspaces: []sandbox.Workspace{{Name: "Acme", AdminScopes: scopes}}}
		d := newWorkspaceFixture(t, box, fmt.Sprintf(auditLogGated, "{unknown: "+unknown+"}"))
		d.run(exitSettled, "rotate")
		d.run(exitSettled, "rotate", "sending")
		d.ahead = 25 * time.Hour
		if said := d.run(want, "rotate", "--due"); !strings.Contains(said, "not known whether the old key still acts") ||
			strings.Contains(said, "revoked the old key") != (unknown == "pass") {
			t.Errorf("%s: %s", unknown, said)
		}
		if unknown == "wait" {
			d.run(exitSettled, "rotate", "--skip-gates", "nobody has it", "sending")
		}
	}
}
