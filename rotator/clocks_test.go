package rotator_test

// Clocks that are wrong, steps that take long, instances that meet.

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A promote call takes 20 s: the grace must not be counted from before it.
func TestASlowPromoteMustNotShortenTheGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "promote@0" && when == rotatortest.Before {
				time.Sleep(20 * time.Second)
			}
			return nil
		}
		res := mustSettle(t, in.Run(rotator.Request{}))
		time.Sleep(time.Until(res.Next))
		mustSettle(t, w.Start().Run(rotator.Request{}))
	})
}

// A machine that is suspended for 25 hours just before its promote request leaves: monotonic timers stand still
// meanwhile, wall time goes on. The promotion is recorded as 25 hours old and the old key dies in the same run.
func TestASuspendedMachineMustNotRevokeAtPromotion(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		// the fake clock lags 25 h behind until the suspend: seen from the machine, wall time jumps ahead
		lag := -25 * time.Hour
		in := w.StartAt(off(func() time.Duration { return lag }))
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "promote@0" && when == rotatortest.Before {
				lag = 0
			}
			return nil
		}
		in.Run(rotator.Request{RotateSince: time.Now().Add(-25 * time.Hour)})
	})
}

// As before, and other instances run as soon as it woke: the grace period counts from then, not from 25 hours ago.
func TestGraceCountsFromWhenAMachineSuspendedInItsPromotionWoke(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		lag := -25 * time.Hour
		in := w.StartAt(off(func() time.Duration { return lag }))
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "promote@0" && when == rotatortest.Before {
				lag = 0
			}
			return nil
		}
		mustSettle(t, in.Run(rotator.Request{RotateSince: time.Now().Add(-25 * time.Hour)}))
		for range 3 {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(graceOver / 3)
		}
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if n := len(w.OldVersions()); n != 0 {
			t.Errorf("%d old versions when the grace is over", n)
		}
	})
}

// As before, and the answer of the promotion is lost: it has to be found out that it was made, and late.
func TestGraceCountsFromWhenAMachineWokeAlsoIfTheAnswerIsLost(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		lag := -25 * time.Hour
		in := w.StartAt(off(func() time.Duration { return lag }))
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "promote@0" && when == rotatortest.After && lag != 0 {
				lag = 0
				return rotatortest.ErrInjected
			}
			return nil
		}
		in.Run(rotator.Request{RotateSince: time.Now().Add(-25 * time.Hour)})
		for range 3 {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(graceOver / 3)
		}
	})
}

// The clock was a year ahead when a failure was recorded: due rotations wait for a year.
func TestAFailureInTheFutureMustNotHoldARotationBack(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ahead := w.StartAt(off(func() time.Duration { return 365 * 24 * time.Hour }))
		ahead.Hook = failing("create", rotatortest.ErrInjected)
		ahead.Run(rotator.Request{})
		time.Sleep(7 * 24 * time.Hour)
		res := w.Start().Run(rotator.Request{})
		if !res.Rotated {
			t.Errorf("a week later: %+v; waits %s", res, time.Until(res.Next))
		}
	})
}

// An instance an hour ahead staged a key that then was revoked by hand. The other tests it every five seconds
// for an hour, in one run.
func TestAnIntentInTheFutureMustNotBeTestedForHours(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ahead := w.StartAt(off(func() time.Duration { return time.Hour }))
		ahead.Hook = failing("promote@0", rotatortest.ErrInjected)
		ahead.Run(rotator.Request{})
		w.Instantly.RevokeByHand(rotatortest.KeyID(1))
		in, probes, began := w.Start(), 0, time.Now()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "probe" && when == rotatortest.Before {
				probes++
			}
			return nil
		}
		in.Run(rotator.Request{IgnoreBackoff: true})
		if probes > 30 {
			t.Errorf("%d test calls in a run of %s", probes, time.Since(began))
		}
	})
}

// The clock steps back by a second between the request and the promotion, no grace wanted: keys are burned by
// the thousand in one run.
func TestAClockThatStepsBackMustNotRotateInALoop(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Policy.Grace = 0
		w.GraceEnded = true
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		asked := time.Now()
		in := w.StartAt(off(func() time.Duration { return -time.Second }))
		res := in.Run(rotator.Request{RotateSince: asked})
		if w.Instantly.Creates > 2 {
			t.Errorf("%d keys issued by one run: err %v", w.Instantly.Creates, res.Err)
		}
	})
}

// ... with a grace the same run rotates and then fails, refusing the rotation that it has just done.
func TestARotationDoneMustNotBeReportedAsRefused(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		asked := time.Now()
		in := w.StartAt(off(func() time.Duration { return -time.Second }))
		res := in.Run(rotator.Request{RotateSince: asked})
		if res.Err != nil {
			t.Errorf("rotated %v, err %v", res.Rotated, res.Err)
		}
	})
}

// A rotation that was asked for vanishes: the repair of a lost promotion time counts as the rotation.
func TestARepairIsNotTheRotationThatWasAskedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.stores[0].ForgetPromoted()
		in := w.Start()
		res := in.Run(rotator.Request{RotateSince: time.Now()})
		if !res.Rotated && !errors.Is(res.Err, rotator.ErrInGrace) {
			t.Errorf("%s: asked for a rotation, got neither it nor a refusal: %+v", in.Steps(), res)
		}
	})
}

// An instance in backoff cancels the intent of another one that is at work, sweeps its key, and the
// victim reports that Instantly's key "never became valid".
func TestAnInstanceInBackoffMustNotCancelALivingRotation(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = failing("create", rotatortest.ErrInjected)
		in.Run(rotator.Request{}) // recorded
		w.Instantly.Activation = 5 * time.Second
		time.Sleep(time.Second)
		forced := w.Start() // an operator: rotate --force
		resc := make(chan rotator.Result, 1)
		go func() { resc <- forced.Run(rotator.Request{IgnoreBackoff: true}) }()
		time.Sleep(2 * time.Second)
		other := w.Start() // the daemon, meanwhile
		other.Run(rotator.Request{})
		res := <-resc
		if !res.Rotated {
			t.Errorf("forced: %s: %v\nother: %s", forced.Steps(), res.Err, other.Steps())
		}
	})
}

// A failure of another kind (a follower that took no writes for days) delays the replacement of a dead current
// key by hours, and the run says all is well.
func TestADeadKeyIsReplacedAtOnceWhateverFailedBefore(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		for range 12 { // the follower is down for writes; the daemon comes by every six hours
			in := w.Start()
			in.Hook = failing("stage@1", rotatortest.ErrInjected)
			in.Run(rotator.Request{})
			time.Sleep(6 * time.Hour)
		}
		in := w.Start()
		in.Hook = failing("stage@1", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		w.Instantly.RevokeByHand(rotatortest.KeyID(2))
		time.Sleep(time.Minute)
		in = w.Start()
		res := in.Run(rotator.Request{})
		if !res.Rotated {
			t.Errorf("%s: the current key is dead; err %v, failing %v, next run in %s (%s)", in.Steps(), res.Err, res.Failing, time.Until(res.Next), res.Why)
		}
	})
}

// Somebody declares an incident at a machine whose clock is ahead, and is killed; the daemon's clock is
// behind. Each new key counted as issued before the incident, and was given up.
func TestAnIncidentIsDealtWithByAClockThatIsBehind(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		ahead := w.StartAt(off(func() time.Duration { return 4 * time.Minute }))
		ahead.Hook = failing("create", rotatortest.ErrInjected)
		ahead.Run(rotator.Request{Incident: "INC-4711"})
		behind := w.Start()
		res := mustSettle(t, behind.Run(rotator.Request{IgnoreBackoff: true}))
		if len(res.Revoked) != 1 || w.Instantly.Creates != 2 {
			t.Errorf("%s: %d keys were issued in all; revoked %v", behind.Steps(), w.Instantly.Creates, res.Revoked)
		}
	})
}

// The key was issued by a machine whose clock is ahead, and the incident declared at one that is right: by the
// clocks the key comes after the incident, which must not save it.
func TestAnIncidentComesAfterEveryKeyThatIsThere(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.StartAt(off(func() time.Duration { return 4 * time.Minute })).Run(rotator.Request{}))
		time.Sleep(time.Minute)
		w.GraceEnded = true
		in := w.Start()
		res := mustSettle(t, in.Run(rotator.Request{Incident: "INC-4711"}))
		if !res.Rotated || len(res.Revoked) != 1 {
			t.Errorf("%s: the stolen key lives on: %+v", in.Steps(), res)
		}
	})
}

// The key was promoted by a clock that was a year ahead. Whoever asks for a rotation gets
// one, once, and is told why the age of the key means nothing.
func TestARotationThatWasAskedForIsMadeWhateverTheKeysStamp(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.StartAt(off(func() time.Duration { return 365 * 24 * time.Hour })).Run(rotator.Request{}))
		if idle := mustSettle(t, w.Start().Run(rotator.Request{})); !strings.Contains(idle.Status.Odd, "stamped in the future") {
			t.Errorf("nothing is said of the stamp: %+v", idle.Status)
		}
		time.Sleep(time.Hour)
		res := mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()}))
		if !res.Rotated || w.Instantly.Creates != 2 || res.Status.Odd != "" {
			t.Errorf("asked for: %+v", res)
		}
		w.Settle()
	})
}

// A switch of webhooks writes a promotion down as of the latest instant at which it can be made,
// also that of a value of unknown origin. That is no other clock.
func TestWhatThisClockWroteDownAsLateIsNotTakenForAnotherClock(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		p.senders[0].off = true
		p.stores[0].PutByHand(secret.New("put-by-hand"))
		snap, err := p.stores[0].Describe(t.Context())
		if err == nil {
			_, err = p.stores[0].Promote(t.Context(), snap, snap.Versions[secretstore.Current].ID, time.Now().Add(30*time.Second))
		}
		in := p.start(nil)
		if s := in.rotator.Glance(t.Context(), []rotator.Target{in.target()}, rotator.Request{})[0]; s.Odd != "" || err != nil {
			t.Errorf("%s, %v", s.Odd, err)
		}
	})
}

// off is a clock that is wrong.
func off(by func() time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by()) }
}
