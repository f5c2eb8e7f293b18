package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// To adopt a key that somebody made by hand is to record the value that a store gives
// already under that key's id: the same value is staged as that version and promoted, and
// the version of unknown origin is forgotten. Readers get the same value all the time. Only
// [Rotator.Adopt] begins it; a run that finds it cut off finishes it, or takes the pending
// version away.
//
// What the record is worth hangs on how value and id were shown to belong together. A key
// of which that was only said, or that somebody else may hold, is never revoked by the
// rotator: if the id is wrong, it is somebody else's key.

// How it was shown that a value is that of a key.
const (
	// AdoptedByValue: the key list gives the key with this very value.
	AdoptedByValue secretstore.Adopted = "value"
	// AdoptedByScopes: the issuer says what the value may do, and of the keys in the list
	// only that one can be meant.
	AdoptedByScopes secretstore.Adopted = "scopes"
	// AdoptedByWord: a person said so.
	AdoptedByWord secretstore.Adopted = "word"
	// AdoptedShared: it was shown, but another target's store gives the value too.
	AdoptedShared secretstore.Adopted = "shared"
)

// IsRevocable tells whether a key of that record is the rotator's to revoke when its end
// has come.
func IsRevocable(how secretstore.Adopted) bool {
	return how == "" || how == AdoptedByValue || how == AdoptedByScopes
}

// ErrNotAdopted: a key was not taken over; nothing was changed.
var ErrNotAdopted = errors.New("not adopted")

// ErrRevokeByHand: an old key is not the rotator's to revoke.
var ErrRevokeByHand = errors.New("it is not the rotator's to revoke: revoke it in Instantly")

// Adoption is an order to record a target's current value, of unknown origin, as a key's.
type Adoption struct {
	// Key as the list has it. Its Spec is what the version is recorded for.
	Key Key
	// Version is the store's name for what is there.
	Version string
	// How it was shown that they belong together.
	How secretstore.Adopted

	value secret.Value // that this was decided on
}

// Adopt records the value that the primary store gives as the key's, and brings the stores
// that follow to it. It begins no rotation. An adoption that is done already changes nothing.
func (r *Rotator) Adopt(ctx context.Context, t Target, a Adoption) Result {
	return r.newRun(t, Request{NoRotation: true, Adopt: &a}, t.Workspace.mark()).reconcile(ctx)
}

// adopt takes the steps of an adoption: one that was asked for, or one that was cut off.
func (v *view) adopt() answer {
	if ver, ok := v.primary().Versions[secretstore.Pending]; ok && ver.Intent.Adopted != "" {
		return v.finishAdoption(ver)
	}
	if a := v.request.Adopt; a != nil && !v.adopted(a.Key.ID) {
		return v.beginAdoption(*a)
	}
	return v.forgetTwin()
}

// adopted tells whether the primary's current version is that key's already.
func (v *view) adopted(id string) bool {
	cur, ok := v.current(0)
	return ok && !cur.Foreign && cur.ID == id
}

// beginAdoption stages the value under the key's id, if all is still as it was decided on.
func (v *view) beginAdoption(a Adoption) answer {
	cur, ok := v.current(0)
	_, pending := v.primary().Versions[secretstore.Pending]
	_, _, held := v.primary().Find(a.Key.ID)
	k, listed := v.Keys[a.Key.ID]
	hold, on := v.hold()
	refuse := func(format string, args ...any) answer {
		return stop(fmt.Errorf("%w: store %s: %s", ErrNotAdopted, v.primary().Name, fmt.Sprintf(format, args...)))
	}
	switch {
	case on:
		return stop(&HoldError{hold})
	case !ok || !cur.Foreign || cur.ID != a.Version:
		return refuse("its current version is no longer %s, of unknown origin", a.Version)
	case v.emergency():
		return refuse("an incident was declared, for which the value is to be replaced")
	case pending || !v.primary().Notes.Intent.IsZero():
		return refuse("a rotation was begun, which replaces the value")
	case held:
		return refuse("it has key %s as an older version", a.Key.ID)
	case !listed || k.Name != a.Key.Name || !k.Created.Equal(a.Key.Created):
		return refuse("the key list no longer has key %s", a.Key.ID)
	}
	switch t, ok := v.tested(0, cur.ID); {
	case !ok:
		return act(Step{Verb: Verify, ID: cur.ID, Reason: "does the value that is there work?"})
	case isInvalid(t):
		return refuse("the value that is there does not work: %v", t.Err)
	case !isValid(t):
		return inconclusive(Verify, cur.ID, t)
	}
	return act(Step{Verb: Stage, ID: a.Key.ID, Reason: "record the value that is there as this key's (" + string(a.How) + ")"})
}

// finishAdoption promotes the pending version of an adoption, if the store still gives
// consumers the same value. Else it goes; its key is left alone.
func (v *view) finishAdoption(ver secretstore.Version) answer {
	if a := v.waitForHold(); !a.passes() {
		return a
	}
	leave := func(why string) answer {
		s := Step{Verb: Destroy, ID: ver.ID, Reason: "not adopted: " + why}
		if v.request.Adopt != nil {
			s.Err = fmt.Errorf("%w: %s", ErrNotAdopted, why)
		}
		return act(s)
	}
	cur, ok := v.current(0)
	_, listed := v.Keys[ver.ID]
	switch {
	case !ok || !cur.Foreign:
		return leave("there is no value of unknown origin any more")
	case !listed:
		return leave("the key list does not have the key")
	case v.suspect(ver):
		return leave("it is replaced, for the incident")
	}
	switch t, ok := v.tested(0, ver.ID); {
	case !ok:
		return act(Step{Verb: Verify, ID: ver.ID, Reason: "is it what consumers read, and does it work?"})
	case isValid(t):
		return act(Step{Verb: Promote, ID: ver.ID, Reason: "what consumers read is this key"})
	case isInvalid(t):
		return leave(t.Err.Error())
	default:
		return inconclusive(Verify, ver.ID, t)
	}
}

// forgetTwin takes a displaced version of unknown origin away that this run saw to hold the
// value of the adopted key: so its key is known, and it keeps the target quarantined for
// nothing.
func (v *view) forgetTwin() answer {
	for i, st := range v.Stores {
		cur, ok := v.current(i)
		old, stands := st.Versions[secretstore.Previous]
		if ok && stands && old.Foreign && cur.Intent.Adopted != "" && v.Twins[place{i, old.ID}] {
			return act(Step{Verb: Destroy, Store: i, ID: old.ID, Reason: "its value is that of the adopted key"})
		}
	}
	return pass()
}

// toAdopt gives the version that records the current value as the key's, and the value.
func (r *run) toAdopt(a Adoption) (secretstore.Version, secret.Value, error) {
	cur, _ := r.current(0)
	value := r.read[place{0, cur.ID}]
	if !value.Equal(a.value) {
		return secretstore.Version{}, value, fmt.Errorf("%w: store %s: another value is current than the one that this was decided on", ErrNotAdopted, r.primary().Name)
	}
	intent := secretstore.Intent{
		Nonce: r.opts.Nonce(), At: a.Key.Created, Spec: a.Key.Spec, Grace: r.target.Policy.Grace,
		Holder: r.opts.Instance, Adopted: a.How,
	}
	return secretstore.Version{ID: a.Key.ID, Name: a.Key.Name, Intent: intent, Account: r.Account}, value, intent.Spec.Check()
}

// errOtherValue: what is to be adopted is not what consumers read.
var errOtherValue = errors.New("consumers read another value by now")

// compare holds the value of an adopted version that is to be promoted against what the
// store gives consumers now. In the primary they must be the same.
func (r *run) compare(ctx context.Context, s Step, value secret.Value) (TestCall, error) {
	same := TestCall{Verdict: Valid}
	ver, stage, _ := r.Stores[s.Store].Find(s.ID)
	cur, ok := r.current(s.Store)
	if ver.Intent.Adopted == "" || stage != secretstore.Pending || !ok || !cur.Foreign {
		return same, nil
	}
	given, _, err := r.readBack(ctx, Step{Verb: Verify, Store: s.Store, ID: cur.ID})
	switch {
	case err != nil:
		return TestCall{}, err
	case given.Equal(value):
		r.Twins[place{s.Store, cur.ID}] = true
		return same, nil
	case s.Store == 0:
		return TestCall{Verdict: Invalid, Err: errOtherValue}, nil
	}
	return same, nil
}

// nameOf is what the key of a version is called at its issuer.
func (r *run) nameOf(ver secretstore.Version) string {
	if k, listed := r.Keys[ver.ID]; listed && ver.Intent.Adopted != "" {
		return k.Name
	}
	return r.keyName(ver.Intent)
}

// adoption gives the record by which a store has the key as adopted.
func (s State) adoption(id string) (secretstore.Intent, bool) {
	for _, st := range s.Stores {
		if ver, _, ok := st.Find(id); ok && ver.Intent.Adopted != "" {
			return ver.Intent, true
		}
	}
	return secretstore.Intent{}, false
}

// isByHand tells whether an adopted key is only a person's to revoke.
func (s State) isByHand(id string) bool {
	in, adopted := s.adoption(id)
	return adopted && !IsRevocable(in.Adopted)
}

// leftToHands gives the old key that a store is to forget although it lives on, and which
// only a person can revoke: nothing tells of it any more.
func (r *run) leftToHands(s Step) (Key, bool) {
	_, stage, _ := r.Stores[s.Store].Find(s.ID)
	k, listed := r.Keys[s.ID]
	return k, listed && stage == secretstore.Previous && r.isByHand(s.ID)
}

// isOurs tells whether a listed key is ours to revoke: it bears our name, or it was adopted,
// shown to be what a store has, and still is what it was recorded as.
func (r *run) isOurs(k Key) bool {
	in, adopted := r.adoption(k.ID)
	if !adopted {
		name, ok := parseKeyName(k.Name)
		return ok && name.Owner == r.target.Policy.Owner
	}
	const precision = time.Second // of what stores keep
	made := in.At.IsZero() || k.Created.IsZero() || in.At.Sub(k.Created).Abs() < precision
	return IsRevocable(in.Adopted) && made && r.target.Workspace.sameSpec(k.Spec, in.Spec)
}

// leaveKey is for an old key whose grace is over and which is not ours to revoke: it is told
// until it is gone from the key list, or somebody says that the store is to forget it.
func (v *view) leaveKey(id string) answer {
	if v.request.EndGrace {
		return act(Step{Verb: Destroy, Store: v.lastHolder(id), ID: id, Reason: "to be forgotten; its key is left alone"})
	}
	in, _ := v.adoption(id)
	why := "it was adopted on somebody's word"
	if in.Adopted == AdoptedShared {
		why = "another target had the same key when it was adopted"
	}
	return stop(fmt.Errorf("key %s (%s): %w: %s", id, v.Keys[id].Name, ErrRevokeByHand, why))
}
