package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
	if _, err := in.Rotator.Release(context.Background(), in.Target()); err != nil {
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
			t.Errorf("rotated: %t, runs again at %s; want at the hold's end, %s", res.Rotated, res.Next, until)
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
		if snap.Notes.Incident.Open() {
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

// Instantly is out of reach when a leak is found: the store is not.
func TestAnIncidentIsNotedWhateverIsOutOfReach(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		leaked := currentValue(w.stores[0])
		w.GraceEnded = true
		in := w.Start()
		in.Hook = failing("keys", errors.New("the API is down"))
		if res := in.Run(rotator.Request{Incident: "INC-4711"}); res.Err == nil || res.Status.Incident.ID != "INC-4711" {
			t.Fatalf("%v, noted: %+v", res.Err, res.Status.Incident)
		}
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if w.Instantly.Alive(leaked) {
			t.Error("the next run does not carry the incident on: the leaked key lives")
		}
		w.JudgeEnd()
	})
}

// Somebody else writes at the very moment: the order is given all the same.
func TestAnIncidentIsNotedBesideOtherWriters(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		in, written := w.Start(), false
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "annotate@0" && when == rotatortest.Before && !written {
				written = true
				w.Start().setHold(t, time.Time{})
				w.Start().release(t)
			}
			return nil
		}
		if res := mustSettle(t, in.Run(rotator.Request{Incident: "INC-4711"})); len(res.Dead) != 1 {
			t.Errorf("stood back from an incident: %+v", res)
		}
	})
}

// Two others come between this instance's list and its reading: one makes the key,
// one declares the incident and dies.
func TestAnIncidentTrustsNoKeyListOfBeforeTheKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.GraceEnded = true
		in, between := w.Start(), false
		in.Hook = func(op string, when rotatortest.When) error {
			if op != "keys" || when != rotatortest.After || between {
				return nil
			}
			between = true
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(time.Second)
			dies := w.Start()
			dies.Hook = failing("keys", errors.New("the API is down"))
			_ = dies.Run(rotator.Request{Incident: "INC-4711"})
			return nil
		}
		if res := mustSettle(t, in.Run(rotator.Request{})); len(res.Dead) != 1 {
			t.Errorf("dead: %v, want the key of before the incident", res.Dead)
		}
		w.JudgeEnd()
	})
}

func TestAReasonIsOneLineOfPlainText(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		in := w.Start()
		h := secretstore.Hold{Since: time.Now(), Reason: "evil\x1b[31mred\nsending: ok"}
		if err := in.Rotator.Hold(t.Context(), in.Target(), h); err != nil {
			t.Fatal(err)
		}
		if got := w.Snapshot(0).Notes.Hold.Reason; got != "evil [31mred sending: ok" {
			t.Errorf("reason %q", got)
		}
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
		noted := snap.Notes.Incident.Open()
		for runs := 0; noted && snap.Notes.Incident.Open(); runs++ {
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

func TestACompromisedKeyIsTestedBeforeTheKeysAreListedAgain(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		in := w.Start()
		var calls []string
		in.Hook = func(op string, when rotatortest.When) error {
			if when == rotatortest.Before && !strings.Contains(op, "@") {
				calls = append(calls, op)
			}
			return nil
		}
		mustSettle(t, in.Run(rotator.Request{Incident: "INC-4711"}))
		want := []string{"keys", "check", "create", "probe", "keys", "probe", "delete", "probe", "keys"}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("calls at Instantly (-want +got):\n%s", diff)
		}
		w.JudgeEnd()
	})
}

// A hand's value may be any of the stolen keys. An incident does not wait for it to have a grace period: it is replaced
// in every store, and then every old key of ours dies at once.
func TestAnIncidentEndsAQuarantine(t *testing.T) {
	for where := range 2 {
		story(t, 2, func(t *testing.T, w *world) {
			first := mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(due)
			second := mustSettle(t, w.Start().Run(rotator.Request{}))
			w.stores[where].PutByHand(w.Instantly.Keys[first.KeyID].Key.Value)
			w.Judge("a person's put")
			if res := mustSettle(t, w.Start().Run(rotator.Request{})); res.Status.Quarantine == "" {
				t.Fatal("the target is not quarantined")
			}
			w.GraceEnded = true
			res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-4711"}))
			for _, old := range []string{first.KeyID, second.KeyID} {
				if w.Instantly.Keys[old].Listed() {
					t.Errorf("store %d: key %s of before the incident lives", where, old)
				}
			}
			if !res.Status.Incident.IsZero() {
				t.Errorf("store %d: the incident is not done with", where)
			}
		})
	}
}
