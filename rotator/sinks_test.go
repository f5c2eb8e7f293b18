package rotator_test

// Sinks are given the current key after the stores, and the old one lives until each has it.

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

var errSinkDown = fmt.Errorf("the sink is down: %w", secretstore.ErrUnavailable)

// wantSinks checks that sinks have the key that the primary has.
func wantSinks(t *testing.T, w *world, places ...*memsink.Place) {
	t.Helper()
	for _, p := range places {
		if p.Value().Reveal() != currentValue(w.stores[0]) {
			t.Errorf("sink %s does not have the current key", p.Name())
		}
	}
}

// wantBehind checks that a run says which sink does not have the key.
func wantBehind(t *testing.T, res rotator.Result, name string) {
	t.Helper()
	if !errors.Is(res.Err, rotator.ErrSinkBehind) || !strings.Contains(res.Err.Error(), name) {
		t.Errorf("err = %v, want one that says that sink %s is behind", res.Err, name)
	}
}

func TestSinksAreGivenTheKeyAfterTheStoresAndGraceStartsWithTheLast(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		w.AddSinks()
		in := w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "reserve issue try stage verify promote stage@1 verify@1 promote@1 supply@marked supply@blind note-receipt check-sink@blind note-receipt settled")
		time.Sleep(due)
		in = w.Start()
		in.Hook = failing("supply@sink0", errSinkDown)
		res := in.Run(rotator.Request{})
		wantBehind(t, res, "marked")
		if !res.Rotated {
			t.Errorf("a sink that fails held up the rotation: %s", in.Steps())
		}
		wantSinks(t, w, w.Sinks[1])
		time.Sleep(graceOver)
		in = w.Start()
		in.Hook = failing("supply@sink0", errSinkDown)
		wantBehind(t, in.Run(rotator.Request{}), "marked")
		if len(w.OldVersions()) == 0 {
			t.Fatal("the old key was revoked, which a sink still has")
		}
		time.Sleep(time.Hour)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify supply@marked note-receipt clear settled")
		wantSinks(t, w, w.Sinks...)
		time.Sleep(rotatortest.Grace - time.Second)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "settled")
		time.Sleep(2 * time.Second)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify verify@1 revoke prove destroy@1 destroy settled")
		w.JudgeEnd()
	})
}

// The error of a sink may be one that a store has, too; it is not taken for a store's.
func TestASinkThatFailsHoldsUpNoOther(t *testing.T) {
	for _, cause := range []error{errSinkDown, secretstore.ErrConflict, secretstore.ErrDenied, errors.New("odd")} {
		story(t, 1, func(t *testing.T, w *world) {
			w.AddSinks()
			in := w.Start()
			in.Hook = failing("supply@sink0", cause)
			wantBehind(t, in.Run(rotator.Request{}), "marked")
			wantSinks(t, w, w.Sinks[1])
			if f := w.failure(); f.Count != 1 || f.Step != string(rotator.Supply) || !strings.Contains(f.Reason, "marked") {
				t.Errorf("on record: %+v", f)
			}
			st := in.Rotator.Glance(t.Context(), []rotator.Target{in.Target()}, rotator.Request{})[0]
			if !st.Sinks[1].Current || st.Sinks[0].Current || st.Sinks[0].Name != "marked" {
				t.Errorf("status: %+v", st.Sinks)
			}
			mustSettle(t, w.Start().Run(rotator.Request{}))
		})
	}
}

// Somebody changes a sink in the console, where its mark tells; and a sink is new in the
// configuration. No key is issued for that.
func TestASinkThatIsNewOrWasChangedByHandIsGivenTheKeyWithoutARotation(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.SinksChanged = true
		w.Sinks[0].Set(secret.New("typed by hand"), "")
		w.AddSink("new", memsink.Kind{})
		in := w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify note-receipt supply@marked supply@new note-receipt settled")
		wantSinks(t, w, w.Sinks...)
		if w.Instantly.Creates != 1 {
			t.Errorf("%d keys were issued", w.Instantly.Creates)
		}
	})
}

func TestTheReceiptOfASinkGoesWithIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		mustSettle(t, w.Start().Run(rotator.Request{}))
		both := w.Snapshot(0).Notes.Receipt
		sinks := w.Sinks
		w.SinksChanged = true
		w.Sinks = sinks[:1]
		mustSettle(t, w.Start().Run(rotator.Request{}))
		one := w.Snapshot(0).Notes.Receipt
		if one.KeyID != both.KeyID || len(one.Sinks) != len(both.Sinks)/2 || !one.At.Equal(both.At) {
			t.Errorf("the receipt of both is %+v, and of one %+v", both, one)
		}
		w.Sinks = nil
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if r := w.Snapshot(0).Notes.Receipt; !r.IsZero() {
			t.Errorf("without sinks, the receipt is %+v", r)
		}
		w.Sinks = sinks
		in := w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		if sinks[1].Puts() != 2 || sinks[0].Puts() != 2 { // a mark alone does not say how it was put
			t.Errorf("steps: %s", in.Steps())
		}
	})
}

// Keys are in wrong hands: nobody is waited for, but sinks are written first, and it is said
// which still has the old key.
func TestAnIncidentWritesTheSinksFirstAndWaitsForNone(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		w.Begin("rotation")
		w.GraceEnded, w.Incident = true, true
		leaked := w.Snapshot(0).Versions[secretstore.Current].ID
		in := w.Start()
		in.Hook = func(call string, when rotatortest.When) error {
			if strings.HasSuffix(call, "@sink1") && when == rotatortest.Before {
				return errSinkDown
			}
			return nil
		}
		res := in.Run(rotator.Request{Incident: "INC-1"})
		wantBehind(t, res, "blind")
		if !strings.Contains(res.Err.Error(), leaked) {
			t.Errorf("%v does not say that the sink has the leaked key", res.Err)
		}
		steps := in.Steps()
		if !strings.Contains(steps, "supply@blind supply@marked revoke") || strings.Count(steps, "supply@blind") != 1 || !strings.Contains(steps, "resolve") {
			t.Errorf("steps: %s", steps)
		}
		if reason := in.ReasonOf(rotator.Revoke); !strings.Contains(reason, "blind") {
			t.Errorf("revoked for: %s", reason)
		}
		mustSettle(t, w.Start().Run(rotator.Request{}))
		wantSinks(t, w, w.Sinks...)
	})
}

// A test through the sink costs money: it is made once a key, until it says yes.
func TestWhatUsesASinkIsAskedOnceAKeyUntilItWorks(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		blind := w.Sinks[1]
		w.Begin("rotation")
		asked := blind.Checks()
		blind.Use(func(secret.Value) error { return sink.ErrNotYet })
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if n := blind.Checks() - asked; n != 1 || res.Next.After(time.Now().Add(time.Minute)) {
			t.Errorf("asked %d times, again in %s", n, time.Until(res.Next))
		}
		time.Sleep(graceOver)
		in := w.Start()
		res = in.Run(rotator.Request{})
		if !errors.Is(res.Err, rotator.ErrSinkNotYet) || len(w.OldVersions()) == 0 {
			t.Fatalf("err = %v, steps %s", res.Err, in.Steps())
		}
		blind.Use(func(secret.Value) error { return nil })
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "check-sink@blind note-receipt verify revoke prove destroy settled")
		asked = blind.Checks()
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if blind.Checks() != asked {
			t.Error("asked again though it said yes")
		}
	})
}

// Somebody restores the old key in a sink, mark and all, while the last test calls are made.
func TestNoKeyIsRevokedThatASinkSaysItHas(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		w.SinksChanged = true
		rotateAndEndGrace(t, w)
		old := w.Snapshot(0).Versions[secretstore.Previous]
		in := w.Start()
		in.Hook = meanwhile("probe", 1, func() { w.Sinks[0].Set(rotatortest.ValueOf(old.ID), old.ID) })
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify note-receipt supply@marked note-receipt settled")
		if !w.Instantly.Alive(rotatortest.ValueOf(old.ID).Reveal()) {
			t.Error("the key was revoked")
		}
	})
}

// Somebody restores the old key in a sink, and the run that puts that right dies before it can
// say so: the old key has its grace from then on, since users of the sink had it.
func TestGraceCountsFromWhenASinkWasPutRightThoughTheRunDied(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		w.SinksChanged = true
		rotateAndEndGrace(t, w)
		old := w.Snapshot(0).Versions[secretstore.Previous]
		w.Sinks[0].Set(rotatortest.ValueOf(old.ID), old.ID)
		in := w.Start()
		dead := false
		in.Hook = func(call string, when rotatortest.When) error {
			if dead = dead || call == "supply@sink0" && when == rotatortest.After; dead {
				return rotatortest.ErrInjected
			}
			return nil
		}
		in.Run(rotator.Request{})
		wantSinks(t, w, w.Sinks[0])
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if !w.Instantly.Alive(rotatortest.ValueOf(old.ID).Reveal()) {
			t.Error("the old key was revoked at once")
		}
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.JudgeEnd()
	})
}

// Somebody puts a value into a store that follows, before the sinks have the new key: that
// store waits for the next rotation, which waits for the sinks. They do not wait for the store.
func TestSinksDoNotWaitForAStoreThatWasChangedByHand(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		w.AddSinks()
		w.Begin("rotation")
		in := w.Start()
		in.Hook = failing("supply@sink0", errSinkDown)
		wantBehind(t, in.Run(rotator.Request{}), "marked")
		w.stores[1].PutByHand(secret.New(w.Instantly.Add("made by hand").Value))
		mustSettle(t, w.Start().Run(rotator.Request{}))
		wantSinks(t, w, w.Sinks...)
		time.Sleep(due)
		if res := w.Start().Run(rotator.Request{}); res.Err == nil && !res.Rotated && res.Next.IsZero() {
			t.Errorf("a rotation is due, and nothing is to come: %s", res.Why)
		}
	})
}

// A mark that cannot be read says nothing: the old key lives on, and nothing is put on suspicion.
func TestASinkThatCannotBeAskedHoldsUpTheRevocation(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		rotateAndEndGrace(t, w)
		in := w.Start()
		in.Hook = failing("holds@sink0", errSinkDown)
		before := w.Snapshot(0).Notes.Receipt
		wantBehind(t, in.Run(rotator.Request{}), "marked")
		if len(w.OldVersions()) == 0 || w.Sinks[0].Puts() != 2 || w.Snapshot(0).Notes.Receipt != before {
			t.Errorf("steps: %s", in.Steps())
		}
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.JudgeEnd()
	})
}

// A rotation that was asked for waits while a sink still has the key before: that one must
// live, and there are never more than two.
func TestARotationWaitsForASinkThatIsTwoKeysBehind(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		w.Begin("rotation")
		hook := failing("supply@sink0", errSinkDown)
		in := w.Start()
		in.Hook = hook
		wantBehind(t, in.Run(rotator.Request{}), "marked")
		time.Sleep(due)
		in = w.Start()
		in.Hook = hook
		res := in.Run(rotator.Request{RotateSince: time.Now()})
		wantBehind(t, res, "marked")
		if res.Rotated {
			t.Errorf("steps: %s", in.Steps())
		}
		in = w.Start()
		in.Hook = hook
		if res := in.Run(rotator.Request{}); res.Rotated || len(w.OldVersions()) != 1 {
			t.Errorf("one that fell due did not wait: %s", in.Steps())
		}
	})
}

// sinkFailsUntilDue has somebody change a sink by hand a minute before a rotation falls due;
// the sink takes nothing from then on, in as many runs.
func sinkFailsUntilDue(t *testing.T, w *world, runs int) {
	t.Helper()
	w.AddSinks()
	mustSettle(t, w.Start().Run(rotator.Request{}))
	time.Sleep(due - time.Minute)
	w.SinksChanged = true
	w.Sinks[0].Set(rotatortest.ValueOf("typed by hand"), "")
	for range runs {
		in := w.Start()
		in.Hook = failing("supply@sink0", errSinkDown)
		wantBehind(t, in.Run(rotator.Request{}), "marked")
	}
	time.Sleep(time.Minute)
}

// The old key is long gone when somebody changes a sink by hand that then takes nothing: a
// rotation that falls due does not wait for that, nor for any backoff.
func TestASinkThatFailsDoesNotDelayARotation(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		sinkFailsUntilDue(t, w, 5)
		in := w.Start()
		in.Hook = failing("supply@sink0", errSinkDown)
		if res := in.Run(rotator.Request{}); !res.Rotated {
			t.Errorf("no rotation: %v; steps %s", res.Err, in.Steps())
		}
	})
}

// Yet the backoff of a rotation that failed is not forgotten over a sink that fails.
func TestASinkThatFailsDoesNotHideAFailedRotation(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		w.Begin("rotation")
		w.SinksChanged = true
		w.Sinks[0].Set(secret.New("typed by hand"), "")
		creates := w.Instantly.Creates
		for range 4 {
			in := w.Start()
			in.Hook = func(call string, when rotatortest.When) error {
				if when == rotatortest.Before && (call == "supply@sink0" || call == "create") {
					return errSinkDown
				}
				return nil
			}
			in.Run(rotator.Request{})
		}
		if f := w.failure(); f.Step != string(rotator.Issue) || f.Count != 1 || w.Instantly.Creates != creates {
			t.Errorf("on record: %+v", f)
		}
	})
}

// A panic in a sink is a failure of that sink.
func TestASinkThatPanicsHoldsUpNoOther(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSinks()
		in := w.Start()
		in.Hook = meanwhile("supply@sink0", 1, func() { panic("a bug") })
		res := in.Run(rotator.Request{})
		wantBehind(t, res, "marked")
		wantSinks(t, w, w.Sinks[1])
	})
}

// The configuration has the same name lead elsewhere: to the address that was meant, where
// somebody has pasted the key before, or to two services. What one was given, the other was not.
func TestAPlaceThatANameLeadsToNowIsGivenTheKeyBeforeTheOldOneGoes(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSink("hook:prod", memsink.Kind{Where: "https://mistyped.example.com"})
		w.Begin("rotation")
		old := w.Snapshot(0).Versions[secretstore.Current].ID
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.SinksChanged = true
		w.Sinks[0] = memsink.New("hook:prod", memsink.Kind{Where: "https://meant.example.com"})
		w.Sinks[0].Set(rotatortest.ValueOf(old), "")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		wantSinks(t, w, w.Sinks...)
		w.AddSink("hook:prod", memsink.Kind{Where: "https://second.example.com"})
		w.Sinks[1].Set(rotatortest.ValueOf(old), "")
		in := w.Start()
		in.Hook = failing("supply@sink1", errSinkDown)
		wantBehind(t, in.Run(rotator.Request{}), "hook:prod")
		time.Sleep(graceOver)
		in = w.Start()
		in.Hook = failing("supply@sink1", errSinkDown)
		wantBehind(t, in.Run(rotator.Request{}), "hook:prod")
		if !w.Instantly.Alive(rotatortest.ValueOf(old).Reveal()) {
			t.Error("the old key was revoked, which a place has")
		}
	})
}
