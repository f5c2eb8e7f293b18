package azurekeyvault_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

const (
	actions   = "Microsoft.KeyVault/vaults/secrets/"
	graceOver = rotatortest.Grace + rotatortest.Late
)

// dataActions reads the role's.
func dataActions(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "iam", "azure-role.json"))
	if err != nil {
		t.Fatal(err)
	}
	var role struct{ Actions, NotActions, DataActions, NotDataActions []string }
	if err := json.Unmarshal(raw, &role); err != nil {
		t.Fatal(err)
	}
	if len(role.Actions)+len(role.NotActions)+len(role.NotDataActions) > 0 {
		t.Errorf("the role has more than data actions: %+v", role)
	}
	return slices.Sorted(slices.Values(role.DataActions))
}

func TestRoleListsTheActionsThatTheCallsNeedAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		world := rotatortest.NewWorld(t, inMemory(), w.forEngine())
		world.Live((&rotatortest.Injector{}).Hook, 0, func() {})
		world.Settle()
		used := map[string]bool{}
		for _, c := range w.server.Calls() {
			used[actions+c.Action+"/action"] = true
		}
		if diff := cmp.Diff(dataActions(t), slices.Sorted(maps.Keys(used))); diff != "" {
			t.Errorf("data actions (-role +used):\n%s", diff)
		}
	})
}

// TestEachActionTakenAwayIsNamed rotates without one action after the other: both keys live,
// and the message names the action. Who may not ask whether a secret was deleted does not
// know, and goes on.
func TestEachActionTakenAwayIsNamed(t *testing.T) {
	for _, action := range []string{"getSecret", "setSecret", "update"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			world := rotatortest.NewWorld(t, inMemory(), w.forEngine())
			world.Begin("rotation")
			old := w.server.Served(w.secret)
			w.server.Deny(action, "ForbiddenByRbac")
			res := world.Start().Run(rotator.Request{})
			steps.WantError(t, res.Err, secretstore.ErrDenied, "needs "+actions+action+"/action", "ForbiddenByRbac", "acme-prod")
			if !world.Instantly.Alive(old) {
				t.Errorf("without %s the old key was revoked", action)
			}
			w.server.Allow()
			time.Sleep(graceOver)
			world.Settle()
			world.Check("with " + action + " again")
		})
	}
}

func TestRotationGoesOnWithoutTheRightToAskForDeletedSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.server.Deny("readMetadata", "ForbiddenByRbac")
		world := rotatortest.NewWorld(t, inMemory(), w.forEngine())
		world.Live((&rotatortest.Injector{}).Hook, 0, func() {})
		world.Settle()
	})
}
