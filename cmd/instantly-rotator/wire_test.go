package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestUnopenedStoreFailsEveryCallWithItsReason(t *testing.T) {
	reason := errors.New("no such folder")
	st, seen, ctx := unopened{reason}, secretstore.Snapshot{}, t.Context()
	_, describe := st.Describe(ctx)
	_, annotate := st.Annotate(ctx, seen, secretstore.Notes{})
	_, stage := st.Stage(ctx, seen, secretstore.Version{}, secret.Value{})
	_, read := st.Read(ctx, "k")
	_, promote := st.Promote(ctx, seen, "k", time.Time{})
	_, destroy := st.Destroy(ctx, seen, "k")
	for i, err := range []error{describe, annotate, stage, read, promote, destroy} {
		if !errors.Is(err, reason) {
			t.Errorf("call %d gives %v", i, err)
		}
	}
}

func TestUnreachableWorkspaceFailsEveryCallWithItsReason(t *testing.T) {
	reason := errors.New("no admin key")
	api, ctx := unreachable{reason}, t.Context()
	_, create := api.CreateKey(ctx, "n", nil)
	_, list := api.Keys(ctx)
	_, organization := api.Organization(ctx)
	probe := api.Probe(ctx, secret.Value{}, nil)
	for i, err := range []error{create, list, organization, probe.Err, api.DeleteKey(ctx, "k"), api.CheckDelete(ctx)} {
		if !errors.Is(err, reason) {
			t.Errorf("call %d gives %v", i, err)
		}
	}
	if probe.Verdict != instantly.Indeterminate {
		t.Errorf("verdict %s: nothing is known about the key", probe.Verdict)
	}
}

// appIn gives an app with a configuration and an environment.
func appIn(t *testing.T, text string, env map[string]string) *app {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &app{
		stdout: io.Discard, stderr: io.Discard, now: time.Now, configPath: path,
		getenv: func(name string) string { return env[name] },
	}
}

const threeKeys = `
workspaces:
  one: {admin_key: {env: ONE}}
  two: {admin_key: {env: TWO}}
stores: {local: {kind: file, path: ./store}}
keys:
  - {name: x, workspace: one, scopes: [leads:read], stores: [{store: local}]}
  - {name: y, workspace: one, scopes: [leads:read], stores: [{store: local}]}
  - {name: z, workspace: two, scopes: [leads:read], stores: [{store: local}]}
`

func TestTargetsOfAWorkspaceShareIt(t *testing.T) {
	a := appIn(t, threeKeys, map[string]string{"ONE": "abc", "TWO": "def"})
	d, err := a.deploy(t.Context(), nil, false)
	targets := d.targets
	if err != nil || len(targets) != 3 {
		t.Fatalf("%d targets, %v", len(targets), err)
	}
	if targets[0].Workspace != targets[1].Workspace || targets[0].Workspace == targets[2].Workspace {
		t.Error("x and y should share a workspace, and z have another")
	}
}

func TestTargetsComeInTheOrderAskedForAndOnce(t *testing.T) {
	a := appIn(t, threeKeys, nil)
	d, err := a.deploy(t.Context(), []string{"z", "x", "z"}, false)
	targets := d.targets
	if err != nil || len(targets) != 2 || targets[0].Name != "z" || targets[1].Name != "x" {
		t.Errorf("targets %v, %v", targets, err)
	}
}

func TestUnknownTargetsAreNamedWithThoseThereAre(t *testing.T) {
	cfg := &config.Config{}
	for _, name := range strings.Split("a b c d e f g h i j k l", " ") {
		cfg.Keys = append(cfg.Keys, config.Key{Name: name})
	}
	_, err := chosen(cfg, []string{"a", "nobody"})
	if err == nil || err.Error() != `no key named "nobody" in the configuration; it has a, b, c, d, e, f, g, h, i, j and 2 more` {
		t.Errorf("error %v", err)
	}
	if exitCode(err) != exitUsage {
		t.Errorf("exit code %d", exitCode(err))
	}
}

func TestAdminKeyIsReadWithoutTheSpaceAroundIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("  abc\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &wiring{app: &app{getenv: func(string) string { return "abc\n" }}}
	for _, ref := range []config.SecretRef{{Env: "KEY"}, {File: file}} {
		if got, err := w.adminKey(t.Context(), ref); err != nil || !got.Equal(secret.New("abc")) {
			t.Errorf("%+v: %v, or another value", ref, err)
		}
	}
}

func TestAdminKeyThatIsNotThereSaysWhereItShouldBe(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &wiring{app: &app{getenv: func(string) string { return "" }}}
	for place, ref := range map[string]config.SecretRef{
		"environment variable KEY": {Env: "KEY"}, "file " + empty: {File: empty}, empty + "er": {File: empty + "er"},
	} {
		_, err := w.adminKey(t.Context(), ref)
		if !errors.Is(err, errNoAdminKey) || !strings.Contains(err.Error(), place) {
			t.Errorf("%+v: %v", ref, err)
		}
	}
}
