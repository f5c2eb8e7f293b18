package rotator

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// decide names the next step, from what is known and nothing else. It does no
// I/O and is the only place where it is decided what happens to a key.
//
// The rules are asked in turn; the first that wants a step gets it. If none does, the
// run is settled until the earliest instant that a rule waits for.
func decide(now time.Time, s State, p Policy, r Request) Step {
	return (&view{now: now, State: s, policy: p, request: r}).ask(rules())
}

// ask asks rules in turn.
func (v *view) ask(rules []rule) Step {
	for _, rule := range rules {
		switch a := rule(v); {
		case a.step != nil:
			return *a.step
		case a.wait != nil:
			v.waits = append(v.waits, *a.wait)
		}
	}
	return settled(v.waits)
}

type rule func(*view) answer

// rules in the order in which they are asked.
func rules() []rule {
	return []rule{
		(*view).declare,       // first: an incident must be on record before anything that can fail
		(*view).witness,       // before the keys are listed, which takes longer: is a compromised key dead?
		(*view).observe,       // all others need to know the keys and the stores
		(*view).blind,         // without the primary, or in another organization, nothing is to be touched
		(*view).lost,          // nor where a store was; before sweep, which would take its keys for orphans
		(*view).inHand,        // before all writes: a value that is in memory only is lost with the process
		(*view).mendSinks,     // what it may have done to a sink is put right before
		(*view).standBack,     // who lost a race leaves the rest to the winner; but a key in hand is given up first
		(*view).adopt,         // before pending, which makes use of what was issued
		(*view).foreign,       // before it is displaced, and perhaps forgotten
		(*view).pending,       // what was issued is made use of before anything else is begun
		(*view).assumed,       // as soon as it is current: all that is done for the workspace is done with it
		(*view).alive,         // deliver and retire must know whether the current key works
		(*view).waive,         // before converge, which asks consumers
		(*view).deliver,       // before converge and retire: followers' consumers need the key first
		(*view).supply,        // after deliver: a sink is never the first, nor the only one to have a key
		(*view).converge,      // consumers can only move to a key that every store has
		(*view).retire,        // after all that the old key's end waits for
		(*view).resolve,       // once nothing of before the incident is left
		(*view).urgent,        // a dead key is replaced before anything is tidied up
		(*view).sweep,         // before a rotation: no attempt leaves two orphans
		(*view).startRotation, // when nothing of the one before is left to do
		(*view).hindered,      // what could not be mended, after what may mend it
		(*view).blocked,       // all that could be done without the store has been done
		(*view).troubled,      // what a rotation may have mended, and nothing else would tell
		(*view).forgive,       // last: nothing failed, and nothing waits for a failure
	}
}

// view is what the rules see.
type view struct {
	now time.Time
	State
	policy  Policy
	request Request
	waits   []waiting // what the rules asked so far wait for
}

// observe reads what is not known yet: the keys first, the stores after, or beside
// them where somebody waits. See sweep for why in that order.
func (v *view) observe() answer {
	if v.Listed == 0 {
		return act(Step{Verb: List, Reason: "read the workspace's keys"})
	}
	if !v.observed() {
		return act(Step{Verb: Observe, Reason: "read the stores"})
	}
	return pass()
}

// blind stops where not even the primary can be read, or where a key is of
// another organization than the admin key.
func (v *view) blind() answer {
	if err := v.primary().Err; err != nil {
		return stop(fmt.Errorf("store %s: %w", v.primary().Name, err))
	}
	for _, st := range v.Stores {
		for _, ver := range st.Versions {
			if ver.Account != "" && v.Account != "" && ver.Account != v.Account {
				return stop(fmt.Errorf("%w: store %s holds key %s of organization %s, the admin key belongs to %s",
					ErrOrganization, st.Name, ver.ID, ver.Account, v.Account))
			}
		}
	}
	return pass()
}

// observed tells whether every store was read, or was tried to be read.
func (v *view) observed() bool {
	return !slices.ContainsFunc(v.Stores, func(st StoreState) bool { return st.Seen == 0 })
}

// standBack ends the run of an instance that lost a race: the winner goes on. What
// it reserved all the same must not be taken for a reason to rotate later.
func (v *view) standBack() answer {
	if v.FailedReservation != "" && v.FailedReservation == v.primary().Notes.Intent.Nonce {
		return act(Step{Verb: Cancel, Reason: "begun by a view that was out of date"})
	}
	if v.LostRace == nil {
		return pass()
	}
	return stop(fmt.Errorf("%w: %w", ErrLostRace, v.LostRace))
}

// blocked ends the run with an error where a store could not be read: all that
// could be done without it has been done.
func (v *view) blocked() answer {
	if st, ok := v.unreadable(); ok {
		return stop(fmt.Errorf("store %s: %w", st.Name, st.Err))
	}
	return pass()
}

// urgent replaces a dead current key before anything else is tidied up.
func (v *view) urgent() answer {
	if !v.dead() {
		return pass()
	}
	return v.startRotation()
}

// hindered tells at last what a rule could not mend now.
func (v *view) hindered() answer {
	for _, w := range v.waits {
		if w.trouble != nil {
			return act(*w.trouble)
		}
	}
	return pass()
}

// troubled tells at last that a store is not as it should be, though nothing had to be
// written to it, or read from it, now.
func (v *view) troubled() answer {
	for _, st := range v.Stores {
		if st.Trouble != nil {
			return stop(fmt.Errorf("store %s: %w", st.Name, st.Trouble))
		}
	}
	return pass()
}

// forgive clears the record of failures once the target is settled.
func (v *view) forgive() answer {
	if v.primary().Notes.Failure.Count == 0 || settled(v.waits).Failing {
		return pass()
	}
	return act(Step{Verb: Clear, Reason: "what failed before has been made good"})
}

// tested gives the newest test of the version id in store i, if it is fresh, by the clock on the
// wall: the other one stands still while a machine sleeps.
func (v *view) tested(i int, id string) (test, bool) {
	t, ok := v.Tests[place{i, id}]
	if age := v.now.Round(0).Sub(t.At.Round(0)); !ok || age > fresh || age < 0 {
		return test{Tries: t.Tries}, false
	}
	return t, true
}

// again makes the test call at a place once more, after a pause; until that is given up.
func again(verb Verb, store int, id string, t test, until time.Time, reason string) answer {
	return act(Step{Verb: verb, Store: store, ID: id, At: t.At.Add(pause(t.Tries)), Since: t.First, Until: until, Reason: reason})
}

// inconclusive stops on an indeterminate verdict.
func inconclusive(while Verb, id string, t test) answer {
	err := fmt.Errorf("key %s: %w: %w", id, ErrIndeterminate, t.Err)
	return act(Step{Verb: Stop, While: while, ID: id, Err: err, Reason: err.Error()})
}

// within tells whether now is before from+budget. A clock may have been wrong:
// what began in the future began now.
func (v *view) within(from time.Time, budget time.Duration) bool {
	return !v.now.Before(from) && v.now.Before(from.Add(budget))
}

// graceEnd tells when the grace period of the displaced keys is over: counted
// from the promotion in the store that took the current key last, or from when the last
// sink was given it. known is false if the primary has no current key, a store cannot say
// when it promoted its own, or a sink is not on record as having it.
func (v *view) graceEnd() (end time.Time, known bool) {
	grace := v.policy.Grace
	if cur, ok := v.current(0); ok && !cur.Foreign {
		grace = cur.Intent.Grace
	}
	if at, known := v.receiptedAll(v.primary().Versions[secretstore.Current].ID); !known {
		return time.Time{}, false
	} else if !at.IsZero() {
		end = at.Add(grace)
	}
	for i := range v.Stores {
		cur, ok := v.current(i)
		if !ok && i > 0 {
			continue // nobody reads a key there
		}
		if !ok || cur.Promoted.IsZero() {
			return time.Time{}, false
		}
		if e := cur.Promoted.Add(grace); e.After(end) {
			end = e
		}
	}
	return end, true
}

// old gives the displaced versions of ours that are still somewhere, the
// primary's first.
func (v *view) old() []secretstore.Version {
	var olds []secretstore.Version
	seen := map[string]bool{}
	for _, st := range v.Stores {
		ver, ok := st.Versions[secretstore.Previous]
		if ok && !ver.Foreign && !seen[ver.ID] {
			seen[ver.ID] = true
			olds = append(olds, ver)
		}
	}
	return olds
}

// enough is how many refusals in a row say that a key is dead: one alone may be a
// slip of the API.
const enough = 3

// refused tells whether a key was refused often enough to be given up.
func refused(t test) bool { return isInvalid(t) && t.Refused >= enough }

func isValid(t test) bool   { return t.Verdict == Valid }
func isInvalid(t test) bool { return t.Verdict == Invalid }
