package status

import (
	"errors"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// End is how a run over a target ended, in one word.
type End string

// The ends. Where several hold, the first of this list is told.
const (
	// StoodBack: another instance is at it, and goes on.
	StoodBack End = "stood-back"
	// RunFailed: something is in the way.
	RunFailed End = "failed"
	// InBackoff: a due rotation waits only because the last attempts failed.
	InBackoff End = "in-backoff"
	// CutOff: it was told to end; the next run goes on.
	CutOff End = "interrupted"
	// Rotated: a new key is current.
	Rotated End = "rotated"
	// Answered: the incident was resolved before; nothing was done for it.
	Answered End = "answered"
	// Delayed: a due rotation waits.
	Delayed End = "waiting"
	// Settled: there is nothing to do now.
	Settled End = "settled"
)

// Outcome is what a run did to a target, as "rotate -o json" prints it, with the picture
// of the target that it left.
type Outcome struct {
	Target string `json:"target"`
	Result End    `json:"result"`
	// KeyID is the primary's current key.
	KeyID string `json:"key_id,omitempty"`
	// Revoked are old keys, Swept those that nothing referred to, Discarded new ones
	// that could not be used.
	Revoked   []string `json:"revoked,omitempty"`
	Swept     []string `json:"swept,omitempty"`
	Discarded []string `json:"discarded,omitempty"`
	// Forgotten are old keys that live on, have no record any more, and are only a
	// person's to revoke.
	Forgotten []string `json:"forgotten,omitempty"`
	// Dead are old keys that were seen refused.
	Dead []Death `json:"dead,omitempty"`
	// CarriedOnAs is what the incident is called on record, where another one was open too.
	CarriedOnAs string `json:"carried_on_as,omitempty"`
	// Waived: it was noted that consumers of the current key are not waited for.
	Waived bool   `json:"waived,omitempty"`
	Error  string `json:"error,omitempty"`
	Hint   string `json:"hint,omitempty"`
	Status Target `json:"status"`
}

// Death is the proof that an old key is dead.
type Death struct {
	KeyID     string    `json:"key_id"`
	RefusedAt time.Time `json:"refused_at"`
}

// OutcomeOf draws the picture of how a run ended.
func OutcomeOf(r rotator.Result, now time.Time) Outcome {
	o := Outcome{
		Target: r.Target, Result: endOf(r), KeyID: r.KeyID, Revoked: r.Revoked, Swept: r.Swept, Discarded: r.Discarded,
		CarriedOnAs: r.CarriedOnAs, Waived: r.Waived, Status: Of(r.Status, now),
	}
	for _, d := range r.Dead {
		o.Dead = append(o.Dead, Death{d.KeyID, d.At.UTC()})
	}
	for _, k := range r.Forgotten {
		o.Forgotten = append(o.Forgotten, k.ID)
	}
	if r.Err != nil {
		o.Error, o.Hint = r.Err.Error(), remedy.For(r.Err, r.Target)
	}
	o.Status.NextAt = humantime.Optional(r.Next)
	return o
}

func endOf(r rotator.Result) End {
	switch {
	case errors.Is(r.Err, rotator.ErrLostRace):
		return StoodBack
	case r.Err != nil:
		return RunFailed
	case r.Failing:
		return InBackoff
	case r.Interrupted:
		return CutOff
	case r.Rotated:
		return Rotated
	case r.Answered:
		return Answered
	case r.Waiting:
		return Delayed
	default:
		return Settled
	}
}
