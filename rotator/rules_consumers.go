package rotator

import (
	"fmt"
	"time"
)

// gateResult is what a gate said in this run.
type gateResult struct {
	key string // that it was asked about
	err error
}

// gateInterval is how often a gate is asked that consumers have not passed.
const gateInterval = 30 * time.Second

// converge brings consumers to the current key, once every store has it, and
// finds out whether they have moved. It keeps nothing from happening but the
// revocation of the old key: see [view.gateOpen].
func (v *view) converge() answer {
	cur, ok := v.current(0)
	if !ok || cur.Foreign || v.dead() || v.ReadOnly || (!v.Rotated && len(v.old()) == 0) {
		return pass()
	}
	if _, ok := v.unreadable(); ok {
		return pass()
	}
	closed := pass()
	for i, g := range v.Gates {
		if g.key != cur.ID {
			return act(Step{Verb: Converge, Gate: i, ID: cur.ID, Reason: "bring consumers to the new key"})
		}
		if g.err != nil {
			closed = wait(v.now.Add(gateInterval), "ask whether the consumers have moved")
		}
	}
	return closed
}

// gateOpen keeps an old key alive until the consumers have moved. In an incident
// nobody is waited for.
func (v *view) gateOpen() answer {
	for _, g := range v.Gates {
		if g.err != nil && !v.emergency() {
			return stop(g.err)
		}
	}
	return pass()
}

// surveyed is what the targets say that this one is kept apart from.
type surveyed struct {
	done bool
	busy bool      // one of them is being rotated by this process
	last time.Time // the newest promotion among them, or rotation that was begun
	name string    // whose that is
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
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
