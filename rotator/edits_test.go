package rotator_test

// Edits of the configuration between any two runs.

import (
	"slices"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
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
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(rotatortest.Interval - time.Hour)
		in := w.Start()
		in.Hook = losingAnswer("create")
		in.Run(rotator.Request{RotateSince: time.Now()})
		w.swap()
		time.Sleep(time.Hour)
		for range 5 {
			w.Start().Run(rotator.Request{})
			time.Sleep(graceOver)
		}
		w.swap()
		in = w.Start()
		if res := in.Run(rotator.Request{}); res.Rotated || res.Err != nil {
			t.Errorf("%s: rotated %v because %q: %v", in.Steps(), res.Rotated, in.ReasonOf(rotator.Reserve), res.Err)
		}
	})
}

// Another store is made the primary while an incident is open: the former one, which follows now, has it on record.
func TestAnOpenIncidentOutlivesAnotherOrderOfStores(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		in := w.Start()
		in.Hook = failing("create", rotatortest.ErrInjected)
		_ = in.Run(rotator.Request{Incident: "INC-8", IgnoreBackoff: true})
		w.swap()
		in = w.Start()
		if o := in.Rotator.Glance(t.Context(), []rotator.Target{in.Target()}, rotator.Request{})[0]; o.Incident.ID != "INC-8" {
			t.Errorf("status knows of no incident: %+v", o.Incident)
		}
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if !slices.Equal(res.Revoked, []string{first.KeyID}) || res.Status.Resolved.ID != "INC-8" {
			t.Errorf("revoked %v, resolved %+v; want the leaked key and its incident", res.Revoked, res.Status.Resolved)
		}
		for range 2 { // resolved in one store, still open in the other: it is done with, in either order
			w.swap()
			time.Sleep(time.Hour)
			if res := mustSettle(t, w.Start().Run(rotator.Request{})); res.Rotated || !res.Status.Incident.IsZero() {
				t.Errorf("swapped back: rotated %t, open %+v", res.Rotated, res.Status.Incident)
			}
		}
		if res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-8"})); !res.Answered {
			t.Error("the same order is not answered in the other order of stores")
		}
	})
}

// Grace is shortened while an old key is in its grace; the current one dies and is replaced.
func TestAShortenedGraceMustNotCutAKeyAlreadyInGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Policy.Grace = time.Hour
		time.Sleep(2 * time.Minute)
		w.Instantly.RevokeByHand(rotatortest.KeyID(2))
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour + rotatortest.Late)
		in := w.Start()
		in.Run(rotator.Request{})
	})
}

// The follower takes the new key in the very run that ends the grace of "the old key".
func TestEndGraceMustNotCutAKeyThisRunDisplaced(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("stage@1", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		time.Sleep(time.Hour)
		in = w.Start()
		res := in.Run(rotator.Request{EndGrace: true, RotateSince: time.Now(), IgnoreBackoff: true})
		if slices.Contains(res.Revoked, rotatortest.KeyID(1)) {
			t.Errorf("the key that this run displaced in the follower was revoked: %s", in.Steps())
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
		w.Policy.Schedule = spec("CRON_TZ=UTC 0 3 1 1,4,7,10 *")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Until(time.Date(2000, 4, 1, 3, 0, 0, 0, time.UTC)))
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Until(time.Date(2000, 4, 2, 4, 0, 0, 0, time.UTC)))
		mustSettle(t, w.Start().Run(rotator.Request{})) // grace over
		w.Policy.Schedule = spec("CRON_TZ=America/New_York 0 3 1 1,4,7,10 *")
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if res.Rotated {
			t.Errorf("key %s, %s old, was replaced by %s", first.KeyID, "24 h", res.KeyID)
		}
	})
}

// Stores are swapped after a call of a rotation failed.
func swapped(t *testing.T, call string, after bool) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		if after {
			in.Hook = losingAnswer(call)
		} else {
			in.Hook = failing(call, rotatortest.ErrInjected)
		}
		in.Run(rotator.Request{})
		w.swap()
		w.Settle()
		w.Check("swapped after " + call)
	})
}
