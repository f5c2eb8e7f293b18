package rotator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// leasing starts an instance with a name that leaves others' rotations alone.
func (w *world) leasing(name string) *instance {
	return &instance{w.StartWith(rotator.Options{Instance: name, Lease: 30 * time.Second})}
}

func TestARotationIsLeftToTheInstanceThatBeganIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Activation = 50 * time.Second
		done := make(chan rotator.Result, 1)
		go func() { done <- w.leasing("a").Run(rotator.Request{}) }()
		time.Sleep(10*time.Second + 100*time.Millisecond) // their tries never fall together
		res := mustSettle(t, w.leasing("b").Run(rotator.Request{}))
		if res.Rotated || !strings.Contains(res.Why, "a began") {
			t.Errorf("the other instance: rotated %t, %q", res.Rotated, res.Why)
		}
		asked := w.leasing("b").Run(rotator.Request{RotateSince: time.Now()})
		if !errors.Is(asked.Err, rotator.ErrBusy) {
			t.Errorf("asked by hand it says %v", asked.Err)
		}
		if res := mustSettle(t, <-done); !res.Rotated || w.Instantly.Creates != 1 {
			t.Errorf("the first instance rotated: %t; keys created: %d", res.Rotated, w.Instantly.Creates)
		}
	})
}

func TestTheRotationOfADeadInstanceIsTakenUpAfterItsLease(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		a, dead := w.leasing("a"), false
		a.Hook = func(op string, when rotatortest.When) error {
			if dead = dead || (op == "create" && when == rotatortest.After); dead {
				return rotatortest.ErrInjected
			}
			return nil
		}
		_ = a.Run(rotator.Request{})
		began := time.Now()
		res := mustSettle(t, w.leasing("b").Run(rotator.Request{}))
		if lease := res.Next.Sub(began); res.Rotated || lease != w.Policy.Activation+30*time.Second {
			t.Fatalf("rotated: %t; it is left to the dead instance for %s", res.Rotated, lease)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.leasing("b").Run(rotator.Request{})); !res.Rotated {
			t.Error("the lease is over, but nobody took the rotation up")
		}
		w.Settle()
	})
}

func TestWhoeverIsInAHurryTakesALeaseOver(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Activation = 50 * time.Second
		done := make(chan rotator.Result, 1)
		go func() { done <- w.leasing("a").Run(rotator.Request{}) }()
		time.Sleep(10*time.Second + 100*time.Millisecond) // their tries never fall together
		res := mustSettle(t, w.leasing("b").Run(rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true}))
		if !res.Rotated {
			t.Error("--force waits for the other instance")
		}
		if res := <-done; res.Err == nil || res.Rotated {
			t.Errorf("the first instance: rotated %t, %v", res.Rotated, res.Err)
		}
		w.Settle()
	})
}

// weekend is a freeze of two days that begins at the given instant.
type weekend struct{ begins time.Time }

func (f weekend) FreezeWindowEnd(t time.Time) time.Time {
	if end := f.begins.Add(48 * time.Hour); !t.Before(f.begins) && t.Before(end) {
		return end
	}
	return time.Time{}
}

func TestNothingNewBeginsInAFreeze(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(rotatortest.Interval)
		freeze := weekend{time.Now()}
		w.Policy.Freeze = freeze
		time.Sleep(time.Hour)
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if end := freeze.FreezeWindowEnd(time.Now()); res.Rotated || !res.Next.Equal(end) {
			t.Errorf("rotated: %t, runs again %s, want at the end of the freeze, %s", res.Rotated, res.Next, end)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("the freeze is over and the key is due, but it was not rotated")
		}
	})
}

func TestAFreezeDoesNotStopWhatHasBegunOrIsAskedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("stage@0", errors.New("the store is down"))
		_ = in.Run(rotator.Request{})
		w.Policy.Freeze = weekend{time.Now()}
		if res := mustSettle(t, w.Start().Run(rotator.Request{IgnoreBackoff: true})); !res.Rotated {
			t.Error("a rotation that had begun was not finished")
		}
		time.Sleep(graceOver)
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("revoked %v, want the old key: its grace is over", res.Revoked)
		}
		if res := mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
			t.Error("a rotation that was asked for did not begin")
		}
	})
}

func TestJitterDelaysATargetAlwaysByTheSame(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Policy.Jitter = 6 * time.Hour
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		delay := time.Until(first.Next) - rotatortest.Interval - rotatortest.Late
		if delay <= 0 || delay >= w.Policy.Jitter {
			t.Fatalf("delay %s, want one of less than %s", delay, w.Policy.Jitter)
		}
		time.Sleep(time.Until(first.Next))
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if !res.Rotated {
			t.Error("due, but not rotated")
		}
		time.Sleep(graceOver)
		res = mustSettle(t, w.Start().Run(rotator.Request{}))
		if again := time.Until(res.Next) - rotatortest.Interval + rotatortest.Grace; again != delay {
			t.Errorf("the next delay is %s, was %s", again, delay)
		}
	})
}

// Whoever failed and said so is not at it any more.
func TestAFailedAttemptIsNotLeftToItsInstance(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		a := w.leasing("a")
		a.Hook = failing("stage@0", errors.New("the store is down"))
		_ = a.Run(rotator.Request{})
		time.Sleep(time.Second)
		res := w.leasing("b").Run(rotator.Request{RotateSince: time.Now(), IgnoreBackoff: false})
		if errors.Is(res.Err, rotator.ErrBusy) {
			t.Errorf("left to an instance that has given up: %v", res.Err)
		}
	})
}

// The answer to a reservation is lost: it may have been written by a view out of date, and no key was issued for it.
func TestAReservationThatFailedIsNoReasonToRotateLater(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		in := w.Start()
		in.Hook = losingAnswer("annotate@0")
		w.GraceEnded = true
		if res := in.Run(rotator.Request{RotateSince: time.Now()}); res.Err == nil {
			t.Fatal("the answer was not lost")
		}
		if res := w.Start().Run(rotator.Request{IgnoreBackoff: true}); res.Rotated {
			t.Error("rotated for an intent that nobody knows of")
		}
	})
}
