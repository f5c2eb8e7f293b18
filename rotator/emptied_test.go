package rotator_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// Somebody empties a Secret, which stays the same one: no version is left to tell by
// that the last key was current. Consumers have it in memory.
func TestTheLastKeyOfAnEmptiedStoreHasItsGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Minute)
		w.stores[0].Empty()
		w.Judge("a person's emptying")
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if !res.Rotated || len(res.Swept)+len(res.Revoked) > 0 {
			t.Errorf("rotated %t, swept %v, revoked %v; want a new key and the old one alive", res.Rotated, res.Swept, res.Revoked)
		}
		time.Sleep(graceOver)
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !slices.Equal(res.Revoked, []string{first.KeyID}) {
			t.Errorf("after its grace: revoked %v, want %s", res.Revoked, first.KeyID)
		}
		w.Settle()
	})
}

// Consumers of the key that a Secret had before it was emptied are waited for as those of any
// other old key: the gate is told of it, and a rollout that hangs keeps it alive.
func TestTheLastKeyOfAnEmptiedStoreLivesUntilItsConsumersHaveMoved(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: rotatortest.Grace + 2*time.Hour, began: map[string]time.Time{}}
		first := mustSettle(t, w.Start().runWith(r))
		time.Sleep(time.Minute)
		w.stores[0].Empty()
		w.Judge("a person's emptying")
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(graceOver)
		if res := w.Start().runWith(r); !errors.Is(res.Err, rotator.ErrGateOpen) || len(res.Revoked) > 0 {
			t.Errorf("the rollout hangs, but: %v, revoked %v", res.Err, res.Revoked)
		}
		if !slices.Contains(r.old, first.KeyID) {
			t.Errorf("the gate was told of the old keys %v, want %s", r.old, first.KeyID)
		}
		time.Sleep(2 * time.Hour)
		if res := mustSettle(t, w.Start().runWith(r)); !slices.Equal(res.Revoked, []string{first.KeyID}) {
			t.Errorf("the consumers have moved, revoked %v, want %s", res.Revoked, first.KeyID)
		}
		w.Settle()
	})
}

// What an attempt left behind that never reached an emptied store goes at once all the same.
func TestAKeyThatNeverReachedAnEmptiedStoreIsSwept(t *testing.T) {
	for _, req := range []rotator.Request{{}, {IgnoreBackoff: true}} {
		story(t, 1, func(t *testing.T, w *world) {
			in := w.Start()
			in.Hook = losingAnswer("create")
			_ = in.Run(rotator.Request{})
			time.Sleep(rotatortest.Lease)
			if res := mustSettle(t, w.Start().Run(req)); !slices.Equal(res.Swept, []string{rotatortest.KeyID(1)}) {
				t.Errorf("swept %v, want the key whose create was not answered", res.Swept)
			}
			w.Settle()
		})
	}
}
