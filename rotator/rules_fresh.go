package rotator

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// inHand brings a key whose value is in memory into the primary store, or gives
// it up. Nothing untested is stored: on GCP a stored version is at once what
// readers of "latest" get.
func (v *view) inHand() (Step, bool) {
	h := v.InHand
	if h == nil {
		return no()
	}
	if v.primary().Notes.Intent.Nonce != h.Nonce {
		return v.outrun(h)
	}
	t, ok := v.tested(inMemory, h.ID)
	switch {
	case !ok:
		return Step{Verb: Try, Store: inMemory, ID: h.ID, Reason: "is the new key live?"}, true
	case isValid(t):
		return Step{Verb: Stage, ID: h.ID, Reason: "store the new key as pending"}, true
	case v.within(h.Issued, v.policy.Activation) || (isInvalid(t) && !refused(t)):
		return again(Try, inMemory, h.ID, t, "the new key may not be live yet")
	case isInvalid(t):
		return Step{Verb: Discard, Store: inMemory, ID: h.ID, Reason: "never became valid", Err: neverValid(h.ID, t)}, true
	default:
		// The intent names the key: the next run sweeps it.
		return inconclusive(Try, h.ID, t)
	}
}

// outrun is for a key in hand whose intent is gone: stored after all, or lost to
// another instance. No store can take it any more, so it is revoked.
func (v *view) outrun(h *InHand) (Step, bool) {
	if _, ok := v.unreadable(); ok || v.referenced(h.ID) {
		return no()
	}
	if v.mayBeHeld(h.Issued) {
		return stop(fmt.Errorf("%w: key %s may be what a store holds without a record", ErrLostRace, h.ID))
	}
	return Step{Verb: Discard, Store: inMemory, ID: h.ID, Reason: "another instance took over", Err: ErrLostRace}, true
}

func neverValid(id string, t test) error {
	return fmt.Errorf("key %s: %w after %d test calls: %w", id, ErrNeverValid, t.Tries, t.Err)
}

// pending verifies the primary's pending version as consumers would read it,
// and promotes it.
func (v *view) pending() (Step, bool) {
	ver, ok := v.primary().Versions[secretstore.Pending]
	if !ok || ver.Foreign || v.heldBack() {
		return no()
	}
	if v.suspect(ver) {
		return Step{Verb: Discard, ID: ver.ID, Reason: "issued before the incident"}, true
	}
	if !v.mayDisplace() {
		return no() // rules retire and begin say what has to happen first
	}
	return v.verifyAndPromote(0, ver)
}

// mayDisplace tells whether the primary's current version may become previous,
// or be forgotten where a previous one stands: the latter only if its key is
// dead. So no living key is ever dropped from the store without its grace.
func (v *view) mayDisplace() bool {
	if _, stands := v.primary().Versions[secretstore.Previous]; !stands {
		return true
	}
	_, ok := v.current(0)
	return !ok || v.dead()
}

// dead tells whether the primary's current key was just refused, and has had
// the time that a fresh key may need.
func (v *view) dead() bool {
	cur, ok := v.current(0)
	if !ok {
		return false
	}
	return v.deadIn(0) && !v.young(cur)
}

// young tells whether a version's key may not work yet: it was made a moment ago,
// or, by a clock that is ahead, is about to be.
func (v *view) young(ver secretstore.Version) bool {
	made := born(ver)
	return v.now.After(made.Add(-handMargin)) && v.now.Before(made.Add(v.policy.Activation))
}

// born is when a version's key was made, as far as can be told.
func born(ver secretstore.Version) time.Time {
	if ver.Foreign {
		return ver.Created
	}
	return ver.Intent.At
}

// verifyAndPromote is the same for every store: a version is promoted only if
// its value, read back from that store, has just passed a test call.
func (v *view) verifyAndPromote(i int, ver secretstore.Version) (Step, bool) {
	t, ok := v.tested(i, ver.ID)
	switch {
	case !ok:
		return Step{Verb: Verify, Store: i, ID: ver.ID, Reason: "read the pending key back and test it"}, true
	case isValid(t):
		return Step{Verb: Promote, Store: i, ID: ver.ID, Reason: "the pending key works as stored"}, true
	case !isInvalid(t):
		return inconclusive(Verify, ver.ID, t)
	case v.young(ver) || !refused(t):
		return again(Verify, i, ver.ID, t, "the new key may not be live yet")
	case i == 0:
		return Step{Verb: Discard, ID: ver.ID, Reason: "never became valid", Err: neverValid(ver.ID, t)}, true
	default:
		return v.undeliverable(i, ver, t)
	}
}

// undeliverable is for a follower whose copy of the current key does not work:
// the copy goes, the key itself is judged by the primary.
func (v *view) undeliverable(i int, ver secretstore.Version, t test) (Step, bool) {
	err := fmt.Errorf("store %s: key %s does not work as stored there: %w", v.Stores[i].Name, ver.ID, t.Err)
	return Step{Verb: Destroy, Store: i, ID: ver.ID, Reason: "the copy does not work", Err: err}, true
}

// alive finds out whether the current key was revoked behind our back: it is
// tested when the key list lacks it, or when it is not ours and the list cannot
// tell. Only an invalid test call says dead.
func (v *view) alive() (Step, bool) {
	cur, ok := v.current(0)
	if !ok {
		return no()
	}
	t, ok := v.tested(0, cur.ID)
	if _, listed := v.Keys[cur.ID]; !ok && (cur.Foreign || (!listed && v.Listed > v.bornAt(cur))) {
		return Step{Verb: Verify, ID: cur.ID, Reason: "does the current key still work?"}, true
	}
	if !ok || isValid(t) {
		return no()
	}
	if !isInvalid(t) {
		return inconclusive(Verify, cur.ID, t)
	}
	if !v.dead() {
		return again(Verify, 0, cur.ID, t, "the key may not be live yet")
	}
	return no() // rule begin sees to it
}

// stranded finds out whether a follower's key was revoked behind our back while
// the primary has a value that somebody put there by hand: that is not delivered, so
// only a rotation gives the follower's consumers a key again. Until it can begin,
// people are told.
func (v *view) stranded() (Step, bool) {
	for i := 1; i < len(v.Stores) && v.byHand(0); i++ {
		cur, ok := v.current(i)
		if _, listed := v.Keys[cur.ID]; !ok || listed {
			continue
		}
		t, ok := v.tested(i, cur.ID)
		switch {
		case !ok:
			return Step{Verb: Verify, Store: i, ID: cur.ID, Reason: "does the follower's key still work?"}, true
		case isValid(t):
			continue
		case !isInvalid(t):
			return inconclusive(Verify, cur.ID, t)
		case !v.strandedIn(i):
			return again(Verify, i, cur.ID, t, "the key may not be live yet")
		}
		told, _ := stop(notAsStored(v.Stores[i].Name, cur.ID, t))
		v.hinder = &told
	}
	return no()
}

func (v *view) hasStranded() bool {
	for i := range v.Stores {
		if i > 0 && v.byHand(0) && v.strandedIn(i) {
			return true
		}
	}
	return false
}

// strandedIn tells whether store i has a dead key.
func (v *view) strandedIn(i int) bool {
	cur, ok := v.current(i)
	return ok && v.deadIn(i) && !v.young(cur)
}

// notAsStored is for a current version that is refused.
func notAsStored(store, id string, t test) error {
	return fmt.Errorf("store %s: version %s does not work as stored there: %w", store, id, t.Err)
}

// bornAt tells when this run issued the key, if it did: a list that was begun
// earlier cannot have it.
func (v *view) bornAt(cur secretstore.Version) moment {
	if t, ok := v.Tests[place{inMemory, cur.ID}]; ok {
		return t.Seq
	}
	return 0
}

// deliver brings the stores that follow to the primary's current key.
func (v *view) deliver() (Step, bool) {
	cur, ok := v.current(0)
	if !ok || cur.Foreign || v.dead() {
		return no()
	}
	for i := 1; i < len(v.Stores); i++ {
		if v.Stores[i].Err != nil {
			continue
		}
		if step, ok := v.deliverTo(i, cur); ok {
			return step, true
		}
	}
	return no()
}

func (v *view) deliverTo(i int, cur secretstore.Version) (Step, bool) {
	st := v.Stores[i]
	_, stage, held := st.Find(cur.ID)
	if held && stage == secretstore.Current {
		if left, ok := st.Versions[secretstore.Pending]; ok && !left.Foreign {
			return Step{Verb: Destroy, Store: i, ID: left.ID, Reason: "left over"}, true
		}
		return no()
	}
	if held && stage == secretstore.Previous && v.byHand(i) {
		return no() // somebody put another value over it: not ours to undo before the next rotation
	}
	if step, ok := v.makeRoomIn(i, cur); ok || v.mustKeep(i, cur) {
		return step, ok
	}
	if held && stage == secretstore.Pending {
		return v.verifyAndPromote(i, cur)
	}
	return v.stageFollower(i, cur)
}

// byHand tells whether somebody else's value is current in store i.
func (v *view) byHand(i int) bool {
	cur, ok := v.current(i)
	return ok && cur.Foreign
}

// makeRoomIn takes a follower's previous version out of the way of a delivery:
// one that is not ours, or that the primary refers to anyhow. Promoting would
// keep it, and forget the living key that is current there.
func (v *view) makeRoomIn(i int, cur secretstore.Version) (Step, bool) {
	old, ok := v.Stores[i].Versions[secretstore.Previous]
	if !ok {
		return no()
	}
	if step, ok := v.testUnlisted(i); ok {
		return step, true
	}
	if v.mustKeep(i, cur) || v.deadIn(i) {
		return no()
	}
	return Step{Verb: Destroy, Store: i, ID: old.ID, Reason: "make room for the current key"}, true
}

// testUnlisted finds out whether the current version of store i is dead, if the key
// list lacks it: then that one may be forgotten, instead of the one before.
func (v *view) testUnlisted(i int) (Step, bool) {
	cur, ok := v.current(i)
	if _, listed := v.Keys[cur.ID]; !ok || cur.Foreign || listed {
		return no()
	}
	t, ok := v.tested(i, cur.ID)
	switch {
	case !ok:
		return Step{Verb: Verify, Store: i, ID: cur.ID, Reason: "is it dead, and need not be kept?"}, true
	case isInvalid(t) && !refused(t):
		return again(Verify, i, cur.ID, t, "refused: a slip, or is it dead?")
	default:
		return no()
	}
}

// mustKeep tells whether store i alone refers to an old key of ours, which must
// be retired before anything can be delivered there; unless what the delivery
// displaces is dead, then promoting keeps it.
func (v *view) mustKeep(i int, cur secretstore.Version) bool {
	old, ok := v.Stores[i].Versions[secretstore.Previous]
	if !ok || old.Foreign || old.ID == cur.ID || v.deadIn(i) {
		return false
	}
	_, _, known := v.primary().Find(old.ID)
	return !known
}

// deadIn tells whether the current version of store i was just refused, often
// enough.
func (v *view) deadIn(i int) bool {
	cur, ok := v.current(i)
	if !ok {
		return false
	}
	t, ok := v.tested(i, cur.ID)
	return ok && refused(t)
}

// stageFollower copies the primary's current value, once it is known to work.
func (v *view) stageFollower(i int, cur secretstore.Version) (Step, bool) {
	t, ok := v.tested(0, cur.ID)
	switch {
	case !ok:
		return Step{Verb: Verify, ID: cur.ID, Reason: "test the current key before it is delivered"}, true
	case isValid(t):
		return Step{Verb: Stage, Store: i, ID: cur.ID, Reason: "deliver the current key"}, true
	default:
		return no() // rule alive has dealt with it
	}
}
