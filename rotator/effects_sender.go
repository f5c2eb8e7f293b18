package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// sends is what a run keeps of the senders beside its State: their values.
type sends struct {
	seen []Sender // in the order of State.Senders
	// before are the values that senders sent before this run switched them.
	before map[string]secret.Value
}

// compareSenders reads what the senders send, and compares it with what the primary has.
func (r *run) compareSenders(ctx context.Context, _ Step) error {
	at := r.tick()
	current, previous, err := r.storedValues(ctx)
	if err != nil {
		return err
	}
	seen, err := r.target.Senders.Senders(ctx)
	if err != nil {
		return err
	}
	states := make([]SenderState, 0, len(seen))
	var others []secret.Value
	for _, s := range seen {
		state := SenderState{ID: s.ID, Name: s.Name, Off: s.Off, Before: r.offBefore(s)}
		switch {
		case s.Value.IsZero():
			state.Carries = CarriesNothing
		case s.Value.Equal(current):
			state.Carries = CarriesCurrent
		case s.Value.Equal(previous):
			state.Carries = CarriesPrevious
		default:
			state.Carries = CarriesOther
			others = withValue(others, s.Value)
		}
		if state.ForSecret, err = r.turnedOffForSecret(ctx, s); err != nil {
			return err
		}
		states = append(states, state)
	}
	r.sends.seen = seen
	r.Senders, r.Values, r.Against, r.SendersSeen = states, len(others), r.against(), at
	return nil
}

// storedValues reads the current and the previous value from the primary, once a run each.
func (r *run) storedValues(ctx context.Context) (current, previous secret.Value, err error) {
	for stage, value := range map[secretstore.Stage]*secret.Value{secretstore.Current: &current, secretstore.Previous: &previous} {
		ver, ok := r.primary().Versions[stage]
		if !ok {
			continue
		}
		if *value, err = r.storedValue(ctx, ver.ID); err != nil {
			return current, previous, err
		}
	}
	return current, previous, nil
}

func (r *run) storedValue(ctx context.Context, id string) (secret.Value, error) {
	if value, ok := r.read[place{0, id}]; ok {
		return value, nil
	}
	value, _, err := r.readBack(ctx, Step{ID: id})
	return value, err
}

// withValue adds a value that is not among values yet.
func withValue(values []secret.Value, value secret.Value) []secret.Value {
	for _, v := range values {
		if v.Equal(value) {
			return values
		}
	}
	return append(values, value)
}

// turnedOffForSecret tells whether a sender is off since its deliveries were refused for the
// secret: the last before it was turned off, however many rotations ago that was.
func (r *run) turnedOffForSecret(ctx context.Context, s Sender) (bool, error) {
	if !s.Off || s.OffSince.IsZero() {
		return false, nil
	}
	refused, err := r.target.Senders.Refused(ctx, s, s.OffSince.Add(-clockMargin))
	if err != nil {
		return false, fmt.Errorf("%s: why is it off? %w", s.Name, err)
	}
	return refused, nil
}

// offBefore tells whether a sender was off when the rotation of the current value began.
func (r *run) offBefore(s Sender) bool {
	cur, ok := r.current(0)
	return s.Off && ok && s.OffSince.Before(born(cur).Add(-clockMargin))
}

// switchSender has a sender send the current value. The promotion is written down once more
// before that, as of the latest instant at which the switch can be made: the grace period
// counts from there, and whoever decides on an older snapshot can destroy nothing.
func (r *run) switchSender(ctx context.Context, s Step) error {
	value, err := r.storedValue(ctx, s.ID)
	if err != nil {
		return err
	}
	_, err = r.setSender(ctx, s, value)
	return err
}

// switchBack has a sender send the previous value again, or what it sent before this run
// switched it. The error of the step is told when that is done.
func (r *run) switchBack(ctx context.Context, s Step) error {
	seen := r.sends.seen[s.Sender]
	value := r.sends.before[seen.ID]
	if ver, ok := r.primary().Versions[secretstore.Previous]; ok {
		var err error
		if value, err = r.storedValue(ctx, ver.ID); err != nil {
			return err
		}
	}
	if r.FirstBack.IsZero() {
		r.FirstBack = r.now()
	}
	if asked, err := r.setSender(ctx, s, value); !asked || err != nil || r.Trouble != nil {
		return err
	}
	r.InDoubt = false
	return made(s)
}

// setSender has a sender send a value, and tells whether it was asked to. What it sends after an
// error only a reading tells.
func (r *run) setSender(ctx context.Context, s Step, value secret.Value) (asked bool, err error) {
	cur, _ := r.current(0)
	bound := promotionBound(r.graceOf(Step{ID: cur.ID}))
	begun := r.wallClock()
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	at := r.tick()
	snap, err := r.target.Stores[0].Promote(bounded, r.primary().Snapshot, cur.ID, begun.Add(bound))
	if err := r.notedSwitch(snap, at, err); err != nil {
		return false, err
	}
	seen := r.sends.seen[s.Sender]
	r.SendersSeen = 0
	if r.wallClock().Sub(begun) > bound { // the machine slept: what was decided on is old
		return false, nil
	}
	r.rememberSent(seen, r.Senders[s.Sender].Carries)
	err = r.noteSwitch(seen, r.target.Senders.Switch(bounded, seen, value))
	if r.wallClock().Sub(begun) > bound { // it slept now: the grace period begins later than is noted
		at = r.tick()
		snap, late := r.promoteLate(ctx, r.primary().Snapshot, Step{ID: cur.ID}, bound, nil)
		if late := r.notedSwitch(snap, at, late); late != nil {
			return true, late
		}
	}
	return true, err
}

// notedSwitch keeps what the primary store says after the time of a switch was noted there.
func (r *run) notedSwitch(snap secretstore.Snapshot, at moment, err error) error {
	if err := r.wrote(0, snap, at, err); err != nil {
		return err
	}
	noted, _ := r.current(0)
	r.Settled, r.Noted = noted.ID, noted.Promoted
	return nil
}

// rememberSent keeps what a sender sent before this run switched it for the first time.
func (r *run) rememberSent(seen Sender, carries Carries) {
	if r.sends.before == nil {
		r.sends.before = make(map[string]secret.Value)
	}
	if _, known := r.sends.before[seen.ID]; !known {
		r.sends.before[seen.ID] = seen.Value
		r.HadOther[seen.ID] = carries == CarriesNothing || carries == CarriesOther
	}
	r.Switched[seen.ID], r.InDoubt = true, true
	delete(r.Confirmed, seen.ID)
}

// noteSwitch lets the rules decide after a switch that failed: it may have been made all the
// same. One that fails again and again ends the run.
func (r *run) noteSwitch(seen Sender, err error) error {
	if err == nil {
		r.Trouble, r.Tries = nil, 0
		return nil
	}
	r.Trouble = fmt.Errorf("%s: %w", seen.Name, err)
	if r.Tries++; r.Tries >= enough && !errors.Is(err, ErrByHand) {
		return r.Trouble
	}
	return nil
}

// confirm has a test delivery sent, and asks how real ones fare.
func (r *run) confirm(ctx context.Context, s Step) error {
	at, begun := r.tick(), r.now()
	seen := r.sends.seen[s.Sender]
	got := r.target.Senders.Confirm(ctx, seen, r.switchedSince(seen))
	r.InDoubt = got.Verdict == Invalid
	t := r.Confirmed[seen.ID]
	t.TestCall, t.At, t.Seq, t.Tries = got, begun, at, t.Tries+1
	r.Confirmed[seen.ID] = t
	return nil
}

// switchedSince is since when refusals count against what a sender sends. Another process's
// clock may be ahead of the one by which deliveries are recorded; in an incident nobody waits
// for that. Where there is no previous value to go back to, what late readers have refused
// says nothing once all have read, and nor does what is older than the grace period.
func (r *run) switchedSince(s Sender) time.Time {
	v := r.view()
	_, back := r.primary().Versions[secretstore.Previous]
	at, known := v.settledAt()
	switch {
	case !back && !r.HadOther[s.ID] && known && !r.now().Before(at):
		return later(at, r.now().Add(-r.target.Policy.Grace))
	case r.Switched[s.ID] || v.emergency():
		return v.switchedFrom()
	default:
		return v.switchedFrom().Add(-clockMargin)
	}
}

func (r *run) resume(ctx context.Context, s Step) error {
	seen := r.sends.seen[s.Sender]
	r.SendersSeen = 0
	if err := r.target.Senders.Resume(ctx, seen); err != nil {
		return fmt.Errorf("%s: %w", seen.Name, err)
	}
	return nil
}

// take takes over the value that the senders send, for the intent that was noted for it.
func (r *run) take(_ context.Context, _ Step) error {
	intent := r.primary().Notes.Intent
	r.Reserved = ""
	for i, s := range r.Senders {
		if s.Carries == CarriesOther {
			r.tick()
			r.InHand = &InHand{ID: NewID(), Nonce: intent.Nonce, Issued: r.now()}
			r.value = r.sends.seen[i].Value
			return nil
		}
	}
	return fmt.Errorf("%w: the webhooks send another value by now", ErrNotAdopted)
}
