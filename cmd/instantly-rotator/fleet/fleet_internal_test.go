package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/rotator"
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
	_, create := api.Issue(ctx, "n", "")
	_, list := api.List(ctx)
	_, organization := api.Account(ctx)
	probe := api.Test(ctx, secret.Value{}, "")
	for i, err := range []error{create, list, organization, probe.Err, api.Revoke(ctx, "k"), api.Preflight(ctx)} {
		if !errors.Is(err, reason) {
			t.Errorf("call %d gives %v", i, err)
		}
	}
	if probe.Verdict != rotator.Indeterminate {
		t.Errorf("verdict %s: nothing is known about the key", probe.Verdict)
	}
}

// options give those of a configuration and an environment.
func options(t *testing.T, text string, env map[string]string) Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Config: cfg, Log: zap.NewNop(), Now: time.Now, Getenv: func(name string) string { return env[name] }}
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
	f := All(t.Context(), options(t, threeKeys, map[string]string{"ONE": "abc", "TWO": "def"}))
	defer f.Close()
	targets := f.Targets
	if len(targets) != 3 {
		t.Fatalf("%d targets", len(targets))
	}
	if targets[0].Workspace != targets[1].Workspace || targets[0].Workspace == targets[2].Workspace {
		t.Error("x and y should share a workspace, and z have another")
	}
}

func TestTargetsComeInTheOrderAskedForAndOnce(t *testing.T) {
	f, err := Named(t.Context(), options(t, threeKeys, nil), []string{"z", "x", "z"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	targets := f.Targets
	if len(targets) != 2 || targets[0].Name != "z" || targets[1].Name != "x" {
		t.Errorf("targets %v", targets)
	}
}

func TestUnknownTargetsAreNamedWithThoseThereAre(t *testing.T) {
	cfg := &config.Config{}
	for _, name := range strings.Split("a b c d e f g h i j k l", " ") {
		cfg.Keys = append(cfg.Keys, config.Key{Name: name})
	}
	_, err := Chosen(cfg, []string{"a", "nobody"})
	if err == nil || err.Error() != `no target named "nobody" in the configuration; it has a, b, c, d, e, f, g, h, i, j and 2 more` {
		t.Errorf("error %v", err)
	}
}

func TestAdminKeyIsReadWithoutTheSpaceAroundIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("  abc\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Connect(Options{Config: &config.Config{}, Getenv: func(string) string { return "abc\n" }})
	for _, ref := range []config.SecretRef{{Env: "KEY"}, {File: file}} {
		if got, err := c.Secret(t.Context(), ref); err != nil || !got.Equal(secret.New("abc")) {
			t.Errorf("%+v: %v, or another value", ref, err)
		}
	}
}

func TestAdminKeyThatIsNotThereSaysWhereItShouldBe(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Connect(Options{Config: &config.Config{}, Getenv: func(string) string { return "" }})
	for place, ref := range map[string]config.SecretRef{
		"environment variable KEY": {Env: "KEY"}, "file " + empty: {File: empty}, empty + "er": {File: empty + "er"},
	} {
		err := c.adminKey(t.Context(), ref).err
		if !errors.Is(err, ErrNoAdminKey) || !strings.Contains(err.Error(), place) {
			t.Errorf("%+v: %v", ref, err)
		}
	}
}
