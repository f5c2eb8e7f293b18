package rotator

import (
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Trail keeps a record of effects: each before it is made, and what came of it. It may be
// used by several goroutines.
type Trail interface {
	// Intend records an effect that is about to be made. If it fails, the effect is not
	// made. It is told once what came of it.
	Intend(e Effect) (done func(Outcome), err error)
}

// ErrTrail: the record of what is done cannot be written. What would have been done, was
// not.
var ErrTrail = errors.New("the trail cannot be written, so it is not done")

// Effect is something that is about to be done, as the trail tells of it.
type Effect struct {
	At        time.Time
	Verb      Verb
	Target    string
	Workspace string
	// Account is the issuer's, where it is known by then.
	Account string
	Store   string // empty where no store is concerned
	Sink    string // empty where no sink is concerned
	KeyID   string
	// Previous is the primary's current key.
	Previous string
	Spec     secretstore.Spec
	Reason   string
	// Incident is the one that is open, or is being declared.
	Incident string
	// Exceptions are what a person asked for beyond the policy.
	Exceptions []string
	// Since is when the key was issued, as of its record; zero if it is not known.
	Since time.Time
	// Proof is the test call that the effect goes by.
	Proof *Proof
	// Final: it cannot be taken back, so its record must be on the disk before.
	Final bool
	// Regardless: it is made even if it cannot be recorded, since a key would be lost
	// otherwise, or be refused.
	Regardless bool
}

// Proof is a test call.
type Proof struct {
	KeyID   string
	Verdict Verdict
	// At is when the call began, and Err what it said, where that is not Valid.
	At  time.Time
	Err error
}

// Outcome is what came of an effect. KeyID is the key's, once it is known.
type Outcome struct {
	At    time.Time
	KeyID string
	Err   error
}

// noteFailure is what noting down a failure is called in the trail. It is no step.
const noteFailure Verb = "note-failure"

// intend records a step, if it has an effect. That of a key in hand is covered by the
// intent of its issue: whatever the trail says, the key is stored or revoked, so that it
// is not lost.
func (r *run) intend(s Step) (done func(error), err error) {
	nothing := func(error) {}
	if r.opts.Trail == nil || !s.Verb.Effect() && s.Verb != noteFailure {
		return nothing, nil
	}
	tell, err := r.opts.Trail.Intend(r.effect(s))
	switch {
	case err != nil && r.endsHand(s):
		return nothing, nil
	case err != nil:
		return nothing, fmt.Errorf("%w: %w", ErrTrail, err)
	}
	return r.outcome(s, tell), nil
}

// outcome gives what tells the trail of what came of a step.
func (r *run) outcome(s Step, tell func(Outcome)) func(error) {
	return func(err error) {
		o := Outcome{At: r.now(), KeyID: s.ID, Err: err}
		if s.Verb == Issue && r.InHand != nil {
			o.KeyID = r.InHand.ID
		}
		tell(o)
	}
}

// endsHand tells whether a step brings the key in hand to where it is not lost, or a sender to
// where it is not refused.
func (r *run) endsHand(s Step) bool {
	if r.InDoubt && (s.Verb == Confirm || s.Verb == SwitchBack) {
		return true // its receiver may refuse what the sender was switched to
	}
	if r.InHand == nil || s.ID != r.InHand.ID {
		return false
	}
	return s.Verb == Discard || s.Verb == Stage && s.Store == 0
}

// effect describes a step.
func (r *run) effect(s Step) Effect {
	e := Effect{
		At: r.now(), Verb: s.Verb, Target: r.target.Name, Workspace: r.target.Workspace.Name, Account: r.Account,
		KeyID: s.ID, Spec: r.target.Policy.Spec, Reason: shorten(s.Reason), Exceptions: r.req.exceptions(),
		Proof: r.proofOf(s), Final: s.Verb.action().final && s.Store <= 0, Regardless: r.endsHand(s),
	}
	if in := r.incident(); in.Open() {
		e.Incident = in.ID
	} else if s.Verb == Declare {
		e.Incident = shorten(r.req.Incident)
	}
	if a := s.Verb.action(); s.Store >= 0 && (a.store || s.Verb == noteFailure) {
		e.Store = r.target.Stores[s.Store].Name
	}
	if s.Verb.action().sink {
		e.Sink = r.Sinks[s.Sink].Name
	}
	if cur, ok := r.current(0); ok && cur.ID != s.ID {
		e.Previous = cur.ID
	}
	if ver, _, ok := r.Stores[max(s.Store, 0)].Find(s.ID); ok && !ver.Foreign {
		e.Since, e.Spec = ver.Intent.At, ver.Intent.Spec
	} else if k, listed := r.Keys[s.ID]; listed {
		e.Since = k.Created
	}
	return e
}

// proofOf gives the test call that a step goes by: that of its own version, or, where a
// key is revoked, that of the one which consumers have.
func (r *run) proofOf(s Step) *Proof {
	at := place{s.Store, s.ID}
	switch cur, ok := r.current(0); {
	case s.Verb == Stage && s.Store == 0:
		at.store = inMemory
	case s.Verb == Stage, s.Verb == Supply, s.Verb == Revoke && ok:
		at = place{0, cur.ID}
	}
	t, ok := r.Tests[at]
	if !ok || t.At.IsZero() || t.Unasked {
		if s.Proven.IsZero() {
			return nil
		}
		return &Proof{KeyID: s.ID, Verdict: Invalid, At: s.Proven}
	}
	return &Proof{KeyID: at.id, Verdict: t.Verdict, At: t.At, Err: t.Err}
}

// exceptions are what a person asked for beyond the policy.
func (q Request) exceptions() (all []string) {
	for _, x := range []struct {
		on   bool
		name string
	}{
		{q.IgnoreBackoff, "force"},
		{q.EndGrace, "end-grace"},
		{q.SkipGates != "", "skip-gates"},
		{q.BeginAnew, "begin-anew"},
		{q.Incident != "" && !q.Soft, "compromised"},
		{q.Incident != "" && q.Soft, "graceful"},
		{q.Adopt != nil, "adopt"},
	} {
		if x.on {
			all = append(all, x.name)
		}
	}
	return all
}
