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
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

func (in *instance) setHold(t *testing.T, until time.Time) {
	t.Helper()
	h := secretstore.Hold{Since: time.Now(), Until: until, Reason: "the big campaign goes out"}
	if err := in.rotator.Hold(context.Background(), in.target(), h); err != nil {
		t.Fatal(err)
	}
}

func (in *instance) release(t *testing.T) {
	t.Helper()
	if err := in.rotator.Release(context.Background(), in.target()); err != nil {
		t.Fatal(err)
	}
}

func TestNothingBeginsDuringAHold(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		w.start().setHold(t, time.Time{})
		time.Sleep(2 * interval)
		in := w.start()
		if res := mustSettle(t, in.run(rotator.Request{})); res.Rotated {
			t.Error("a key on hold was rotated because it was due")
		}
		res := w.start().run(rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true})
		if !errors.Is(res.Err, rotator.ErrHeld) || !strings.Contains(res.Err.Error(), "big campaign") {
			t.Errorf("rotate by hand says %v, want the hold and its reason", res.Err)
		}
		if res := w.start().run(rotator.Request{Incident: "INC-1"}); !errors.Is(res.Err, rotator.ErrHeld) {
			t.Errorf("an incident says %v, want the hold", res.Err)
		}
		w.start().release(t)
		if res := mustSettle(t, w.start().run(rotator.Request{})); !res.Rotated {
			t.Error("released and due, but not rotated")
		}
		w.settle()
	})
}

func TestAHoldEndsByItself(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		until := time.Now().Add(3 * time.Hour)
		w.start().setHold(t, until)
		res := mustSettle(t, w.start().run(rotator.Request{}))
		if res.Rotated || !res.Next.Equal(until) {
			t.Errorf("rotated: %t, looks again at %s; want at the hold's end, %s", res.Rotated, res.Next, until)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.start().run(rotator.Request{})); !res.Rotated {
			t.Error("the hold is over and the key is due, but it was not rotated")
		}
	})
}

// The hold comes while the last test calls before the revocation are made.
func TestAHoldSetInTheLastMomentKeepsTheOldKey(t *testing.T) {
	for at := 1; at <= 2; at++ {
		story(t, 1, func(t *testing.T, w *world) {
			mustSettle(t, w.start().run(rotator.Request{}))
			time.Sleep(interval + late)
			mustSettle(t, w.start().run(rotator.Request{}))
			time.Sleep(grace + late)
			in := w.start()
			probes := 0
			in.hook = func(op string, when memstore.When) error {
				if op == "probe" && when == memstore.Before {
					if probes++; probes == at {
						w.start().setHold(t, time.Time{})
					}
				}
				return nil
			}
			res := in.run(rotator.Request{})
			if at == 1 && len(res.Revoked) > 0 {
				t.Errorf("revoked %v although a hold had been set", res.Revoked)
			}
			w.start().release(t)
			w.settle()
		})
	}
}

// A rotation that was begun stops before consumers see anything of it.
func TestAHoldInMidRotationKeepsConsumersOnTheirKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = func(op string, when memstore.When) error {
			if op == "stage@0" && when == memstore.After {
				w.start().setHold(t, time.Time{})
			}
			return nil
		}
		before := w.current[0]
		_ = in.run(rotator.Request{})
		mustSettle(t, w.start().run(rotator.Request{}))
		if w.current[0] != before {
			t.Error("consumers got another key during a hold")
		}
		w.start().release(t)
		w.settle()
		if w.current[0] == before || w.cloud.creates != 2 {
			t.Errorf("after the release the rotation was not finished; %d keys were created", w.cloud.creates)
		}
	})
}

func TestACompromisedKeyDiesInTheSameRun(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		leaked := w.current[0]
		w.graceEnded = true
		res := mustSettle(t, w.start().run(rotator.Request{Incident: "INC-4711"}))
		if !res.Rotated || len(res.Dead) != 1 {
			t.Fatalf("result: %+v", res)
		}
		if w.cloud.alive(leaked) {
			t.Error("the leaked key lives")
		}
		snap, _ := w.stores[0].Describe(t.Context())
		if !snap.Notes.Incident.IsZero() {
			t.Errorf("the incident is done with, but still noted: %+v", snap.Notes.Incident)
		}
		w.judgeEnd()
	})
}

func TestAnIncidentEndsThePreviousKeyToo(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.graceEnded = true
		res := mustSettle(t, w.start().run(rotator.Request{Incident: "INC-4711"}))
		if len(res.Dead) != 2 || w.cloud.creates != 3 {
			t.Errorf("dead: %v, keys created: %d", res.Dead, w.cloud.creates)
		}
		w.judgeEnd()
	})
}

func TestAKeyStagedBeforeTheIncidentNeverBecomesCurrent(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = failing("promote@0", errors.New("the store is down"))
		_ = in.run(rotator.Request{})
		time.Sleep(time.Minute)
		w.graceEnded = true
		res := mustSettle(t, w.start().run(rotator.Request{Incident: "INC-4711"}))
		if len(res.Discarded) != 1 || w.cloud.creates != 3 {
			t.Errorf("given up: %v, keys created: %d; want the staged key given up and a third one made", res.Discarded, w.cloud.creates)
		}
		w.judgeEnd()
	})
}

func TestAHoldDuringAnIncidentDoesNotEndIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		leaked := w.current[0]
		w.graceEnded = true
		in := w.start()
		in.hook = failing("delete", errors.New("the API is down"))
		_ = in.run(rotator.Request{Incident: "INC-4711"})
		w.start().setHold(t, time.Time{})
		mustSettle(t, w.start().run(rotator.Request{}))
		if !w.cloud.alive(leaked) {
			t.Error("revoked during a hold")
		}
		w.start().release(t)
		mustSettle(t, w.start().run(rotator.Request{}))
		if w.cloud.alive(leaked) {
			t.Error("after the hold the incident was forgotten, and the leaked key lives on")
		}
	})
}

// Whatever is cut off, any other instance carries the incident on without being
// asked, and no key of before it lives in the end.
func TestAnIncidentIsCarriedOnAfterEveryCrash(t *testing.T) {
	for _, begun := range []string{"", "stage@0", "promote@0", "create"} {
		for call := 1; call < 60; call++ {
			for _, when := range []memstore.When{memstore.Before, memstore.After} {
				if !incidentCutOff(t, begun, call, when) {
					break
				}
			}
		}
	}
}

// incidentCutOff tells whether the run made that many calls.
func incidentCutOff(t *testing.T, begun string, call int, when memstore.When) (reached bool) {
	t.Helper()
	name := fmt.Sprintf("after a rotation cut off at %q, cut off at call %d %v", begun, call, when)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		if begun != "" {
			in := w.start()
			in.hook = losingAnswer(begun)
			_ = in.run(rotator.Request{})
		}
		time.Sleep(time.Second)
		declared := time.Now()
		w.graceEnded = true
		in, n := w.start(), 0
		ctx, cut := context.WithCancel(t.Context())
		in.hook = func(_ string, at memstore.When) error {
			if at == memstore.Before {
				n++
			}
			if n > call || (n == call && at == when) {
				reached = true
				cut()
				return errors.New("the process died")
			}
			return nil
		}
		_ = in.rotator.Reconcile(ctx, in.target(), rotator.Request{Incident: "INC-4711"})
		cut()
		snap, err := w.stores[0].Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		noted := !snap.Notes.Incident.IsZero()
		for runs := 0; noted && !snap.Notes.Incident.IsZero(); runs++ {
			if res := w.start().run(rotator.Request{}); res.Err != nil || runs > 5 {
				t.Fatalf("%s: not done with after %d runs: %v", name, runs, res.Err)
			}
			snap, _ = w.stores[0].Describe(t.Context())
		}
		for _, k := range w.cloud.listedKeys() {
			if noted && !k.foreign && k.Created.Before(declared) {
				t.Errorf("%s: the incident is done with, but key %s of before it lives", name, k.ID)
			}
		}
		w.settle()
		w.check(name)
	})
	return reached
}

// leasing starts an instance with a name that leaves others' rotations alone.
func (w *world) leasing(name string) *instance {
	in := w.start()
	in.rotator = rotator.New(rotator.Options{Instance: name, Lease: 30 * time.Second, Observe: in.observe})
	return in
}

func TestARotationIsLeftToTheInstanceThatBeganIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.activation = 50 * time.Second
		done := make(chan rotator.Result)
		go func() { done <- w.leasing("a").run(rotator.Request{}) }()
		time.Sleep(10 * time.Second)
		res := mustSettle(t, w.leasing("b").run(rotator.Request{}))
		if res.Rotated || !strings.Contains(res.Why, "a began") {
			t.Errorf("the other instance: rotated %t, %q", res.Rotated, res.Why)
		}
		asked := w.leasing("b").run(rotator.Request{RotateSince: time.Now()})
		if !errors.Is(asked.Err, rotator.ErrBusy) {
			t.Errorf("asked by hand it says %v", asked.Err)
		}
		if res := mustSettle(t, <-done); !res.Rotated || w.cloud.creates != 1 {
			t.Errorf("the first instance rotated: %t; keys created: %d", res.Rotated, w.cloud.creates)
		}
	})
}

func TestTheRotationOfADeadInstanceIsTakenUpAfterItsLease(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		a, dead := w.leasing("a"), false
		a.hook = func(op string, when memstore.When) error {
			if dead = dead || (op == "create" && when == memstore.After); dead {
				return errStruck
			}
			return nil
		}
		_ = a.run(rotator.Request{})
		began := time.Now()
		res := mustSettle(t, w.leasing("b").run(rotator.Request{}))
		if lease := res.Next.Sub(began); res.Rotated || lease != w.policy.Activation+30*time.Second {
			t.Fatalf("rotated: %t; it is left to the dead instance for %s", res.Rotated, lease)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.leasing("b").run(rotator.Request{})); !res.Rotated {
			t.Error("the lease is over, but nobody took the rotation up")
		}
		w.settle()
	})
}

func TestWhoeverIsInAHurryTakesALeaseOver(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.activation = 50 * time.Second
		done := make(chan rotator.Result)
		go func() { done <- w.leasing("a").run(rotator.Request{}) }()
		time.Sleep(10 * time.Second)
		res := mustSettle(t, w.leasing("b").run(rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true}))
		if !res.Rotated {
			t.Error("--force waits for the other instance")
		}
		if res := <-done; res.Err == nil || res.Rotated {
			t.Errorf("the first instance: rotated %t, %v", res.Rotated, res.Err)
		}
		w.settle()
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
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval)
		freeze := weekend{time.Now()}
		w.policy.Freeze = freeze
		time.Sleep(time.Hour)
		res := mustSettle(t, w.start().run(rotator.Request{}))
		if end := freeze.FrozenUntil(time.Now()); res.Rotated || !res.Next.Equal(end) {
			t.Errorf("rotated: %t, looks again %s, want at the end of the freeze, %s", res.Rotated, res.Next, end)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.start().run(rotator.Request{})); !res.Rotated {
			t.Error("the freeze is over and the key is due, but it was not rotated")
		}
	})
}

func TestAFreezeDoesNotStopWhatHasBegunOrIsAskedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = failing("stage@0", errors.New("the store is down"))
		_ = in.run(rotator.Request{})
		w.policy.Freeze = weekend{time.Now()}
		if res := mustSettle(t, w.start().run(rotator.Request{IgnoreBackoff: true})); !res.Rotated {
			t.Error("a rotation that had begun was not finished")
		}
		time.Sleep(grace + late)
		if res := mustSettle(t, w.start().run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("revoked %v, want the old key: its grace is over", res.Revoked)
		}
		if res := mustSettle(t, w.start().run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
			t.Error("a rotation that was asked for did not begin")
		}
	})
}

func TestJitterDelaysATargetAlwaysByTheSame(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.policy.Jitter = 6 * time.Hour
		first := mustSettle(t, w.start().run(rotator.Request{}))
		delay := time.Until(first.Next) - interval - late
		if delay <= 0 || delay >= w.policy.Jitter {
			t.Fatalf("delay %s, want one of less than %s", delay, w.policy.Jitter)
		}
		time.Sleep(time.Until(first.Next))
		res := mustSettle(t, w.start().run(rotator.Request{}))
		if !res.Rotated {
			t.Error("due, but not rotated")
		}
		time.Sleep(grace + late)
		res = mustSettle(t, w.start().run(rotator.Request{}))
		if again := time.Until(res.Next) - interval + grace; again != delay {
			t.Errorf("the next delay is %s, was %s", again, delay)
		}
	})
}
