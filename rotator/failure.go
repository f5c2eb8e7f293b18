package rotator

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// recordable tells whether a failure is one of an attempt: those count for
// backoff. What could not be read, what a person has to undo, and what is no
// failure at all costs nothing to try again, and shows in every run.
func recordable(step Step, err error) bool {
	if step.Verb == Stop {
		return matches(err, func(c Class) bool { return c.Attempt })
	}
	return step.Verb.action().retried && !errors.Is(err, ErrLostRace)
}

// recordFailure writes the failure beside the secret, for backoff and for
// whoever asks. Best effort: if the store cannot take it, the error is told all
// the same.
func (r *run) recordFailure(ctx context.Context, step Step, err error) {
	if !recordable(step, err) || errors.Is(err, ErrTrail) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.StepTimeout)
	defer cancel()
	r.readStores(ctx) // what the failed step left is not known
	if r.primary().Err != nil || r.takenOver() || r.ofSinksOnly(err) {
		return
	}
	notes := r.primary().Notes
	if r.FailedReservation != "" && notes.Intent.Nonce == r.FailedReservation {
		notes.Intent = secretstore.Intent{} // whoever comes next decides by what is there then
	}
	if notes.Failure.Step == string(Supply) && tried(step) != Supply {
		notes.Failure = secretstore.Failure{} // how often sinks failed is no reason for a rotation to wait
	}
	notes.Failure = secretstore.Failure{
		Count: notes.Failure.Count + 1, At: r.now(), Step: string(tried(step)), Reason: shorten(err.Error()),
	}
	done, err := r.intend(Step{Verb: noteFailure, Reason: notes.Failure.Reason})
	if err == nil {
		done(r.annotate(ctx, notes))
	}
}

// tried is what a step, or the one it stopped at, was to do.
func tried(s Step) Verb {
	if s.While != "" {
		return s.While
	}
	return s.Verb
}

// takenOver tells whether another instance goes on in the place of this one: a
// write would only get in its way.
func (r *run) takenOver() bool {
	nonce := r.primary().Notes.Intent.Nonce
	return r.nonce != "" && nonce != "" && nonce != r.nonce
}

// shorten cuts a reason to what stores take, at a character's border, and to one
// line of plain text: people see it in tables.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) <= secretstore.MaxReason {
		return s
	}
	cut := 0
	for i := range s {
		if i > secretstore.MaxReason-len("…") {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}
