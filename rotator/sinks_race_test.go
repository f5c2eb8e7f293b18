package rotator_test

// Several instances give keys to the same sink, of which one is late.

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

// One instance stops right before it gives the key to a sink that has no mark; another one
// rotates meanwhile. The first finds that out, and puts it right before it stands back.
func TestASinkThatWasGivenAnOldKeyByAViewOutOfDateIsGivenTheCurrentOneAgain(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due - time.Minute)
		blind := w.AddSink("blind", memsink.Kind{})
		w.SinksChanged = true // by the first
		in := w.Start()
		in.Hook = meanwhile("supply", 1, func() {
			time.Sleep(time.Minute)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			wantSinks(t, w, blind)
		})
		if res := in.Run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrLostRace) {
			t.Errorf("err = %v", res.Err)
		}
		wantSinks(t, w, blind)
	})
}

// Where a store does not have the current key yet, the sink waits for it as all sinks do.
func TestASinkThatWasGivenAnOldKeyIsNotGivenTheCurrentOneBeforeEveryStore(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due - time.Minute)
		blind := w.AddSink("blind", memsink.Kind{})
		w.SinksChanged = true
		in, old := w.Start(), currentValue(w.stores[0])
		in.Hook = meanwhile("supply", 1, func() {
			time.Sleep(time.Minute)
			winner := w.Start()
			winner.Hook = failing("stage@1", rotatortest.ErrInjected)
			winner.Run(rotator.Request{})
		})
		in.Run(rotator.Request{})
		if got := blind.Value().Reveal(); got != old || currentValue(w.stores[0]) == old {
			t.Error("the sink has the current key before the second store")
		}
		time.Sleep(time.Hour)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		wantSinks(t, w, blind)
	})
}

// The same, and then something else goes wrong: the answer to the late put is lost, and the
// store cannot be read right after that, or the time of the step is used up; or the key cannot
// be tested, or the sink takes nothing more. Nothing may say that it has the key.
func TestASinkThatMayHaveAnOldKeyIsNotOnRecordAsHavingTheCurrentOne(t *testing.T) {
	for _, trouble := range []string{"supply", "supply and describe", "supply and time", "probe", "no second supply"} {
		story(t, 1, func(t *testing.T, w *world) {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(time.Hour)
			blind := w.AddSink("blind", memsink.Kind{})
			w.SinksChanged = true
			in, puts, unread := w.Start(), 0, false
			in.Hook = func(call string, when rotatortest.When) error {
				switch {
				case call == "supply@sink0" && when == rotatortest.Before:
					if puts++; puts == 1 {
						mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()}))
						wantSinks(t, w, blind)
					} else if trouble == "no second supply" {
						return errSinkDown
					}
				case call == "supply@sink0" && strings.HasPrefix(trouble, "supply"):
					if unread = trouble == "supply and describe"; trouble == "supply and time" && puts == 1 {
						time.Sleep(time.Hour)
					}
					return errSinkDown
				case call == "describe@0" && unread && when == rotatortest.Before:
					unread = false
					return errSinkDown
				case puts > 0 && trouble == "probe" && strings.HasPrefix(call, "probe"):
					w.Instantly.ProbeErr = errSinkDown
				}
				return nil
			}
			in.Run(rotator.Request{})
			w.Instantly.ProbeErr = nil
			mustSettle(t, w.Start().Run(rotator.Request{}))
			wantSinks(t, w, blind)
			time.Sleep(graceOver)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			w.JudgeEnd()
		})
	}
}
