package rotator_test

// What is on record of sinks may be of before, or of another form of the configuration.

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

// TestASinkDoesNotLoseItsKeyWhenTheStoreIsRestoredFromABackup: the store then knows neither the
// key nor that the sink was given it, and consumers behind the sink use it.
func TestASinkDoesNotLoseItsKeyWhenTheStoreIsRestoredFromABackup(t *testing.T) {
	for _, kind := range []memsink.Kind{{}, {Marked: true}} {
		story(t, 1, func(t *testing.T, w *world) {
			place := w.AddSink("place", kind)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			restore := w.stores[0].Backup()
			time.Sleep(time.Hour)
			mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()}))
			wantSinks(t, w, place)
			newer := w.Snapshot(0).Versions[secretstore.Current].ID
			w.SinksChanged = true
			restore()
			for range 3 {
				mustSettle(t, w.Start().Run(rotator.Request{}))
			}
			wantSinks(t, w, place)
			if !w.Instantly.Alive(rotatortest.ValueOf(newer).Reveal()) {
				t.Errorf("%+v: the key that the sink had was revoked without its grace period", kind)
			}
			time.Sleep(graceOver + 10*time.Minute) // by a clock that may be another one
			mustSettle(t, w.Start().Run(rotator.Request{}))
			if w.Instantly.Alive(rotatortest.ValueOf(newer).Reveal()) {
				t.Errorf("%+v: the key that is in no place lives on", kind)
			}
		})
	}
}

// TestASinkIsGivenTheKeyAgainOnceTheConfigurationSaysWhereItBelongs: the key was put into a wrong
// field of the account, whose mark says that it has the key.
func TestASinkIsGivenTheKeyAgainOnceTheConfigurationSaysWhereItBelongs(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.AddSink("composio:ca_1", memsink.Kind{Marked: true, Where: "field a"})
		w.Begin("rotation")
		old := w.Snapshot(0).Versions[secretstore.Current].ID
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.SinksChanged = true
		w.Sinks[0] = memsink.New("composio:ca_1", memsink.Kind{Marked: true, Where: "field b"})
		w.Sinks[0].Set(rotatortest.ValueOf(old), w.Snapshot(0).Versions[secretstore.Current].ID)
		in := w.Start()
		if st := in.Rotator.Glance(t.Context(), []rotator.Target{in.Target()}, rotator.Request{})[0]; st.Sinks[0].Current {
			t.Errorf("status: %+v", st.Sinks)
		}
		mustSettle(t, in.Run(rotator.Request{}))
		wantSinks(t, w, w.Sinks...)
		if !w.Instantly.Alive(rotatortest.ValueOf(old).Reveal()) {
			t.Error("the old key was revoked, which is what the sink's users had")
		}
	})
}

// TestARotationWaitsForItsOwnFailuresOnly: a sink failed for hours, and then an attempt to rotate.
func TestARotationWaitsForItsOwnFailuresOnly(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		sinkFailsUntilDue(t, w, 12)
		in := w.Start()
		in.Hook = func(call string, when rotatortest.When) error {
			if when == rotatortest.Before && (call == "supply@sink0" || call == "create") {
				return errSinkDown
			}
			return nil
		}
		in.Run(rotator.Request{})
		if f := w.failure(); f.Count != 1 || f.Step != string(rotator.Issue) {
			t.Errorf("on record: %+v", f)
		}
		time.Sleep(2 * time.Minute)
		if res := w.Start().Run(rotator.Request{}); !res.Rotated {
			t.Errorf("one attempt failed, two minutes ago: it waits until %s: %s", res.Next, res.Delay)
		}
	})
}
