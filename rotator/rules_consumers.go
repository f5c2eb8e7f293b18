package rotator

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// gateResult is what a gate said in this run.
type gateResult struct {
	of  Move // that it was asked about
	err error
}

// How often a gate is asked that consumers have not passed: the longer they have not, the
// seldomer, so that a rollout that is stuck for days does not cost a run every half minute.
const (
	gateInterval        = 30 * time.Second
	longestGateInterval = 30 * time.Minute
	gateShare           = 20 // at most a 20th later than they passed
)

// converge brings consumers to the current key, once every store has it, and
// finds out whether they have moved. It keeps nothing from happening but the
// revocation of the old key: see [view.gateOpen].
func (v *view) converge() answer {
	cur, ok := v.current(0)
	if !ok || cur.Foreign || v.dead() || v.ReadOnly || v.waived() || (!v.Rotated && len(v.toRetire()) == 0) {
		return pass()
	}
	if _, ok := v.unreadable(); ok {
		return pass()
	}
	closed := pass()
	for i, g := range v.Gates {
		if !v.isAnswer(g, cur.ID) {
			return act(Step{Verb: Converge, Gate: i, ID: cur.ID, Reason: "bring consumers to the new " + v.noun()})
		}
		if g.err == nil {
			continue
		}
		if at := v.askAgain(g); closed.passes() || at.Before(closed.wait.until) {
			closed = wait(at, "ask whether the consumers have moved")
		}
	}
	return closed
}

// askAgain is when a gate is worth asking again that consumers have not passed.
func (v *view) askAgain(g gateResult) time.Time {
	since, _ := v.delivered()
	waited := max(0, v.now.Sub(since))
	at := v.now.Add(min(max(gateInterval, waited/gateShare), longestGateInterval))
	if again := (*AskAgainError)(nil); errors.As(g.err, &again) && again.At.After(at) {
		return again.At
	}
	return at
}

// isAnswer tells whether a gate said it of this key, as the stores have it now: one that got the
// key anew since may have given consumers another one meanwhile, and an old key that only now
// came to light is one that the gate was not asked about.
func (v *view) isAnswer(g gateResult, keyID string) bool {
	m := v.move(keyID)
	isNews := func(old string) bool { return !slices.Contains(g.of.Old, old) }
	return g.of.KeyID == keyID && !m.Since.After(g.of.Since) && !slices.ContainsFunc(m.Old, isNews)
}

// move is what gates are asked about.
func (v *view) move(keyID string) Move {
	isNew := func(id string) bool { return id == keyID } // a store that was changed by hand may have displaced it, too
	return Move{KeyID: keyID, Since: v.since(), Old: slices.DeleteFunc(v.toRetire(), isNew)}
}

// since is when the last store took the current key; zero if one cannot say.
func (v *view) since() time.Time {
	if at, known := v.delivered(); known {
		return at
	}
	return time.Time{}
}

// delivered is when the last store took the current key, of those that can say; known if all
// can.
func (v *view) delivered() (at time.Time, known bool) {
	known = true
	for i := range v.Stores {
		cur, ok := v.current(i)
		known = known && (!ok || !cur.Promoted.IsZero())
		if ok && cur.Promoted.After(at) {
			at = cur.Promoted
		}
	}
	return at, known
}

// waive notes down that the consumers of the current key are not waited for, where
// somebody said so and an old key lives for them.
func (v *view) waive() answer {
	cur, ok := v.current(0)
	if v.request.SkipGates == "" || v.Rotated || len(v.Gates) == 0 || !ok || cur.Foreign || v.waived() || len(v.toRetire()) == 0 {
		return pass()
	}
	return act(Step{Verb: Waive, ID: cur.ID, Reason: "its consumers are not waited for: " + shorten(v.request.SkipGates)})
}

// waived tells whether somebody said that the consumers of the current key are not waited
// for.
func (v *view) waived() bool {
	cur, ok := v.current(0)
	return ok && v.primary().Notes.Waiver.KeyID == cur.ID
}

// gateOpen keeps an old key alive until the consumers have moved to the current one: a gate that
// was not asked about it says nothing. In an incident nobody is waited for. Who only reads does
// not ask: then a run has to.
func (v *view) gateOpen() answer {
	if v.emergency() || v.waived() {
		return pass()
	}
	cur, _ := v.current(0)
	for i, g := range v.Gates {
		switch {
		case v.ReadOnly || !v.isAnswer(g, cur.ID):
			return act(Step{Verb: Converge, Gate: i, ID: cur.ID, Reason: "ask whether its consumers have moved"})
		case g.err != nil:
			return stop(g.err)
		}
	}
	return pass()
}

// surveyed is what the targets say that this one is kept apart from.
type surveyed struct {
	done  bool
	first time.Time // when it was first asked for
	busy  bool      // one of them is being rotated by this process
	last  time.Time // the newest promotion among them, or rotation that was begun
	name  string    // whose that is

	replacement replacement // of the credential
}

// apart keeps related targets from getting new keys one right after the other.
func (v *view) apart() answer {
	if _, ok := v.current(0); !ok || v.policy.Apart <= 0 || v.Peers == 0 || v.pressing() {
		return pass() // a first key does not put the others' consumers at risk
	}
	if !v.Survey.done {
		return act(Step{Verb: Survey, Reason: "were related keys rotated a short while ago?"})
	}
	until := v.Survey.last.Add(v.policy.Apart)
	if v.Survey.busy {
		until = v.now.Add(gateInterval)
	}
	if v.Survey.last.IsZero() && !v.Survey.busy || !v.now.Before(until) {
		return pass()
	}
	return delay(until, "kept apart from "+v.Survey.name)
}

func gateError(name string, err error) error {
	if err == nil || errors.Is(err, ErrGateOpen) {
		return named(name, err)
	}
	return named(name, fmt.Errorf("%w: %w", ErrGateUnknown, err))
}

func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
