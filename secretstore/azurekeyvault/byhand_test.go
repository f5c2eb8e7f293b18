package azurekeyvault_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// TestWhatPeopleDo is a secret with current b and previous a, and pending c where it says so.
func TestWhatPeopleDo(t *testing.T) {
	for _, c := range []struct {
		what  string
		stage bool
		do    func(w *world)
		want  string
		reads string // what consumers get
	}{
		{"a value of their own", false, func(w *world) { w.server.Put(w.secret, "theirs") }, "/?/b", "theirs"},
		{"two of their own", false, func(w *world) { w.server.Put(w.secret, "one"); w.server.Put(w.secret, "theirs") }, "/?/b", "theirs"},
		{"the current value once more", false, func(w *world) { w.server.Put(w.secret, "value-of-b") }, "/b/a", "value-of-b"},
		{"back to the previous value", false, func(w *world) { w.server.Put(w.secret, "value-of-a") }, "/a/b", "value-of-a"},
		{"the pending value on top", true, func(w *world) { w.server.Put(w.secret, "value-of-c") }, "/c/b", "value-of-c"},
		{"a copy of the tags of a version", true, func(w *world) {
			w.server.PutTagged(w.secret, "theirs", map[string]string{"instantly-rotator-key": "c"})
		}, "c/?/b", "theirs"},
		{"the newest version disabled", false, func(w *world) { w.server.Enable(w.secret, false) }, "/b/a", ""},
		{"the state gone", false, func(w *world) { w.server.Purge(w.state()) }, "/?/", "value-of-b"},
		{"the secret gone for good", false, func(w *world) { w.server.Purge(w.secret) }, "/b/a", ""},
		{"all gone", false, func(w *world) { w.server.Purge(w.secret); w.server.Purge(w.state()) }, "//", ""},
	} {
		w := newWorld()
		s := w.open(t)
		steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"))
		if c.stage {
			steps.Must(t, s, steps.Staging("c"))
		}
		c.do(w)
		if got := steps.Held(steps.Describe(t, s)); got != c.want {
			t.Errorf("%s: pending/current/previous is %s, want %s", c.what, got, c.want)
		}
		if got := w.server.Served(w.secret); got != c.reads {
			t.Errorf("%s: consumers read %q, want %q", c.what, got, c.reads)
		}
		// The next delivery puts all in order.
		steps.Must(t, s, steps.Staging("d"), steps.Promoting("d"))
		if got := w.server.Served(w.secret); got != "value-of-d" {
			t.Errorf("%s, and a delivery: consumers read %q", c.what, got)
		}
	}
}

// TestADisabledVersionIsNotReadAndSaidToBe: whatever stage its key is on.
func TestADisabledVersionIsNotReadAndSaidToBe(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	w.server.Enable(w.secret, false)
	snap := steps.Describe(t, s)
	if _, is := snap.Versions[secretstore.Current]; is || len(snap.Advice) != 1 {
		t.Errorf("holds %s, advice %q", steps.Held(snap), snap.Advice)
	}
	_, err := s.Read(t.Context(), "a")
	steps.WantError(t, err, secretstore.ErrNotFound)
	w.server.Enable(w.secret, true)
	steps.WantHeld(t, s, "/a/")
}

// TestADeletedSecretIsToBeRecovered: its name takes nothing until then.
func TestADeletedSecretIsToBeRecovered(t *testing.T) {
	for _, deleted := range []func(*world) string{
		func(w *world) string { return w.secret },
		(*world).state,
	} {
		w := newWorld()
		s := w.open(t)
		steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
		seen := steps.Describe(t, s)
		w.server.Delete(deleted(w))
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrScheduledForDeletion, "az keyvault secret recover --id https://acme-prod.vault.azure.net/deletedsecrets/"+deleted(w))
		_, err = steps.Staging("b").Call(t.Context(), s, seen)
		steps.WantError(t, err, secretstore.ErrScheduledForDeletion)
		w.server.Deny("readMetadata", "ForbiddenByRbac") // then the write shows it
		s = w.open(t)
		must := steps.Describe(t, s)
		if deleted(w) == w.state() {
			_, err = steps.Staging("b").Call(t.Context(), s, must)
			steps.WantError(t, err, secretstore.ErrScheduledForDeletion)
		}
		w.server.Allow()
		w.server.Recover(deleted(w))
		steps.WantHeld(t, s, "/a/")
	}
}

// TestVersionsOfOthersAreLeftEnabled: Terraform would make its version anew.
func TestVersionsOfOthersAreLeftEnabled(t *testing.T) {
	w := newWorld()
	w.server.Put(w.secret, "terraform's")
	s := w.open(t)
	foreign := steps.Describe(t, s).Versions[secretstore.Current].ID
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Destroying(foreign), steps.Staging("b"), steps.Promoting("b"), steps.Destroying("a"))
	versions := w.server.Versions(w.secret)
	if on := []bool{versions[0].Enabled, versions[1].Enabled, versions[2].Enabled}; !on[0] || on[1] || !on[2] {
		t.Errorf("enabled are %v", on)
	}
}
