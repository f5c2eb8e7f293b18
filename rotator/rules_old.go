package rotator

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// retire takes displaced keys of ours out of use: wait for the end of grace,
// make sure once more that the current key works everywhere, revoke, prove,
// destroy.
func (v *view) retire() (Step, bool) {
	if _, ok := v.unreadable(); ok || v.dead() {
		return no()
	}
	for _, old := range v.old() {
		if v.inUse(old.ID) {
			continue // rule deliver moves the store on, or says why it cannot
		}
		if step, ok := v.retireOne(old); ok {
			return step, true
		}
	}
	return no()
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
	if step, ok := v.graceStep(old); ok || v.inGrace() {
		return step, ok
	}
	if _, listed := v.Keys[old.ID]; !listed {
		return v.proveStep(old)
	}
	if at, ok := v.Revoked[old.ID]; ok {
		return v.stillListed(old, at)
	}
	if step, ok := v.confirmCurrent(); ok {
		return step, true
	}
	return Step{Verb: Revoke, ID: old.ID, Reason: "grace is over and its successor works everywhere"}, true
}

// inGrace tells whether displaced keys must live on.
func (v *view) inGrace() bool {
	if v.request.EndGrace && !v.Rotated { // not of a key displaced by this very run
		return false
	}
	end, known := v.graceEnd()
	return !known || v.now.Before(end)
}

// graceStep mends an unknown promotion time, which counts as "now": the old key
// lives longer, never shorter.
func (v *view) graceStep(old secretstore.Version) (Step, bool) {
	for i := range v.Stores {
		if cur, ok := v.current(i); ok && cur.Promoted.IsZero() {
			return Step{Verb: Repair, Store: i, ID: cur.ID, Reason: "its promotion time is not known: count from now"}, true
		}
	}
	if v.inGrace() {
		end, _ := v.graceEnd()
		v.wake(end, "revoke the old key "+old.ID)
	}
	return no()
}

// confirmCurrent is the last look before a key is revoked: the current version
// of every store passes a test call, and every store is looked at again after
// that, since somebody may have changed it in between.
func (v *view) confirmCurrent() (Step, bool) {
	var last moment
	primary, _ := v.current(0)
	for i := range v.Stores {
		cur, ok := v.current(i)
		if !ok {
			return stop(fmt.Errorf("store %s: %w: it has no current version", v.Stores[i].Name, ErrByHand))
		}
		t, ok := v.tested(i, cur.ID)
		switch {
		case !ok:
			return Step{Verb: Verify, Store: i, ID: cur.ID, Reason: "test the current key before the old one goes"}, true
		case cur.ID != primary.ID && !primary.Foreign:
			return stop(fmt.Errorf("store %s: %w: its current version %s is not the primary's", v.Stores[i].Name, ErrByHand, cur.ID))
		case isInvalid(t):
			return stop(fmt.Errorf("store %s: key %s does not work as stored there: %w", v.Stores[i].Name, cur.ID, t.Err))
		case !isValid(t):
			return inconclusive(cur.ID, t)
		}
		last = max(last, t.Seq)
	}
	if !v.seenSince(last) {
		return Step{Verb: Look, Reason: "look again before the old key goes"}, true
	}
	return no()
}

// stillListed waits for the key list to lose a revoked key.
func (v *view) stillListed(old secretstore.Version, revoked time.Time) (Step, bool) {
	if v.within(revoked, v.policy.Revocation) {
		return Step{Verb: List, At: v.now.Add(pause(4)), Reason: "the revoked key is still listed"}, true
	}
	return stop(fmt.Errorf("key %s: %w: it is still listed", old.ID, ErrStillAlive))
}

// proveStep is for a key that the list no longer has: its value must be refused
// before the stores may forget it. "Deleted" is a claim until shown.
func (v *view) proveStep(old secretstore.Version) (Step, bool) {
	i := v.holder(old.ID)
	t, ok := v.tested(i, old.ID)
	switch {
	case !ok:
		return Step{Verb: Prove, Store: i, ID: old.ID, Reason: "does the revoked key get a 401?"}, true
	case isInvalid(t):
		// The primary's record goes last: it says that work is left.
		return Step{Verb: Destroy, Store: v.lastHolder(old.ID), ID: old.ID, Reason: "proven dead"}, true
	case !isValid(t):
		return inconclusive(old.ID, t)
	case v.within(t.First, v.policy.Revocation):
		return again(Prove, i, old.ID, t, "revocation takes effect late")
	default:
		return stop(fmt.Errorf("key %s: %w", old.ID, ErrStillAlive))
	}
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
// listed key that no version and no intent names can never be named again.
func (v *view) sweep() (Step, bool) {
	if _, ok := v.unreadable(); ok {
		return no()
	}
	for _, id := range v.orphans() {
		if _, ok := v.Revoked[id]; ok {
			continue // the next run's list shows whether it is gone
		}
		if !v.seenSince(v.Listed) {
			return Step{Verb: Look, Reason: "look again before a key is swept"}, true
		}
		return Step{Verb: Sweep, ID: id, Reason: "no store refers to it"}, true
	}
	return no()
}

// orphans gives, in a stable order, the listed keys that bear our owner and this
// primary's fingerprint, and that neither a version nor the intent refers to.
func (v *view) orphans() []string {
	mark := fingerprint(v.primary().Identity)
	var ids []string
	for id, k := range v.Keys {
		name, ok := parseKeyName(k.Name)
		if !ok || name.Owner != v.policy.Owner || name.Store != mark {
			continue
		}
		if v.referenced(id) || name.Nonce == v.primary().Notes.Intent.Nonce || (v.InHand != nil && v.InHand.ID == id) {
			continue
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
