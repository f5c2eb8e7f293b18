package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A lab is a deployment for the crash tests: a sandbox, two stores, one target
// "sending" in both, and a key of somebody else in the workspace. The sandbox,
// every command and the test are processes of their own.
type lab struct {
	*testing.T
	box     *sandboxProcess
	gate    *gatekeeper // between the rotator and the sandbox
	dir     string
	foreign string   // id of somebody else's key
	env     []string // of the commands, beside the test's own
}

// newLab makes a lab in which the first key is current. The options are those of
// a key in the configuration.
func newLab(t *testing.T, options string, sandboxArgs ...string) *lab {
	t.Helper()
	l := &lab{T: t, box: sandboxFor(t, sandboxArgs...), dir: t.TempDir()}
	l.gate = newGatekeeper(t, l.box.url)
	l.writeConfig(options)
	var err error
	if l.foreign, _, err = l.box.addKey("somebody else's", "leads:read"); err != nil {
		t.Fatal(err)
	}
	l.mustRun("rotate")
	return l
}

func (l *lab) writeConfig(options string) {
	l.Helper()
	text := fmt.Sprintf(`
workspaces:
  main: {admin_key: {env: INSTANTLY_ADMIN_KEY}, base_url: %q, requests_per_second: 100}
stores:
  a: {kind: file, path: ./a}
  b: {kind: file, path: ./b}
keys:
  - {name: sending, scopes: [campaigns:read], %s, stores: [{store: a}, {store: b}]}
trail: {dir: ./trail}
`, l.gate.url, options)
	if err := os.WriteFile(filepath.Join(l.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

// folder is where a store keeps the target.
func (l *lab) folder(store string) string { return filepath.Join(l.dir, store, "sending") }

// A command is a run of the binary.
type command struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// command prepares a run of the binary in the lab.
func (l *lab) command(args ...string) *command {
	c := &command{Cmd: exec.Command("instantly-rotator", args...)}
	c.Dir, c.SysProcAttr = l.dir, childAttributes()
	c.Env = slices.Concat(os.Environ(), l.env, []string{"INSTANTLY_ADMIN_KEY=" + l.box.adminKey})
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	return c
}

// start begins a run that is killed when the test ends, if not before.
func (l *lab) start(args ...string) *command {
	l.Helper()
	c := l.command(args...)
	if err := c.Start(); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { c.kill() })
	return c
}

// kill is SIGKILL; it returns when the process is gone.
func (c *command) kill() {
	_ = c.Process.Kill()
	_ = c.Wait()
}

// mustRun runs a command that must end well and gives its standard output.
func (l *lab) mustRun(args ...string) string {
	l.Helper()
	c := l.command(args...)
	if err := c.Run(); err != nil {
		l.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, &c.stdout, &c.stderr)
	}
	return c.stdout.String()
}

// wantConsumersServed holds the lab to rule one: what consumers read, from
// either store, works at this very moment.
func (l *lab) wantConsumersServed(when string) {
	l.Helper()
	for _, store := range []string{"a", "b"} {
		value := strings.TrimSpace(l.mustRun("get", "sending", "--store", store))
		if err := l.box.works(value); err != nil {
			l.Errorf("%s: what consumers of store %s read does not work: %v", when, store, err)
		}
	}
}

// labStatus is the part of "status -o json" that the tests read.
type labStatus struct {
	Targets []labTarget `json:"targets"`
}

type labTarget struct {
	Target  string `json:"target"`
	KeyID   string `json:"key_id"`
	Due     bool   `json:"due"`
	Error   string `json:"error"`
	OldKeys []any  `json:"old_keys"`
	Stores  []struct {
		Store, Pending, Current, Previous string
	} `json:"stores"`
	LastFailure any `json:"last_failure"`
}

func (l *lab) status() labStatus {
	l.Helper()
	var s labStatus
	if err := json.Unmarshal([]byte(l.mustRun("status", "-o", "json")), &s); err != nil {
		l.Fatal(err)
	}
	return s
}

// wantNothingLeftBehind holds a settled lab to what a rotation may leave: both
// stores agree on one key that works, nobody else's key was touched, no other
// key is alive and no file is left over.
func (l *lab) wantNothingLeftBehind() {
	l.Helper()
	l.wantConsumersServed("in the end")
	target := l.status().Targets[0]
	if target.Due || target.Error != "" || target.LastFailure != nil || len(target.OldKeys) > 0 {
		l.Errorf("not settled: %+v", target)
	}
	for _, st := range target.Stores {
		if st.Current == "" || st.Current != target.KeyID || st.Pending != "" || st.Previous != "" {
			l.Errorf("store %s is not at rest at key %s: %+v", st.Store, target.KeyID, st)
		}
		l.wantTidy(st.Store)
	}
	l.wantAlive(target.KeyID)
	l.wantOnTrail(target.KeyID)
}

// wantAlive wants the admin's key, the foreign key and ours alive, and no other.
func (l *lab) wantAlive(ours ...string) {
	l.Helper()
	keys, err := l.box.living()
	if err != nil {
		l.Fatal(err)
	}
	var got []string
	for _, k := range keys {
		if k.Name != "admin" {
			got = append(got, k.ID)
		}
	}
	want := append([]string{l.foreign}, ours...)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		l.Errorf("alive beside the admin key: %q, want %q (the first is foreign): %+v", got, want, keys)
	}
}

// isAlive tells whether a key is alive at the sandbox.
func (l *lab) isAlive(id string) bool {
	l.Helper()
	keys, err := l.box.living()
	if err != nil {
		l.Fatal(err)
	}
	return slices.ContainsFunc(keys, func(k boxKey) bool { return k.ID == id })
}

// wantTidy wants a store's folder to have its own files and no others:
// see package filestore.
func (l *lab) wantTidy(store string) {
	l.Helper()
	if files, want := filesIn(l.T, l.folder(store)), []string{"lock", "state.json"}; !slices.Equal(files, want) {
		l.Errorf("in the folder of store %s: %q, want %q", store, files, want)
	}
	if beside := filesIn(l.T, filepath.Dir(l.folder(store))); !slices.Equal(beside, []string{"identity", "sending"}) {
		l.Errorf("beside it: %q", beside)
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// settle runs what a CronJob runs until a run says that nothing is due, and
// gives the number of runs that it took. Grace periods are ended on purpose.
func (l *lab) settle() (runs int) {
	l.Helper()
	const most = 6
	for runs = 1; runs <= most; runs++ {
		c := l.command("rotate", "--due", "--force", "--end-grace")
		err := c.Run()
		s := l.status().Targets[0]
		if err == nil && !s.Due && len(s.OldKeys) == 0 {
			return runs
		}
		l.wantConsumersServed(fmt.Sprintf("after run %d of the recovery", runs))
	}
	l.Fatalf("not settled after %d runs: %s", most, l.mustRun("status"))
	return 0
}
