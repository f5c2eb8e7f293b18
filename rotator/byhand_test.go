package rotator_test

// What people do to a secret by hand is noticed and told, never fought, and never
// costs a living key.

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// The record of a store is lost (tags, annotations wiped): the sweep revokes the key that consumers read.
func TestALostRecordMustNotRevokeTheCurrentKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.stores[0].ForgetRecord()
		in := w.start()
		in.run(rotator.Request{})
	})
}

// An operator rolls back by hand: puts the key that was current before over the current one.
func TestARollbackByHandMustNotRevokeTheCurrentKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		old := w.cloud.keys["key-1"]
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.stores[0].PutByHand(old.Secret)
		w.judge("a person's put")
		in := w.start()
		in.run(rotator.Request{})
	})
}

// Somebody writes the same value again by hand: after the grace period our record of it, now previous, is
// retired, and with it the value that is current.
func TestTheSameValuePutAgainByHandMustNotBeRetired(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		k := w.cloud.keys["key-1"]
		time.Sleep(time.Hour)
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(grace + late)
		in := w.start()
		in.run(rotator.Request{})
	})
}

// The same in a follower only: hand-copied value of our key in s1 after ... grace.
func TestPutByHandInGraceMustNotSweepTheKeyInGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		in := w.start()
		in.run(rotator.Request{})
	})
}

// Somebody writes a value by hand into a follower, once: the target stops for ever, whatever is asked of it.
func TestAHandMadeValueInAFollowerMustNotStopTheTargetForEver(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		k := w.cloud.add("made by hand")
		w.stores[1].PutByHand(k.Secret)
		w.judge("a person's put")
		var res rotator.Result
		for range 4 {
			time.Sleep(interval + late)
			in := w.start()
			res = in.run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
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
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = failing("stage@2", errStruck)
		in.run(rotator.Request{})
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		var res rotator.Result
		for range 4 {
			time.Sleep(interval + late)
			in = w.start()
			res = in.run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// Two stores, hand-made primary, follower's key revoked by hand in grace of the one before.
func TestADeadFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		w.cloud.revokeByHand("key-2")
		var res rotator.Result
		for range 4 {
			time.Sleep(interval + late)
			in := w.start()
			res = in.run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// A follower that never got its first key, under a primary that was changed by hand.
func TestAnEmptyFollowerUnderAHandMadePrimary(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		in := w.start()
		in.hook = failing("stage@1", errStruck)
		in.run(rotator.Request{})
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		var res rotator.Result
		for range 4 {
			time.Sleep(interval + late)
			in = w.start()
			res = in.run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now(), EndGrace: true})
		}
		if res.Err != nil {
			t.Errorf("a year later: %v", res.Err)
		}
	})
}

// A person makes a key and stores it at once; it takes ten seconds to become active.
func TestAYoungHandMadeKeyIsNotReplacedAtOnce(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.cloud.activation = 10 * time.Second
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		in := w.start()
		if res := in.run(rotator.Request{}); res.Rotated {
			t.Errorf("%s: %s", in.steps(), in.reasonOf(rotator.Reserve))
		}
		w.violations = nil
	})
}
