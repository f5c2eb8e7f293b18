package rotator_test

// Nothing is done that the trail does not tell of before; and no key is lost for that.

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// fullFrom lets so many lines on the trail, and no more.
func fullFrom(lines int) rotatortest.Hook {
	return func(call string, when rotatortest.When) error {
		if when == rotatortest.After || call != "intent" && call != "outcome" {
			return nil
		}
		if lines--; lines < 0 {
			return rotatortest.ErrInjected
		}
		return nil
	}
}

// The disk of the trail fills up at any line of a rotation, and there is room again an hour
// later.
func TestAFullTrailLosesNoKeyAndWastesNone(t *testing.T) {
	for lines := range 11 { // of the 12 that there are, all but the last outcome
		story(t, 2, func(t *testing.T, w *world) {
			w.Begin("rotation")
			w.Trailed = true
			creates := w.Instantly.Creates
			in := w.Start()
			in.Hook = fullFrom(lines)
			res := in.Run(rotator.Request{})
			if !errors.Is(res.Err, rotator.ErrTrail) {
				t.Fatalf("%d lines: err = %v, steps %s", lines, res.Err, in.Steps())
			}
			if f := w.failure(); f.Count != 0 {
				t.Errorf("%d lines: a failure was noted down without an intent: %+v", lines, f)
			}
			time.Sleep(time.Hour)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			if n := w.Instantly.Creates - creates; n != 1 {
				t.Errorf("%d lines: %d keys were issued for one rotation", lines, n)
			}
			w.Settle()
		})
	}
}

// With a key in hand, which is in memory alone, the full trail does not keep it from the
// store; it is not promoted.
func TestAKeyInHandIsStoredThoughTheTrailIsFull(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Begin("rotation")
		w.Trailed = true
		old := currentValue(w.stores[0])
		in := w.Start()
		in.Hook = fullFrom(4) // reserve and issue, each with its outcome
		res := in.Run(rotator.Request{})
		_, pending := w.Snapshot(0).Versions[secretstore.Pending]
		if !errors.Is(res.Err, rotator.ErrTrail) || !pending || currentValue(w.stores[0]) != old {
			t.Errorf("err = %v, pending %v, steps %s", res.Err, pending, in.Steps())
		}
	})
}

// told keeps what the trail is told.
type told struct {
	effects  []rotator.Effect
	outcomes map[int]rotator.Outcome
}

func (l *told) Intend(e rotator.Effect) (func(rotator.Outcome), error) {
	n := len(l.effects)
	l.effects = append(l.effects, e)
	return func(o rotator.Outcome) { l.outcomes[n] = o }, nil
}

func TestTheTrailTellsWhatWasDoneAndWhatShowsIt(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Begin("rotation")
		old := w.Snapshot(0).Versions[secretstore.Current].ID
		trail := &told{outcomes: map[int]rotator.Outcome{}}
		in := w.StartWith(rotator.Options{Trail: trail})
		mustSettle(t, in.Run(rotator.Request{}))
		time.Sleep(graceOver)
		mustSettle(t, in.Run(rotator.Request{}))
		mustSettle(t, in.Run(rotator.Request{}))
		var verbs []string
		final := 0
		for i, e := range trail.effects {
			verbs = append(verbs, string(e.Verb))
			if o, ok := trail.outcomes[i]; !ok || o.Err != nil {
				t.Errorf("%s has no outcome, or %v", e.Verb, o.Err)
			}
			if e.Final {
				final++
			}
			cur := w.Snapshot(0).Versions[secretstore.Current].ID
			switch e.Verb {
			case rotator.Issue:
				if trail.outcomes[i].KeyID != cur || e.Account == "" || e.Spec == "" {
					t.Errorf("issue: %+v, %+v", e, trail.outcomes[i])
				}
			case rotator.Promote:
				if e.KeyID != cur || e.Previous != old || e.Proof == nil || e.Proof.Verdict != rotator.Valid || e.Proof.KeyID != cur {
					t.Errorf("promote: %+v %+v", e, e.Proof)
				}
			case rotator.Revoke:
				if e.KeyID != old || e.Proof == nil || e.Proof.KeyID != cur || e.Proof.Verdict != rotator.Valid || e.Since.IsZero() {
					t.Errorf("revoke: %+v %+v", e, e.Proof)
				}
			case rotator.Destroy:
				if e.KeyID != old || e.Proof == nil || e.Proof.Verdict != rotator.Invalid || !errors.Is(e.Proof.Err, rotatortest.ErrDead) {
					t.Errorf("destroy: %+v %+v", e, e.Proof)
				}
			default:
			}
		}
		if got := strings.Join(verbs, " "); got != "reserve issue stage promote revoke destroy" || final != 3 {
			t.Errorf("%d waits for the disk; told: %s", final, got)
		}
	})
}

// A key that never became valid is taken back: that succeeded, though the rotation did not. Who
// reads the trail must not look for a key that lives on.
func TestTheTrailTellsThatAUselessKeyIsGone(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Begin("rotation")
		w.Instantly.Activation = 24 * time.Hour
		trail := &told{outcomes: map[int]rotator.Outcome{}}
		res := w.StartWith(rotator.Options{Trail: trail}).Run(rotator.Request{})
		if !errors.Is(res.Err, rotator.ErrNeverValid) || len(res.Discarded) != 1 {
			t.Fatalf("err = %v, discarded %v", res.Err, res.Discarded)
		}
		for i, e := range trail.effects {
			if e.Verb == rotator.Discard && trail.outcomes[i].Err == nil {
				return
			}
			if o := trail.outcomes[i]; o.Err != nil {
				t.Errorf("%s: the trail says %v", e.Verb, o.Err)
			}
		}
		t.Error("the trail does not tell that the key was taken back")
	})
}
