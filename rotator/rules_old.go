package rotator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// retire takes displaced keys of ours out of use: wait for the end of grace,
// make sure once more that the current key works everywhere, revoke, prove,
// destroy. A key that this very run displaced is left to a later one, so that
// nothing that held this process up can have eaten the grace.
func (v *view) retire() (Step, bool) {
	if _, ok := v.unreadable(); ok || v.dead() || (v.Displaced && !v.emergency()) {
		v.wakeForOld()
		return no()
	}
	if v.heldBack() {
		return no()
	}
	for _, old := range v.old() {
		if v.inUse(old.ID) {
			continue // rule deliver moves the store on
		}
		step, ok := v.retireOne(old)
		if ok && step.Verb == Stop {
			v.hinder = &step
			continue
		}
		if ok {
			return step, true
		}
	}
	return no()
}

// wakeForOld makes sure that a later run sees to the displaced keys.
func (v *view) wakeForOld() {
	end, known := v.graceEnd()
	if known && end.Before(v.now) && v.Displaced {
		end = v.now
	}
	if !known || end.Before(v.now) {
		return // what keeps them is no question of time
	}
	for _, old := range v.old() {
		v.wake(end, "revoke the old key "+old.ID)
	}
}

// inUse tells whether some store has the key as its current or pending version.
func (v *view) inUse(id string) bool {
	for _, st := range v.Stores {
		if _, stage, ok := st.Find(id); ok && stage != secretstore.Previous {
			return true
		}
	}
	return false
}

func (v *view) retireOne(old secretstore.Version) (Step, bool) {
	if _, listed := v.Keys[old.ID]; !listed {
		return v.proveStep(old) // gone already: there is no grace for a dead key
	}
	if step, ok := v.graceStep(); ok {
		return step, true
	}
	if v.inGrace() {
		v.wakeForOld()
		return no()
	}
	if at, ok := v.Revoked[old.ID]; ok {
		return v.stillListed(old, at)
	}
	if step, ok := v.gateOpen(); ok {
		return step, true
	}
	if step, ok := v.confirmCurrent(old); ok {
		return step, true
	}
	reason := "grace is over and its successor works everywhere"
	if v.emergency() {
		reason = "compromised, and its successor works everywhere"
	}
	return Step{Verb: Revoke, ID: old.ID, Reason: reason}, true
}

// inGrace tells whether displaced keys must live on.
func (v *view) inGrace() bool {
	if v.emergency() || (v.request.EndGrace && !v.Displaced) { // not of a key displaced by this very run
		return false
	}
	end, known := v.graceEnd()
	return !known || v.now.Before(end)
}

// graceStep mends an unknown promotion time, which counts as "now": the old key
// lives longer, never shorter.
func (v *view) graceStep() (Step, bool) {
	for i := range v.Stores {
		if cur, ok := v.current(i); ok && cur.Promoted.IsZero() {
			return Step{Verb: Repair, Store: i, ID: cur.ID, Reason: "its promotion time is not known: count from now"}, true
		}
	}
	return no()
}

// confirmCurrent is the last look before a key is revoked: the current version
// of every store passes a test call, none of them is the old key under another
// name, and every store is looked at again after that, since somebody may have
// changed it in between.
func (v *view) confirmCurrent(old secretstore.Version) (Step, bool) {
	var last moment
	for i := range v.Stores {
		cur, ok := v.current(i)
		if !ok && i > 0 && (holds(old.ID)(v.Stores[i]) || !v.hasPending(i)) {
			continue // nobody reads a key there, or none but one that waits for this to go
		}
		if !ok {
			return stop(fmt.Errorf("store %s: %w: it has no current version", v.Stores[i].Name, ErrByHand))
		}
		t, ok := v.tested(i, cur.ID)
		switch {
		case !ok:
			return Step{Verb: Verify, Store: i, ID: cur.ID, Reason: "test the current key before the old one goes"}, true
		case isInvalid(t) && !refused(t):
			return again(Verify, i, cur.ID, t, "refused: a slip, or is it dead?")
		case isInvalid(t) && v.Stores[i].Seen <= t.Seq:
			return Step{Verb: Look, Reason: "refused: has another instance moved the store on?"}, true
		case isInvalid(t) && v.byHand(0) && v.strandedIn(i):
			continue // its consumers have had the dead key since, and wait for a new one, which waits for this
		case isInvalid(t):
			return stop(notAsStored(v.Stores[i].Name, cur.ID, t))
		case !isValid(t):
			return inconclusive(Verify, cur.ID, t)
		}
		if step, ok := v.unmask(cur, old); ok {
			return step, true
		}
		last = max(last, t.Seq)
	}
	if !v.seenSince(last) {
		return Step{Verb: Look, Reason: "look again before the old key goes"}, true
	}
	return no()
}

// hasPending tells whether a version of ours is to become current in store i.
func (v *view) hasPending(i int) bool {
	ver, ok := v.Stores[i].Versions[secretstore.Pending]
	return ok && !ver.Foreign
}

// unmask finds out whether a current version that somebody put there by hand is
// the old key: its value is compared. If so, or if it cannot be, the record goes,
// and the key stays.
func (v *view) unmask(cur, old secretstore.Version) (Step, bool) {
	i := v.holder(old.ID)
	t, known := v.Tests[place{i, old.ID}]
	gone := errors.Is(t.Err, secretstore.ErrNotFound) // and so it was not compared
	switch {
	case !cur.Foreign:
		return no()
	case !known:
		return Step{Verb: Verify, Store: i, ID: old.ID, Reason: "is it what somebody put there by hand?"}, true
	case gone && v.Stores[i].Seen <= t.Seq:
		return Step{Verb: Look, Reason: "its value is gone: has another instance been here?"}, true
	case gone:
		return Step{Verb: Destroy, Store: i, ID: old.ID, Reason: "its value is gone: it may be what somebody put there by hand"}, true
	case v.Twins[old.ID]:
		return Step{Verb: Destroy, Store: i, ID: old.ID, Reason: "somebody made this very key current by hand: it stays alive"}, true
	default:
		return no()
	}
}

// stillListed waits for the key list to lose a revoked key.
func (v *view) stillListed(old secretstore.Version, revoked time.Time) (Step, bool) {
	if v.within(revoked, v.policy.Revocation) {
		return Step{Verb: List, At: v.now.Add(pause(4)), Reason: "the revoked key is still listed"}, true
	}
	return stop(fmt.Errorf("key %s: %w: it was revoked but is still listed", old.ID, ErrStillAlive))
}

// proveStep is for a key that the list no longer has: its value must be refused
// before the stores may forget it. "Deleted" is a claim until shown.
func (v *view) proveStep(old secretstore.Version) (Step, bool) {
	i := v.holder(old.ID)
	t, ok := v.tested(i, old.ID)
	switch {
	case !ok:
		return Step{Verb: Prove, Store: i, ID: old.ID, Reason: "does the revoked key get a 401?"}, true
	case isInvalid(t) && !refused(t) && v.inGrace():
		return again(Prove, i, old.ID, t, "refused: a slip, or is it dead?")
	case isInvalid(t):
		// The primary's record goes last: it says that work is left.
		return Step{Verb: Destroy, Store: v.lastHolder(old.ID), ID: old.ID, Reason: "proven dead", Proven: t.At}, true
	case !isValid(t):
		return inconclusive(Prove, old.ID, t)
	case v.within(t.First, v.policy.Revocation):
		return again(Prove, i, old.ID, t, "revocation takes effect late")
	default:
		return stop(fmt.Errorf("key %s: %w: the key list lacks it, but it is still accepted", old.ID, ErrStillAlive))
	}
}

// witness makes the test call that must be refused right after a key was revoked,
// before the keys are listed: those may be many, and the sooner a compromised key
// is seen dead the better.
func (v *view) witness() (Step, bool) {
	if v.Listed != 0 {
		return no()
	}
	for _, old := range v.old() {
		at, revoked := v.Revoked[old.ID]
		i := v.holder(old.ID)
		if t, ok := v.Tests[place{i, old.ID}]; revoked && (!ok || t.At.Before(at)) {
			return Step{Verb: Prove, Store: i, ID: old.ID, Reason: "does the revoked key get a 401?"}, true
		}
	}
	return no()
}

// holder gives the first store that has the version as previous.
func (v *view) holder(id string) int { return slices.IndexFunc(v.Stores, holds(id)) }

// lastHolder gives the last one.
func (v *view) lastHolder(id string) int {
	for i := len(v.Stores) - 1; i > 0; i-- {
		if holds(id)(v.Stores[i]) {
			return i
		}
	}
	return v.holder(id)
}

func holds(id string) func(StoreState) bool {
	return func(st StoreState) bool {
		ver, ok := st.Versions[secretstore.Previous]
		return ok && ver.ID == id
	}
}

// sweep revokes keys of ours that nothing refers to: lost creates, discarded
// ones. It must have looked at the stores after the list was begun: then a
// listed key that no version and no intent names can never be staged any more.
func (v *view) sweep() (Step, bool) {
	if _, ok := v.unreadable(); ok {
		return no()
	}
	for _, id := range v.orphans() {
		if _, ok := v.Revoked[id]; ok || v.Unswept[id] {
			continue // the next run's list shows whether it is gone
		}
		if !v.seenSince(v.Listed) {
			return Step{Verb: Look, Reason: "look again before a key is swept"}, true
		}
		return Step{Verb: Sweep, ID: id, Reason: "no store refers to it"}, true
	}
	return no()
}

// orphans gives, in a stable order, the listed keys that bear our owner and the
// fingerprint of one of the target's stores, and that nothing can refer to. (A
// store may have been the primary before the configuration's order was changed.)
func (v *view) orphans() []string {
	var ids []string
	for _, st := range v.Stores {
		for _, id := range v.Named[fingerprint(st.Identity)] {
			if k := v.Keys[id]; v.isLeftOver(k) && !v.referenced(id) && !v.mayBeHeld(k.Created) && !v.mayBeCached(k) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// isLeftOver tells whether a key of this target's stores bears our owner, and was
// not issued for an intent that still stands.
func (v *view) isLeftOver(k instantly.Key) bool {
	name, ok := parseKeyName(k.Name)
	if !ok || name.Owner != v.policy.Owner || (v.InHand != nil && v.InHand.ID == k.ID) {
		return false
	}
	return !slices.ContainsFunc(v.Stores, func(st StoreState) bool { return name.Nonce == st.Notes.Intent.Nonce })
}

// handMargin allows for clocks that differ between Instantly and a store.
const handMargin = 10 * time.Minute

// mayBeHeld tells whether a key made at that time may be what a version of unknown
// origin holds: one whose record was lost, or that somebody put there by hand. That
// is so for every key that is older than the version.
func (v *view) mayBeHeld(made time.Time) bool {
	for _, st := range v.Stores {
		for _, ver := range st.Versions {
			if ver.Foreign && (made.IsZero() || ver.Created.IsZero() || made.Before(ver.Created.Add(handMargin))) {
				return true
			}
		}
	}
	return false
}

// mayBeCached tells whether consumers may have the key still, although no store
// refers to it: it is older than a key that is in its grace period. Stores keep two
// values, so a hand that puts a third one there pushes the oldest out. Keys of
// creates that failed are younger, and no margin for clocks may spare them too: they
// are swept before the next rotation.
func (v *view) mayBeCached(k instantly.Key) bool {
	return !v.emergency() && slices.ContainsFunc(v.old(), func(old secretstore.Version) bool {
		return k.Created.Before(born(old))
	})
}
