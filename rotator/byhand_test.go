package rotator_test

// What people do to a secret by hand is noticed and told, never fought, and never
// costs a living key.

import (
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// The record of a store is lost (tags, annotations wiped): the sweep revokes the key that consumers read.
func TestALostRecordMustNotRevokeTheCurrentKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.stores[0].ForgetRecord()
		in := w.Start()
		in.Run(rotator.Request{})
	})
}

// An operator rolls back by hand: puts the key that was current before over the current one.
func TestARollbackByHandMustNotRevokeTheCurrentKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		old := w.Instantly.Keys[rotatortest.KeyID(1)]
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.stores[0].PutByHand(old.Key.Value)
		w.Judge("a person's put")
		in := w.Start()
		in.Run(rotator.Request{})
	})
}

// Somebody writes the same value again by hand: after the grace period our record of it, now previous, is
// retired, and with it the value that is current.
func TestTheSameValuePutAgainByHandMustNotBeRetired(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		k := w.Instantly.Keys[rotatortest.KeyID(1)]
		time.Sleep(time.Hour)
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		in := w.Start()
		in.Run(rotator.Request{})
	})
}

// The same in a follower only: hand-copied value of our key in s1 after ... grace.
func TestPutByHandInGraceMustNotSweepTheKeyInGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		in := w.Start()
		in.Run(rotator.Request{})
	})
}

// Somebody writes a value by hand into a follower, once: the target stops for ever, whatever is asked of it.
func TestAHandMadeValueInAFollowerMustNotStopTheTargetForEver(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		k := w.Instantly.Add("made by hand")
		w.stores[1].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		var res rotator.Result
		for range 4 {
			time.Sleep(due)
			in := w.Start()
			res = in.Run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// Three stores: the primary was changed by hand while the third lagged behind by one delivery. The target can
// never rotate again, and nothing tells a person what to do.
func TestALaggingFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 3, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("stage@2", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		var res rotator.Result
		for range 4 {
			time.Sleep(due)
			in = w.Start()
			res = in.Run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// Two stores, hand-made primary, follower's key revoked by hand in grace of the one before.
func TestADeadFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		w.Instantly.RevokeByHand(rotatortest.KeyID(2))
		var res rotator.Result
		for range 4 {
			time.Sleep(due)
			in := w.Start()
			res = in.Run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// A follower that never got its first key, under a primary that was changed by hand.
func TestAnEmptyFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = failing("stage@1", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		var res rotator.Result
		for range 4 {
			time.Sleep(due)
			in = w.Start()
			res = in.Run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// A person makes a key and stores it at once; it takes ten seconds to become active.
func TestAYoungHandMadeKeyIsNotReplacedAtOnce(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.Instantly.Activation = 10 * time.Second
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		in := w.Start()
		if res := in.Run(rotator.Request{}); res.Rotated {
			t.Errorf("%s: %s", in.Steps(), in.ReasonOf(rotator.Reserve))
		}
		w.Forgive()
	})
}

func TestAKeyRevokedByHandIsReplacedAtOnce(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.Instantly.RevokeByHand(res.KeyID)
		in := w.Start()
		if res := mustSettle(t, in.Run(rotator.Request{})); !res.Rotated {
			t.Errorf("not rotated: %s", in.Steps())
		}
		if reason := in.ReasonOf(rotator.Reserve); reason != "the current key no longer works: it was revoked, or the stored value is wrong" {
			t.Errorf("reason given: %q", reason)
		}
		w.Settle()
	})
}

func TestAKeyRevokedByHandIsReplacedInTheGraceOfTheOneBefore(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		old := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.Instantly.RevokeByHand(res.KeyID)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Keys[old.KeyID].Listed() {
			t.Fatal("the key that caching consumers still use was revoked in its grace period")
		}
		w.Settle()
	})
}

func TestAHandMadeSecretIsUsedReplacedWhenDueAndNeverRevoked(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		in := w.Start()
		res := mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify settled")
		if res.Rotated || !res.Next.Equal(time.Now().Add(rotatortest.Interval)) {
			t.Errorf("result %+v, want it left alone until it is due", res)
		}
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Settle()
		if !k.Listed() {
			t.Error("a key that is not ours was revoked")
		}
	})
}

// Nobody knows what the hand's value is: it may be the very key that it displaced. So that lives until the next rotation
// has replaced the value, and for a grace period after that.
func TestAHandMadeValueOverOursIsNotFought(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Keys[ours.KeyID].Listed() {
			t.Fatal("our displaced key was revoked without grace")
		}
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Keys[ours.KeyID].Listed() || currentValue(w.stores[0]) != k.Value {
			t.Error("until the next rotation our displaced key should live and the hand-made one be current")
		}
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver - time.Minute)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Keys[ours.KeyID].Listed() {
			t.Error("the displaced key was revoked in the grace of what replaced the hand-made one")
		}
		time.Sleep(time.Minute)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if w.Instantly.Keys[ours.KeyID].Listed() || !k.Listed() {
			t.Error("after the grace of the new key ours should be gone, and the hand-made one, which is not ours, live")
		}
	})
}

func TestAHandMadeValueInThePrimaryLeavesTheFollowersKeyAlive(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.Start().Run(rotator.Request{}))
		k := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(k.Key.Value)
		w.Judge("a person's put")
		for range 3 {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(graceOver)
		}
		if !w.Instantly.Keys[ours.KeyID].Listed() {
			t.Error("the key that the follower's consumers read was revoked")
		}
	})
}

// The second key is put over by hand in the grace of the first, whose record is pushed out; then the hand-made one
// dies and is replaced: the first key must live as long as the second.
func TestAKeyPushedOutByHandKeepsItsGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		hand := w.Instantly.Add("made by hand")
		w.stores[0].PutByHand(hand.Key.Value)
		w.Judge("a person's put")
		time.Sleep(time.Hour)
		w.Instantly.RevokeByHand(hand.ID)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Keys[first.KeyID].Listed() {
			t.Fatal("the key that caching consumers still use was revoked in its grace period")
		}
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if w.Instantly.Keys[first.KeyID].Listed() {
			t.Error("when no key is in its grace, the one pushed out should go")
		}
	})
}

// A hand goes back to the key before in a follower. Two instances are about to revoke it; one finds that out and lets
// go of its records, one after the other, which the other instance then cannot compare.
func TestTwoInstancesKeepTheKeyThatAHandWentBackTo(t *testing.T) {
	story(t, 3, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		old := w.Instantly.Keys[first.KeyID]
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		w.stores[1].PutByHand(old.Key.Value)
		w.Judge("a person's put")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		in := w.Start()
		slow := meanwhile("read@0", 2, func() {
			other := w.Start()
			other.Hook = failing("destroy@2", rotatortest.ErrInjected)
			other.Run(rotator.Request{})
		})
		slower := meanwhile("read@2", 2, func() { w.Start().Run(rotator.Request{}) })
		in.Hook = func(call string, when rotatortest.When) error {
			return errors.Join(slow(call, when), slower(call, when))
		}
		in.Run(rotator.Request{})
		if !old.Listed() {
			t.Errorf("%s: the key that the follower's consumers read was revoked", in.Steps())
		}
	})
}

// The record is wiped after the key was staged, before the answer came: what is stored there without a record may be
// the key in hand.
func TestAKeyStoredWithoutARecordIsNotGivenUp(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = func(call string, when rotatortest.When) error {
			if call == "stage@0" && when == rotatortest.After {
				w.stores[0].ForgetRecord()
				return rotatortest.ErrInjected
			}
			return nil
		}
		in.Run(rotator.Request{})
		if w.Instantly.Creates != 1 || !w.Instantly.Keys[rotatortest.KeyID(1)].Listed() {
			t.Errorf("%s: the key that may be stored was revoked", in.Steps())
		}
	})
}

// A hand-made key takes a while to become active, and the clock of the instance is behind the store's.
func TestAYoungHandMadeKeyIsNotReplacedByAClockThatIsBehind(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.Instantly.Activation = 10 * time.Second
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		in := w.StartAt(off(func() time.Duration { return -2 * time.Minute }))
		if res := in.Run(rotator.Request{}); res.Rotated {
			t.Errorf("%s: %s", in.Steps(), in.ReasonOf(rotator.Reserve))
		}
		w.Forgive()
	})
}
