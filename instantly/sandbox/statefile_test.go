package sandbox_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func reopen(t *testing.T, o sandbox.Options) (*sandbox.Server, client) {
	t.Helper()
	srv, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return srv, clientOf(t, srv)
}

func TestStateSurvivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	spaces := agency()
	before, admin := reopen(t, sandbox.Options{StateFile: file, Workspaces: spaces})
	kept, gone := admin.create("kept", "campaigns:read"), admin.create("gone")
	admin.del(gone.ID)
	if _, err := before.AddKey(spaces[1].ID, "by hand", "all:read"); err != nil {
		t.Fatal(err)
	}
	after, admin := reopen(t, sandbox.Options{StateFile: file, Workspaces: spaces})
	same := cmp.Options{
		cmp.Comparer(func(a, b secret.Value) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	}
	if d := cmp.Diff(before.Workspaces(), after.Workspaces(), same); d != "" {
		t.Error(d)
	}
	for _, space := range spaces {
		if d := cmp.Diff(before.Keys(space.ID), after.Keys(space.ID), same); d != "" {
			t.Error(d)
		}
	}
	wantStatus(t, admin.as(kept.Key).get("/api/v2/campaigns"), http.StatusOK)
	wantStatus(t, admin.as(gone.Key).get("/api/v2/campaigns"), http.StatusUnauthorized)
	if d := cmp.Diff([]int{38, 37, 37}, activities(auditOf(t, admin, ""))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"admin", "kept"}, listAll(t, admin, 1)); d != "" {
		t.Error(d)
	}
}

func TestDeletionByHandSurvivesARestart(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()}}
	srv, admin := reopen(t, o)
	k := admin.create("worker")
	if err := srv.DeleteKey(k.ID); err != nil {
		t.Fatal(err)
	}
	if srv, _ = reopen(t, o); srv.Alive(secret.New(k.Key)) {
		t.Error("the key is alive again")
	}
}

func TestMadeUpAdminKeySurvivesARestart(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json")}
	first, _ := reopen(t, o)
	second, _ := reopen(t, o)
	if !first.Workspaces()[0].AdminKey.Equal(second.Workspaces()[0].AdminKey) {
		t.Error("the admin key is another one")
	}
}

func TestWorkspacesAreAddedToAStateFile(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()}}
	reopen(t, o)
	o.Workspaces = append(o.Workspaces, sandbox.Workspace{Name: "Second"})
	if srv, _ := reopen(t, o); len(srv.Workspaces()) != 2 {
		t.Error("the second workspace is not there")
	}
}

func TestStateFileIsForItsOwnerOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	_, admin := reopen(t, sandbox.Options{StateFile: file, Workspaces: []sandbox.Workspace{acme()}})
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	admin.create("worker")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
}

func TestBadStateFileIsNamedWithoutItsValues(t *testing.T) {
	for name, c := range map[string]struct{ text, part string }{
		"not JSON":       {`canary`, "invalid character"},
		"unknown field":  {`{"version":1,"workspace":[]}`, `unknown field "workspace"`},
		"other version":  {`{"version":2,"workspaces":[]}`, "version 2"},
		"no admin key":   {`{"version":1,"workspaces":[{"id":"w","members":[{"id":"m"}],"keys":[{"id":"k","value":"canary"}]}]}`, "no admin key"},
		"nobody in it":   {`{"version":1,"workspaces":[{"id":"w"}]}`, "no members"},
		"value of wrong": {`{"version":1,"workspaces":[{"id":"w","keys":[{"value":["canary"]}]}]}`, "value"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state.json")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sandbox.Open(sandbox.Options{StateFile: file})
			if err == nil || !strings.Contains(err.Error(), c.part) || !strings.Contains(err.Error(), file) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error has a value: %v", err)
			}
			if text, _ := os.ReadFile(file); string(text) != c.text {
				t.Error("the file was overwritten")
			}
		})
	}
}

func TestChangeThatCannotBeWrittenIsAServerError(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	o := sandbox.Options{StateFile: filepath.Join(folder, "state.json"), Workspaces: []sandbox.Workspace{acme()}}
	srv, admin := reopen(t, o)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, admin.post(newKey), http.StatusInternalServerError)
	if _, err := srv.AddKey(sandbox.DefaultWorkspaceID, "by hand"); err == nil {
		t.Error("adding a key did not fail")
	}
}

func TestContradictingWorkspacesAreAllNamed(t *testing.T) {
	_, err := sandbox.Open(sandbox.Options{Workspaces: []sandbox.Workspace{
		{ID: "a", Parent: "b"}, {ID: "b", Parent: "c"}, {ID: "c"}, {ID: "c"}, {ID: "d", Parent: "x"},
		{ID: "e", AdminKey: secret.New("same")}, {ID: "f", AdminKey: secret.New("same")},
	}})
	for _, part := range []string{
		"workspace b is both", "workspace c is there twice", "workspace d has an unknown parent x",
		"workspace f has the admin key of another one",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}

func TestAdminKeyOfAnotherWorkspaceInTheStateFileIsRefused(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()}}
	reopen(t, o)
	o.Workspaces[0].ID = "another"
	if _, err := sandbox.Open(o); err == nil || strings.Contains(err.Error(), adminText) {
		t.Errorf("got %v", err)
	}
}
