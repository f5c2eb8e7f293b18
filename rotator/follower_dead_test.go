package rotator_test

// A key that does not work in a store that follows, while the primary's is not ours
// to deliver.

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// A follower's key is revoked while the primary has one that was put there by hand, and nobody asks for a rotation: the
// follower's consumers have a dead key, and must not wait until the next one falls due.
func TestADeadFollowerUnderAHandMadePrimaryGetsANewKey(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.Start().Run(rotator.Request{}))
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		w.Judge("a person's put")
		w.Instantly.RevokeByHand(ours.KeyID)
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("the follower's key is dead, and was not replaced")
		}
		w.Settle()
	})
}

// As before, and the key that was displaced by hand never reached the follower.
func TestADeadFollowerUnderAHandMadePrimaryIsNoDeadlock(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("stage@1", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		w.Judge("a person's put")
		w.Instantly.RevokeByHand(first.KeyID)
		if res := mustSettle(t, w.Start().Run(rotator.Request{IgnoreBackoff: true})); !res.Rotated {
			t.Error("the follower's key is dead, and was not replaced")
		}
		w.Settle()
	})
}

// As before, and the follower's record is lost too: nobody knows whose its dead key was.
func TestADeadFollowerWithoutARecordUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.Start().Run(rotator.Request{}))
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		w.Judge("a person's put")
		w.stores[1].ForgetRecord()
		w.Instantly.RevokeByHand(ours.KeyID)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Alive(currentValue(w.stores[1])) {
			t.Error("the follower's key is dead, and was not replaced")
		}
		w.Settle()
	})
}

// The follower's dead key was put there by hand, over one that the primary has as the one before.
func TestADeadHandMadeFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		dead := w.Instantly.Add("made by hand, and dead")
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		w.stores[1].PutByHand(dead.Key.Value)
		w.Judge("a person's put")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Instantly.RevokeByHand(dead.ID)
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Alive(currentValue(w.stores[1])) {
			t.Error("the follower's key is dead, and was not replaced")
		}
		w.Settle()
	})
}

// A hand went back to the first key in a follower; the second one displaces it there when the next rotation makes room,
// and is revoked by hand at once. The first key, in its grace, was forgotten for the dead one.
func TestAHandMadeValueIsKeptInItsGraceWhereTheKeyOverItDied(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		old := w.Instantly.Keys[first.KeyID]
		time.Sleep(due)
		second := mustSettle(t, w.Start().Run(rotator.Request{}))
		w.stores[1].PutByHand(old.Key.Value)
		w.Judge("a person's put")
		for range 2 { // until nothing is in its grace
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(graceOver)
		}
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due - 2*graceOver)
		in := w.Start()
		in.Hook = func(call string, when rotatortest.When) error {
			if call == "promote@1" && when == rotatortest.After {
				w.Instantly.RevokeByHand(second.KeyID)
				return rotatortest.ErrInjected
			}
			return nil
		}
		in.Run(rotator.Request{})
		in = w.Start()
		in.Run(rotator.Request{IgnoreBackoff: true})
		w.Start().Run(rotator.Request{IgnoreBackoff: true})
		if !old.Listed() {
			t.Errorf("%s: a key that caching consumers of the follower still use was revoked in its grace", in.Steps())
		}
	})
}
