package gcpsecretmanager_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// permissionsOf reads a role's permissions.
func permissionsOf(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "iam", file))
	if err != nil {
		t.Fatal(err)
	}
	var role struct {
		Title, Description, Stage string
		IncludedPermissions       []string `yaml:"includedPermissions"`
	}
	if err := yaml.Unmarshal(raw, &role); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(slices.Values(role.IncludedPermissions))
}

// permissionsUsed lists what the calls made so far need.
func permissionsUsed(server *gcptest.Server) []string {
	used := map[string]bool{}
	for _, c := range server.Calls() {
		used[c.Permission] = true
	}
	return slices.Sorted(maps.Keys(used))
}

func TestRoleListsThePermissionsThatTheCallsNeedAndNoOthers(t *testing.T) {
	base := permissionsOf(t, "gcp-role.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rotatortest.SpoilSecondKey(w.World)
		w.Live((&rotatortest.Injector{}).Hook, 0, func() {})
		w.Settle()
		if diff := cmp.Diff(base, permissionsUsed(w.server)); diff != "" {
			t.Errorf("permissions (-role +used):\n%s", diff)
		}
	})
	for file, change := range map[string]func(*gcpsecretmanager.Options){
		"gcp-role-disable.yaml": func(o *gcpsecretmanager.Options) { o.KeepVersions = 1 },
		"gcp-role-create.yaml":  creating(gcpsecretmanager.Create{}),
	} {
		server := newServer(t)
		s := open(t, server, change)
		must(t, s, staging("a"), promoting("a"), staging("b"), promoting("b"), destroying("a"), staging("c"), promoting("c"), destroying("b"), annotating("x"))
		if _, err := s.Read(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		want := slices.Sorted(slices.Values(append(slices.Clone(base), permissionsOf(t, file)...)))
		if diff := cmp.Diff(want, permissionsUsed(server)); diff != "" {
			t.Errorf("%s (-roles +used):\n%s", file, diff)
		}
	}
}

// TestEachPermissionTakenAwayIsNamed rotates without one permission after the
// other: both keys live, readers get the old one or the new one, and the message
// names the permission and the secret.
func TestEachPermissionTakenAwayIsNamed(t *testing.T) {
	for _, permission := range permissionsOf(t, "gcp-role.yaml") {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Begin("rotation")
			w.server.Deny(permission)
			res := w.Start().Run(rotator.Request{})
			if permission == "secretmanager.versions.destroy" { // needed once the old key is revoked
				time.Sleep(graceOver)
				res = w.Start().Run(rotator.Request{})
			}
			wantError(t, res.Err, secretstore.ErrDenied)
			for _, says := range []string{permission, "projects/acme-prod/secrets/sending"} {
				if res.Err == nil || !strings.Contains(res.Err.Error(), "permission denied: needs "+permission+" on ") || !strings.Contains(res.Err.Error(), says) {
					t.Errorf("without %s: error %v does not say %q", permission, res.Err, says)
				}
			}
			if permission != "secretmanager.versions.destroy" && !w.Instantly.Alive(valueOf(rotatortest.KeyID(1)).Reveal()) {
				t.Errorf("without %s the old key was revoked", permission)
			}
			w.server.Allow()
			time.Sleep(graceOver)
			w.Settle()
			w.Check("with " + permission + " again")
		})
	}
}
