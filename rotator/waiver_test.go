package rotator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// A rollout hangs for good. Somebody says, with a reason, that nobody waits for it: that
// ends the wait for one key, by whichever instance comes, and not the grace period.
func TestAWaiverEndsTheWaitForTheConsumersOfOneKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: 10000 * time.Hour, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		current := mustSettle(t, w.Start().runWith(r)).KeyID
		in := w.Start()
		target := in.Target()
		target.Gates = []rotator.Gate{r}
		res := mustSettle(t, in.Rotator.Reconcile(t.Context(), target, rotator.Request{SkipGates: "gone", NoRotation: true}))
		if !res.Waived || len(res.Revoked) > 0 || res.Rotated {
			t.Errorf("in the grace period: %+v", res)
		}
		if got := w.Snapshot(0).Notes.Waiver; got.KeyID != current || got.Reason != "gone" || got.At.IsZero() {
			t.Errorf("noted: %+v", got)
		}
		time.Sleep(graceOver)
		if res := mustSettle(t, w.Start().runWith(r)); len(res.Revoked) != 1 {
			t.Errorf("another instance does not obey: %+v", res)
		}
		time.Sleep(due)
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(graceOver)
		if res := w.Start().runWith(r); !errors.Is(res.Err, rotator.ErrGateOpen) {
			t.Errorf("the next key's consumers are not waited for: %+v", res)
		}
		w.Check("the rules")
	})
}

// A waiver is for the key whose consumers do not move, even if the same run rotates.
func TestAWaiverDoesNotPassToTheKeyOfTheSameRun(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: 10000 * time.Hour, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		in := w.Start()
		target := in.Target()
		target.Gates = []rotator.Gate{r}
		res := in.Rotator.Reconcile(t.Context(), target, rotator.Request{SkipGates: "gone"})
		if !res.Waived || !res.Rotated {
			t.Fatalf("waived %v, rotated %v: %v", res.Waived, res.Rotated, res.Err)
		}
		if got := w.Snapshot(0).Notes.Waiver.KeyID; got == res.KeyID {
			t.Errorf("the waiver is for the new key %s", got)
		}
		time.Sleep(graceOver)
		if res := w.Start().runWith(r); len(res.Revoked) > 0 {
			t.Errorf("revoked %v, and nobody asked the consumers of the new key", res.Revoked)
		}
		w.Check("the rules")
	})
}

// Looking asks no gate. It says that a run has to, and what is waited for.
func TestLookingTellsThatConsumersAreWaitedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: rotatortest.Grace + 2*time.Hour, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(graceOver)
		in := w.Start()
		target := in.Target()
		target.Gates = []rotator.Gate{r}
		seen := in.Rotator.Glance(t.Context(), []rotator.Target{target}, rotator.Request{})[0]
		if seen.Next.Verb != rotator.Converge || len(seen.Gates) != 1 {
			t.Errorf("next: %+v; gates: %v", seen.Next, seen.Gates)
		}
		time.Sleep(2 * time.Hour)
		mustSettle(t, w.Start().runWith(r))
	})
}
