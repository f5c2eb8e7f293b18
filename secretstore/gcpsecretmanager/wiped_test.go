package gcpsecretmanager_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

const (
	enabled   = secretmanagerpb.SecretVersion_ENABLED
	disabled  = secretmanagerpb.SecretVersion_DISABLED
	destroyed = secretmanagerpb.SecretVersion_DESTROYED
)

// withoutRecord is a secret with versions by hand, the newest last, in these
// states.
func withoutRecord(t *testing.T, states ...secretmanagerpb.SecretVersion_State) *gcptest.Server {
	t.Helper()
	server := newServer(t)
	for n, state := range states {
		server.Set(id, server.Put(id, fmt.Sprint("by hand ", n+1)), state)
	}
	return server
}

func TestWithoutARecordTheNewestVersionThatCanBeReadIsShown(t *testing.T) {
	for want, states := range map[string][]secretmanagerpb.SecretVersion_State{
		"//":              {destroyed, destroyed, disabled},
		"//gcp-version-1": {enabled, destroyed},
		"//gcp-version-2": {enabled, enabled, disabled, destroyed, disabled},
		"/gcp-version-3/": {enabled, disabled, enabled},
	} {
		wantHeld(t, open(t, withoutRecord(t, states...)), want)
	}
}

func TestAVersionFarBelowDestroyedOnesIsNotSearchedFor(t *testing.T) {
	gone := slices.Repeat([]secretmanagerpb.SecretVersion_State{destroyed}, 100)
	server := withoutRecord(t, append([]secretmanagerpb.SecretVersion_State{enabled}, gone...)...)
	s := open(t, server)
	if calls := methods(server, func() { wantHeld(t, s, "//") }); len(calls) > 22 {
		t.Errorf("a read makes %d calls", len(calls))
	}
}

func TestAVersionFoundBelowADestroyedOneStaysUntilItIsForgotten(t *testing.T) {
	server := withoutRecord(t, enabled, destroyed)
	s := open(t, server)
	found := describe(t, s).Versions[secretstore.Previous]
	if !found.Foreign || found.Created.IsZero() {
		t.Errorf("it is shown as %+v, want it foreign, with the time it was made", found)
	}
	must(t, s, annotating("x"))
	wantHeld(t, s, "//gcp-version-1")
	must(t, s, staging("a"), promoting("a"))
	wantHeld(t, s, "/a/gcp-version-1")
	must(t, s, destroying("gcp-version-1"))
	wantHeld(t, s, "/a/")
	if v := server.Versions(id)[0]; v.Value == "" {
		t.Error("a version that the rotator did not add was destroyed")
	}
}

func TestAForgottenVersionIsNotFoundAgain(t *testing.T) {
	server := withoutRecord(t, enabled, destroyed)
	s := open(t, server)
	must(t, s, destroying("gcp-version-1"))
	if calls := methods(server, func() { wantHeld(t, open(t, server), "//") }); len(calls) != 2 {
		t.Errorf("a read makes the calls %v", calls)
	}
}

func TestTheNewestVersionEnabledAgainIsCurrent(t *testing.T) {
	server := withoutRecord(t, enabled, disabled)
	s := open(t, server)
	must(t, s, annotating("x"))
	server.Set(id, 2, enabled)
	wantHeld(t, s, "/gcp-version-2/gcp-version-1")
}

func TestWritesOnAVersionThatWasDisabledMeanwhileAreConflicts(t *testing.T) {
	server := withoutRecord(t, enabled, destroyed)
	seen := describe(t, open(t, server))
	server.Set(id, 1, disabled)
	_, err := annotating("x").call(t, open(t, server), seen)
	wantError(t, err, secretstore.ErrConflict)
}

// TestARecordWipedInMidRotationDoesNotCostTheConsumersTheirKey has a tool wipe
// what is on the secret just after the new key was added. The writer finds that
// he no longer announces it, and leaves it what readers of the latest version get.
// Caching consumers have the key below.
func TestARecordWipedInMidRotationDoesNotCostTheConsumersTheirKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Begin("rotation")
		wiped := w.Start()
		wiped.Hook = func(call string, when rotatortest.When) error {
			if call == "AddSecretVersion@0" && when == rotatortest.After {
				w.server.Wipe(id)
			}
			return nil
		}
		wiped.Run(rotator.Request{})
		theirs := valueOf(rotatortest.KeyID(1)).Reveal()
		for range 2 {
			if res := w.Start().Run(rotator.Request{}); res.Err != nil || !w.Instantly.Alive(theirs) {
				t.Fatalf("after the wipe: %+v; the key that consumers have lives: %t", res, w.Instantly.Alive(theirs))
			}
			if latest := w.server.Served(id, "latest"); !w.Instantly.Alive(latest) {
				t.Fatalf("after the wipe readers of the latest version get %q", latest)
			}
		}
		time.Sleep(due) // the next rotation makes room, and its grace ends
		for range 3 {
			if res := w.Start().Run(rotator.Request{}); res.Err != nil {
				t.Fatalf("at the next rotation: %v", res.Err)
			}
			time.Sleep(graceOver)
		}
		if keys := w.Instantly.ListedKeys(); len(keys) != 1 || keys[0].Value != w.server.Served(id, "latest") {
			t.Errorf("in the end there are %d keys, latest serves %q", len(keys), w.server.Served(id, "latest"))
		}
		w.Check("a record wiped in mid-rotation")
	})
}
