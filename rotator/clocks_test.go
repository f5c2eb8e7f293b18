package rotator_test

// Clocks that are wrong, steps that take long, instances that meet.

import (
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// A promote call takes 20 s: the grace must not be counted from before it.
func TestASlowPromoteMustNotShortenTheGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = func(op string, when memstore.When) error {
			if op == "promote@0" && when == memstore.Before {
				time.Sleep(20 * time.Second)
			}
			return nil
		}
		res := mustSettle(t, in.run(rotator.Request{}))
		time.Sleep(time.Until(res.Next))
		mustSettle(t, w.start().run(rotator.Request{}))
	})
}

// A machine that is suspended for 25 hours just before its promote request leaves: monotonic timers stand still
// meanwhile, wall time goes on. The promotion is recorded as 25 hours old and the old key dies in the same run.
func TestASuspendedMachineMustNotRevokeAtPromotion(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		// the fake clock lags 25 h behind until the suspend: seen from the machine, wall time jumps ahead
		off := -25 * time.Hour
		in := w.start().clock(func() time.Duration { return off })
		in.hook = func(op string, when memstore.When) error {
			if op == "promote@0" && when == memstore.Before {
				off = 0
			}
			return nil
		}
		in.run(rotator.Request{RotateSince: time.Now().Add(-25 * time.Hour)})
	})
}

// The clock was a year ahead when a failure was recorded: due rotations wait for a year.
func TestAFailureInTheFutureMustNotHoldARotationBack(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ahead := w.start().clock(func() time.Duration { return 365 * 24 * time.Hour })
		ahead.hook = failing("create", errStruck)
		ahead.run(rotator.Request{})
		time.Sleep(7 * 24 * time.Hour)
		res := w.start().run(rotator.Request{})
		if !res.Rotated {
			t.Errorf("a week later: %+v; waits %s", res, time.Until(res.Next))
		}
	})
}

// An instance an hour ahead staged a key that then was revoked by hand. The other tests it every five seconds
// for an hour, in one run.
func TestAnIntentInTheFutureMustNotBeTestedForHours(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ahead := w.start().clock(func() time.Duration { return time.Hour })
		ahead.hook = failing("promote@0", errStruck)
		ahead.run(rotator.Request{})
		w.cloud.revokeByHand("key-1")
		in, probes, began := w.start(), 0, time.Now()
		in.hook = func(op string, when memstore.When) error {
			if op == "probe" && when == memstore.Before {
				probes++
			}
			return nil
		}
		in.run(rotator.Request{IgnoreBackoff: true})
		if probes > 30 {
			t.Errorf("%d test calls in a run of %s", probes, time.Since(began))
		}
	})
}

// The clock steps back by a second between the request and the promotion, no grace wanted: keys are burned by
// the thousand in one run.
func TestAClockThatStepsBackMustNotRotateInALoop(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.policy.Grace = 0
		w.graceEnded = true
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		asked := time.Now()
		in := w.start().clock(func() time.Duration { return -time.Second })
		res := in.run(rotator.Request{RotateSince: asked})
		if w.cloud.creates > 2 {
			t.Errorf("%d keys issued by one run: err %v", w.cloud.creates, res.Err)
		}
	})
}

// ... with a grace the same run rotates and then fails, refusing the rotation that it has just done.
func TestARotationDoneMustNotBeReportedAsRefused(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		asked := time.Now()
		in := w.start().clock(func() time.Duration { return -time.Second })
		res := in.run(rotator.Request{RotateSince: asked})
		if res.Err != nil {
			t.Errorf("rotated %v, err %v", res.Rotated, res.Err)
		}
	})
}

// A rotation that was asked for vanishes: the repair of a lost promotion time counts as the rotation.
func TestARepairIsNotTheRotationThatWasAskedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.stores[0].ForgetPromoted()
		in := w.start()
		res := in.run(rotator.Request{RotateSince: time.Now()})
		if !res.Rotated && !errors.Is(res.Err, rotator.ErrInGrace) {
			t.Errorf("%s: asked for a rotation, got neither it nor a refusal: %+v", in.steps(), res)
		}
	})
}

// An instance in backoff cancels the intent of another one that is at work, sweeps its key, and the
// victim reports that Instantly's key "never became valid".
func TestAnInstanceInBackoffMustNotCancelALivingRotation(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.start()
		in.hook = failing("create", errStruck)
		in.run(rotator.Request{}) // recorded
		w.cloud.activation = 5 * time.Second
		time.Sleep(time.Second)
		forced := w.start() // an operator: rotate --force
		resc := make(chan rotator.Result, 1)
		go func() { resc <- forced.run(rotator.Request{IgnoreBackoff: true}) }()
		time.Sleep(2 * time.Second)
		other := w.start() // the daemon, meanwhile
		other.run(rotator.Request{})
		res := <-resc
		if !res.Rotated {
			t.Errorf("forced: %s: %v\nother: %s", forced.steps(), res.Err, other.steps())
		}
	})
}

// A failure of another kind (a follower that took no writes for days) delays the replacement of a dead current
// key by hours, and the run says all is well.
func TestADeadKeyIsReplacedAtOnceWhateverFailedBefore(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		for range 12 { // the follower is down for writes; the daemon comes by every six hours
			in := w.start()
			in.hook = failing("stage@1", errStruck)
			in.run(rotator.Request{})
			time.Sleep(6 * time.Hour)
		}
		in := w.start()
		in.hook = failing("stage@1", errStruck)
		in.run(rotator.Request{})
		w.cloud.revokeByHand("key-2")
		time.Sleep(time.Minute)
		in = w.start()
		res := in.run(rotator.Request{})
		if !res.Rotated {
			t.Errorf("%s: the current key is dead; err %v, failing %v, next look in %s (%s)", in.steps(), res.Err, res.Failing, time.Until(res.Next), res.Why)
		}
	})
}
