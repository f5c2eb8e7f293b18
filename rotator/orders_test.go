package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (in *instance) setHold(t *testing.T, until time.Time) {
	t.Helper()
	h := secretstore.Hold{Since: time.Now(), Until: until, Reason: "the big campaign goes out"}
	if err := in.Rotator.Hold(context.Background(), in.Target(), h); err != nil {
		t.Fatal(err)
	}
}

func (in *instance) release(t *testing.T) {
	t.Helper()
	if err := in.Rotator.Release(context.Background(), in.Target()); err != nil {
		t.Fatal(err)
	}
}

func TestNothingBeginsDuringAHold(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Start().setHold(t, time.Time{})
		time.Sleep(2 * rotatortest.Interval)
		in := w.Start()
		if res := mustSettle(t, in.Run(rotator.Request{})); res.Rotated {
			t.Error("a key on hold was rotated because it was due")
		}
		res := w.Start().Run(rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true})
		if !errors.Is(res.Err, rotator.ErrHeld) || !strings.Contains(res.Err.Error(), "big campaign") {
			t.Errorf("rotate by hand says %v, want the hold and its reason", res.Err)
		}
		if res := w.Start().Run(rotator.Request{Incident: "INC-1"}); !errors.Is(res.Err, rotator.ErrHeld) {
			t.Errorf("an incident says %v, want the hold", res.Err)
		}
		w.Start().release(t)
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("released and due, but not rotated")
		}
		w.Settle()
	})
}

func TestAHoldEndsByItself(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		until := time.Now().Add(3 * time.Hour)
		w.Start().setHold(t, until)
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if res.Rotated || !res.Next.Equal(until) {
			t.Errorf("rotated: %t, looks again at %s; want at the hold's end, %s", res.Rotated, res.Next, until)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("the hold is over and the key is due, but it was not rotated")
		}
	})
}

// The hold comes while the last test calls before the revocation are made.
func TestAHoldSetInTheLastMomentKeepsTheOldKey(t *testing.T) {
	for at := 1; at <= 2; at++ {
		story(t, 1, func(t *testing.T, w *world) {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(due)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(graceOver)
			in := w.Start()
			probes := 0
			in.Hook = func(op string, when rotatortest.When) error {
				if op == "probe" && when == rotatortest.Before {
					if probes++; probes == at {
						w.Start().setHold(t, time.Time{})
					}
				}
				return nil
			}
			res := in.Run(rotator.Request{})
			if at == 1 && len(res.Revoked) > 0 {
				t.Errorf("revoked %v although a hold had been set", res.Revoked)
			}
			w.Start().release(t)
			w.Settle()
		})
	}
}

// A rotation that was begun stops before consumers see anything of it.
func TestAHoldInMidRotationKeepsConsumersOnTheirKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "stage@0" && when == rotatortest.After {
				w.Start().setHold(t, time.Time{})
			}
			return nil
		}
		before := currentValue(w.stores[0])
		_ = in.Run(rotator.Request{})
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if currentValue(w.stores[0]) != before {
			t.Error("consumers got another key during a hold")
		}
		w.Start().release(t)
		w.Settle()
		if currentValue(w.stores[0]) == before || w.Instantly.Creates != 2 {
			t.Errorf("after the release the rotation was not finished; %d keys were created", w.Instantly.Creates)
		}
	})
}

func TestACompromisedKeyDiesInTheSameRun(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		leaked := currentValue(w.stores[0])
		w.GraceEnded = true
		res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-4711"}))
		if !res.Rotated || len(res.Dead) != 1 {
			t.Fatalf("result: %+v", res)
		}
		if w.Instantly.Alive(leaked) {
			t.Error("the leaked key lives")
		}
		snap, _ := w.stores[0].Describe(t.Context())
		if !snap.Notes.Incident.IsZero() {
			t.Errorf("the incident is done with, but still noted: %+v", snap.Notes.Incident)
		}
		w.JudgeEnd()
	})
}

func TestAnIncidentEndsThePreviousKeyToo(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-4711"}))
		if len(res.Dead) != 2 || w.Instantly.Creates != 3 {
			t.Errorf("dead: %v, keys created: %d", res.Dead, w.Instantly.Creates)
		}
		w.JudgeEnd()
	})
}

func TestAKeyStagedBeforeTheIncidentNeverBecomesCurrent(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("promote@0", errors.New("the store is down"))
		_ = in.Run(rotator.Request{})
		time.Sleep(time.Minute)
		w.GraceEnded = true
		res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-4711"}))
		if len(res.Discarded) != 1 || w.Instantly.Creates != 3 {
			t.Errorf("given up: %v, keys created: %d; want the staged key given up and a third one made", res.Discarded, w.Instantly.Creates)
		}
		w.JudgeEnd()
	})
}

func TestAHoldDuringAnIncidentDoesNotEndIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		leaked := currentValue(w.stores[0])
		w.GraceEnded = true
		in := w.Start()
		in.Hook = failing("delete", errors.New("the API is down"))
		_ = in.Run(rotator.Request{Incident: "INC-4711"})
		w.Start().setHold(t, time.Time{})
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Alive(leaked) {
			t.Error("revoked during a hold")
		}
		w.Start().release(t)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if w.Instantly.Alive(leaked) {
			t.Error("after the hold the incident was forgotten, and the leaked key lives on")
		}
	})
}

// Whatever is cut off, any other instance carries the incident on without being
// asked, and no key of before it lives in the end.
func TestAnIncidentIsCarriedOnAfterEveryCrash(t *testing.T) {
	for _, begun := range []string{"", "stage@0", "promote@0", "create"} {
		for call := 1; call < 60; call++ {
			for _, when := range []rotatortest.When{rotatortest.Before, rotatortest.After} {
				if !incidentCutOff(t, begun, call, when) {
					break
				}
			}
		}
	}
}

// incidentCutOff tells whether the run made that many calls.
func incidentCutOff(t *testing.T, begun string, call int, when rotatortest.When) (reached bool) {
	t.Helper()
	name := fmt.Sprintf("after a rotation cut off at %q, cut off at call %d %v", begun, call, when)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		if begun != "" {
			in := w.Start()
			in.Hook = losingAnswer(begun)
			_ = in.Run(rotator.Request{})
		}
		time.Sleep(time.Second)
		declared := time.Now()
		w.GraceEnded = true
		in, n := w.Start(), 0
		ctx, cut := context.WithCancel(t.Context())
		in.Hook = func(_ string, at rotatortest.When) error {
			if at == rotatortest.Before {
				n++
			}
			if n > call || (n == call && at == when) {
				reached = true
				cut()
				return errors.New("the process died")
			}
			return nil
		}
		_ = in.Rotator.Reconcile(ctx, in.Target(), rotator.Request{Incident: "INC-4711"})
		cut()
		snap, err := w.stores[0].Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		noted := !snap.Notes.Incident.IsZero()
		for runs := 0; noted && !snap.Notes.Incident.IsZero(); runs++ {
			if res := w.Start().Run(rotator.Request{}); res.Err != nil || runs > 5 {
				t.Fatalf("%s: not done with after %d runs: %v", name, runs, res.Err)
			}
			snap, _ = w.stores[0].Describe(t.Context())
		}
		for _, k := range w.Instantly.ListedKeys() {
			if noted && !k.Foreign && k.Created.Before(declared) {
				t.Errorf("%s: the incident is done with, but key %s of before it lives", name, k.ID)
			}
		}
		w.Settle()
		w.Check(name)
	})
	return reached
}

// leasing starts an instance with a name that leaves others' rotations alone.
func (w *world) leasing(name string) *instance {
	return &instance{w.StartWith(rotator.Options{Instance: name, Lease: 30 * time.Second})}
}

func TestARotationIsLeftToTheInstanceThatBeganIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Activation = 50 * time.Second
		done := make(chan rotator.Result)
		go func() { done <- w.leasing("a").Run(rotator.Request{}) }()
		time.Sleep(10 * time.Second)
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
				return rotatortest.ErrStruck
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
		done := make(chan rotator.Result)
		go func() { done <- w.leasing("a").Run(rotator.Request{}) }()
		time.Sleep(10 * time.Second)
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

func (f weekend) FrozenUntil(t time.Time) time.Time {
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
		if end := freeze.FrozenUntil(time.Now()); res.Rotated || !res.Next.Equal(end) {
			t.Errorf("rotated: %t, looks again %s, want at the end of the freeze, %s", res.Rotated, res.Next, end)
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
