package rotator_test

// Edits of the configuration between any two runs.

import (
	"slices"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func TestALostCreateIsSweptAfterTheStoresWereSwapped(t *testing.T) {
	swapped(t, "create", true)
}

func TestAPendingKeyIsNotLostWhenTheStoresAreSwapped(t *testing.T) {
	swapped(t, "promote@0", false)
}

func TestAHalfDeliveredRotationAfterASwap(t *testing.T) { swapped(t, "stage@1", false) }

// The intent that the swap left behind starts a rotation when the stores are swapped back, months later.
func TestSwappingBackMustNotRotateByItself(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval - time.Hour)
		in := w.start()
		in.hook = losingAnswer("create")
		in.run(rotator.Request{RotateSince: time.Now()})
		swap := func() {
			w.stores[0], w.stores[1] = w.stores[1], w.stores[0]
			w.current[0], w.current[1] = w.current[1], w.current[0]
		}
		swap()
		time.Sleep(time.Hour)
		for range 5 {
			w.start().run(rotator.Request{})
			time.Sleep(grace + late)
		}
		swap()
		in = w.start()
		if res := in.run(rotator.Request{}); res.Rotated || res.Err != nil {
			t.Errorf("%s: rotated %v because %q: %v", in.steps(), res.Rotated, in.reasonOf(rotator.Reserve), res.Err)
		}
	})
}

// Grace is shortened while an old key is in its grace; the current one dies and is replaced.
func TestAShortenedGraceMustNotCutAKeyAlreadyInGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		w.policy.Grace = time.Hour
		time.Sleep(2 * time.Minute)
		w.cloud.revokeByHand("key-2")
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour + late)
		in := w.start()
		in.run(rotator.Request{})
	})
}

// The follower takes the new key in the very run that ends the grace of "the old key".
func TestEndGraceMustNotCutAKeyThisRunDisplaced(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = failing("stage@1", errStruck)
		in.run(rotator.Request{})
		time.Sleep(time.Hour)
		in = w.start()
		res := in.run(rotator.Request{EndGrace: true, RotateSince: time.Now(), IgnoreBackoff: true})
		if slices.Contains(res.Revoked, "key-1") {
			t.Errorf("the key that this run displaced in the follower was revoked: %s", in.steps())
		}
	})
}

// The time zone of the schedule is changed five minutes after a rotation: the key is rotated again hours later.
func TestAChangeOfTheTimeZoneMustNotRotate(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		spec := func(s string) rotator.Schedule {
			p, err := cron.ParseStandard(s)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		w.policy.Schedule = spec("CRON_TZ=UTC 0 3 1 1,4,7,10 *")
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Until(time.Date(2000, 4, 1, 3, 0, 0, 0, time.UTC)))
		first := mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Until(time.Date(2000, 4, 2, 4, 0, 0, 0, time.UTC)))
		mustSettle(t, w.start().run(rotator.Request{})) // grace over
		w.policy.Schedule = spec("CRON_TZ=America/New_York 0 3 1 1,4,7,10 *")
		res := mustSettle(t, w.start().run(rotator.Request{}))
		if res.Rotated {
			t.Errorf("key %s, %s old, was replaced by %s", first.KeyID, "24 h", res.KeyID)
		}
	})
}

// Stores are swapped in mid-rotation.
func swapped(t *testing.T, strike string, after bool) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		if after {
			in.hook = losingAnswer(strike)
		} else {
			in.hook = failing(strike, errStruck)
		}
		in.run(rotator.Request{})
		w.stores[0], w.stores[1] = w.stores[1], w.stores[0]
		w.current[0], w.current[1] = w.current[1], w.current[0]
		w.settle()
		w.check("swapped after " + strike)
	})
}
