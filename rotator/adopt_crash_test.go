package rotator_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest/simulation"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// TestAnAdoptionIsCutOffAtEachCall: the next runs finish it or leave it. Nothing is rotated
// or revoked for it, and consumers read the same value all the time.
func TestAnAdoptionIsCutOffAtEachCall(t *testing.T) {
	for _, b := range simulated() {
		t.Run(b.Name, func(t *testing.T) {
			calls := cutOff(t, b, rotatortest.Fault{}, anyKey)
			for call := 1; call <= calls; call++ {
				cutOff(t, b, rotatortest.Fault{Call: call, After: true, Crash: true}, anyKey)
				if b.Name == "memory" {
					cutOff(t, b, rotatortest.Fault{Call: call, Crash: true}, anyKey)
					cutOff(t, b, rotatortest.Fault{Call: call, After: true}, anyKey)
					cutOff(t, b, rotatortest.Fault{Call: call}, anyKey)
				}
			}
			t.Logf("%d calls", calls)
		})
	}
}

// TestAnAdoptionOfTheAdminKeyItselfIsCutOffAtEachCall: the key that the adoption is made
// with is the one that is adopted. When it falls due it issues its successor, which
// revokes it: nobody is locked out, and it is not left over.
func TestAnAdoptionOfTheAdminKeyItselfIsCutOffAtEachCall(t *testing.T) {
	memory := simulated()[0]
	calls := cutOff(t, memory, rotatortest.Fault{}, adminKey)
	for call := 1; call <= calls; call++ {
		for _, f := range []rotatortest.Fault{{Crash: true}, {Crash: true, After: true}, {After: true}, {}} {
			f.Call = call
			cutOff(t, memory, f, adminKey)
		}
	}
	t.Logf("%d calls", calls)
}

// anyKey makes a key by hand; adminKey makes the target the admin key itself, the first
// of which is made by hand.
func anyKey(w *rotatortest.World) *rotatortest.Key { return w.Instantly.Add("made by hand") }

func adminKey(w *rotatortest.World) *rotatortest.Key {
	w.HoldCredential()
	for _, k := range w.Instantly.All() {
		if k.Value == w.Credential {
			return k
		}
	}
	return nil
}

// cutOff adopts a key under a fault, and tells how many calls that took.
func cutOff(t *testing.T, b simulation.Backend, fault rotatortest.Fault, made func(*rotatortest.World) *rotatortest.Key) (calls int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		secrets := []simulation.Secret{b.Fresh(t, "primary"), b.Fresh(t, "follower")}
		for i := range secrets {
			if secrets[i].Current == nil {
				secrets[i].Current = simulation.Read(t, secrets[i].Open(t, untouched))
			}
		}
		w := rotatortest.NewWorld(t, secrets[0].Secret, secrets[1].Secret)
		w.Instantly.Add("somebody else's")
		k := made(w)
		k.Spec = w.Policy.Spec
		time.Sleep(24 * time.Hour)
		for _, s := range secrets {
			putByHand(t, s, k.Value)
		}
		w.Judge("a person's put")
		inject := &rotatortest.Injector{Faults: []rotatortest.Fault{fault}}
		in := w.Start()
		in.Hook = inject.Hook
		in.Adopt(rotator.Wish{})
		calls = inject.Calls()
		for range 2 { // somebody tries again, or a run goes by, or both
			time.Sleep(rotatortest.Lease)
			if res := w.Start().Run(rotator.Request{}); res.Err != nil || res.Rotated || len(res.Revoked)+len(res.Swept)+len(res.Discarded) > 0 {
				t.Errorf("%v: the next run: %v, rotated %t, revoked %v %v %v", fault, res.Err, res.Rotated, res.Revoked, res.Swept, res.Discarded)
			}
			for _, s := range secrets {
				current, latest := s.Current(), k.Value
				if s.Latest != nil {
					latest = s.Latest()
				}
				if latest != k.Value || current != k.Value && (current != "" || s.Latest == nil) { // an alias comes with the adoption
					t.Errorf("%v: consumers read another value: current %q, latest %q", fault, current, latest)
				}
			}
		}
		if _, res := w.Start().Adopt(rotator.Wish{}); res.Err != nil && w.Snapshot(0).Versions[secretstore.Current].Foreign {
			t.Errorf("%v: trying again: %v", fault, res.Err)
		}
		if cur := w.Snapshot(0).Versions[secretstore.Current]; cur.ID != k.ID {
			t.Errorf("%v: it is not adopted in the end: %+v", fault, cur)
		}
		if w.Credential != "" {
			succeed(t, w, k)
		}
		w.Check(fault.String())
	})
	return calls
}

// succeed has an adopted admin key followed by the next one, which ends it. The judge sees
// to it that no key revokes itself.
func succeed(t *testing.T, w *rotatortest.World, adopted *rotatortest.Key) {
	t.Helper()
	old := w.Start() // acts with the adopted key
	time.Sleep(time.Until(adopted.Created.Add(due)))
	if res := w.Start().Run(rotator.Request{}); res.Err != nil || !res.Rotated {
		t.Errorf("when the adopted key falls due: rotated %t, %v", res.Rotated, res.Err)
	}
	time.Sleep(graceOver)
	if res := old.Run(rotator.Request{}); res.Err != nil || !slices.Equal(res.Revoked, []string{adopted.ID}) {
		t.Errorf("when its grace period is over: revoked %v, %v", res.Revoked, res.Err)
	}
	w.JudgeEnd()
}

func untouched(string, rotatortest.When) error { return nil }

// putByHand puts a value there as people do: with the service's own tool, or "put".
func putByHand(t *testing.T, s simulation.Secret, value string) {
	t.Helper()
	if s.Put != nil {
		s.Put(value)
		return
	}
	store := s.Open(t, untouched)
	seen, err := store.Describe(t.Context())
	if err == nil {
		_, err = store.(secretstore.Putter).Put(t.Context(), seen, secret.New(value))
	}
	if err != nil {
		t.Fatal(err)
	}
}
