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
// follower's consumers had a dead key until the next one fell due.
func TestADeadFollowerUnderAHandMadePrimaryGetsANewKey(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.Start().Run(rotator.Request{}))
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Secret)
		w.Judge("a person's put")
		w.Instantly.RevokeByHand(ours.KeyID)
		in := w.Start()
		if res := in.Run(rotator.Request{}); res.Err == nil {
			t.Errorf("%s: nobody is told of the dead key", in.Steps())
		}
		time.Sleep(graceOver) // of the key that was displaced by hand
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("the follower's key is dead, and was not replaced")
		}
		w.Settle()
	})
}

// As before, and the key that was displaced by hand never reached the follower: its end must not wait for a key that
// works there, which waits for its end.
func TestADeadFollowerUnderAHandMadePrimaryIsNoDeadlock(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("stage@1", rotatortest.ErrStruck)
		in.Run(rotator.Request{})
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Secret)
		w.Judge("a person's put")
		w.Instantly.RevokeByHand(first.KeyID)
		w.Start().Run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(graceOver)
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
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Secret)
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

// The follower's dead key was put there by hand, over one that the primary has as the one before: that one waits for a
// key that works in the follower, which waits for its end.
func TestADeadHandMadeFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		dead := w.Instantly.Add("made by hand, and dead")
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Secret)
		w.stores[1].PutByHand(dead.Secret)
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
