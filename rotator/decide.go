package rotator

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// decide names the next step, from what is known and nothing else. It does no
// I/O and is the only place where it is decided what happens to a key.
//
// The rules are asked in turn; the first that wants a step gets it. A rule that
// must wait says until when by wake, so that Settled knows when to look again.
func decide(now time.Time, s State, p Policy, r Request) Step {
	v := &view{now: now, State: s, policy: p, request: r}
	for _, rule := range []func(*view) (Step, bool){
		(*view).declare,
		(*view).witness,
		(*view).observe,
		(*view).blind,
		(*view).inHand,
		(*view).standBack,
		(*view).pending,
		(*view).alive,
		(*view).deliver,
		(*view).converge,
		(*view).retire,
		(*view).resolve,
		(*view).urgent,
		(*view).sweep,
		(*view).begin,
		(*view).hindered,
		(*view).blocked,
		(*view).forgive,
	} {
		if step, ok := rule(v); ok {
			return step
		}
	}
	return Step{Verb: Settled, At: v.next, Reason: v.why, Failing: v.failing, Waiting: v.waiting}
}

// view is what the rules see, and where they leave when to look again.
type view struct {
	now time.Time
	State
	policy  Policy
	request Request

	next    time.Time // the earliest instant at which something is to be done
	why     string    // what that is
	failing bool      // a due rotation waits only because the last attempts failed
	waiting bool      // a due rotation waits, for whatever reason
	hinder  *Step     // what the rules cannot mend now: told last, see hindered
}

// wake notes that something is to be done at t.
func (v *view) wake(t time.Time, why string) {
	if v.next.IsZero() || t.Before(v.next) {
		v.next, v.why = t, why
	}
}

func stop(err error) (Step, bool) { return Step{Verb: Stop, Err: err, Reason: err.Error()}, true }

func no() (Step, bool) { return Step{}, false }

// observe reads what is not known yet: the keys first, the stores after, or beside
// them where somebody waits. See sweep for why in that order.
func (v *view) observe() (Step, bool) {
	if v.Listed == 0 {
		return Step{Verb: List, Reason: "read the workspace's keys"}, true
	}
	if !v.looked() {
		return Step{Verb: Look, Reason: "read the stores"}, true
	}
	return no()
}

// blind stops where not even the primary can be read, or where a key is of
// another organization than the admin key.
func (v *view) blind() (Step, bool) {
	if err := v.primary().Err; err != nil {
		return stop(fmt.Errorf("store %s: %w", v.primary().Name, err))
	}
	for _, st := range v.Stores {
		for _, ver := range st.Versions {
			if ver.Account != "" && v.Organization != "" && ver.Account != v.Organization {
				return stop(fmt.Errorf("%w: store %s holds key %s of organization %s, the admin key belongs to %s",
					ErrOrganization, st.Name, ver.ID, ver.Account, v.Organization))
			}
		}
	}
	return no()
}

// looked tells whether every store was read, or was tried to be read.
func (v *view) looked() bool {
	return !slices.ContainsFunc(v.Stores, func(st StoreState) bool { return st.Seen == 0 })
}

// standBack ends the run of an instance that lost a race: the winner goes on. What
// it began in vain must not be taken for a reason to rotate later.
func (v *view) standBack() (Step, bool) {
	if v.LostRace == nil {
		return no()
	}
	if v.Vain != "" && v.Vain == v.primary().Notes.Intent.Nonce {
		return Step{Verb: Cancel, Reason: "begun by a view that was out of date"}, true
	}
	return stop(fmt.Errorf("%w: %w", ErrLostRace, v.LostRace))
}

// blocked ends the run with an error where a store could not be read: all that
// could be done without it has been done.
func (v *view) blocked() (Step, bool) {
	if st, ok := v.unreadable(); ok {
		return stop(fmt.Errorf("store %s: %w", st.Name, st.Err))
	}
	return no()
}

// urgent replaces a dead current key before anything else is tidied up.
func (v *view) urgent() (Step, bool) {
	if !v.dead() {
		return no()
	}
	return v.begin()
}

// hindered tells at last why an old key could not be revoked, or a dead one not
// replaced. It must not keep a rotation from beginning, which may be what mends it.
func (v *view) hindered() (Step, bool) {
	if v.hinder == nil {
		return no()
	}
	return *v.hinder, true
}

// forgive clears the record of failures once the target is settled.
func (v *view) forgive() (Step, bool) {
	if v.primary().Notes.Failure.Count == 0 || v.failing {
		return no()
	}
	return Step{Verb: Clear, Reason: "what failed before has been made good"}, true
}

// tested gives the newest test of the version id in store i, if it is fresh.
func (v *view) tested(i int, id string) (test, bool) {
	t, ok := v.Tests[place{i, id}]
	if !ok || v.now.Sub(t.At) > fresh {
		return test{Tries: t.Tries}, false
	}
	return t, true
}

// again makes the test call at a place once more, after a pause.
func again(verb Verb, store int, id string, t test, reason string) (Step, bool) {
	return Step{Verb: verb, Store: store, ID: id, At: t.At.Add(pause(t.Tries)), Reason: reason}, true
}

// inconclusive stops on an indeterminate verdict.
func inconclusive(while Verb, id string, t test) (Step, bool) {
	err := fmt.Errorf("key %s: %w: %w", id, ErrIndeterminate, t.Err)
	return Step{Verb: Stop, While: while, ID: id, Err: err, Reason: err.Error()}, true
}

// within tells whether now is before from+budget. A clock may have been wrong:
// what began in the future began now.
func (v *view) within(from time.Time, budget time.Duration) bool {
	return !v.now.Before(from) && v.now.Before(from.Add(budget))
}

// graceEnd tells when the grace period of the displaced keys is over: counted
// from the promotion in the store that took the current key last. known is
// false if the primary has no current key, or a store cannot say when it
// promoted its own.
func (v *view) graceEnd() (end time.Time, known bool) {
	grace := v.policy.Grace
	if cur, ok := v.current(0); ok && !cur.Foreign {
		grace = cur.Intent.Grace
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

func isValid(t test) bool   { return t.Verdict == instantly.Valid }
func isInvalid(t test) bool { return t.Verdict == instantly.Invalid }
