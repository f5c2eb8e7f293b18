package rotator

import (
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// inHand brings a key whose value is in memory into the primary store, or gives
// it up. Nothing untested is stored: on GCP a stored version is at once what
// readers of "latest" get.
func (v *view) inHand() answer {
	h := v.InHand
	if h == nil {
		return pass()
	}
	if v.primary().Notes.Intent.Nonce != h.Nonce {
		return v.intentGone(h)
	}
	t, ok := v.tested(inMemory, h.ID)
	switch {
	case !ok:
		return act(Step{Verb: Try, Store: inMemory, ID: h.ID, Reason: "is the new " + v.noun() + " live?"})
	case isValid(t):
		return act(Step{Verb: Stage, ID: h.ID, Reason: "store the new " + v.noun() + " as pending"})
	case v.within(h.Issued, v.policy.Activation) || (isInvalid(t) && !refused(t)):
		return again(Try, inMemory, h.ID, t, h.Issued.Add(v.policy.Activation), "the new "+v.noun()+" may not be live yet")
	case isInvalid(t):
		return act(Step{Verb: Discard, Store: inMemory, ID: h.ID, Reason: "never became valid", Err: v.neverValid(h.ID, t)})
	default:
		// The intent names the key: the next run sweeps it.
		return inconclusive(Try, h.ID, t)
	}
}

// intentGone is for a key in hand whose intent is gone: stored after all, or lost to
// another instance. No store can take it any more, so it is revoked; unless the primary was
// asked to: consumers may have had it, before somebody took it away again. Then the next run
// knows by the key list whether that can be, and sweeps it or retires it.
func (v *view) intentGone(h *InHand) answer {
	if _, ok := v.unreadable(); ok || v.referenced(h.ID) {
		return pass()
	}
	if h.Offered {
		return stop(fmt.Errorf("%w: %s %s may be what a store holds without a record, or held for a while", ErrLostRace, v.noun(), h.ID))
	}
	return act(Step{Verb: Discard, Store: inMemory, ID: h.ID, Reason: "another instance took over", Err: ErrLostRace})
}

func (v *view) neverValid(id string, t test) error {
	return fmt.Errorf("%s %s: %w after %d test calls: %w", v.noun(), id, ErrNeverValid, t.Tries, t.Err)
}

// noun is what people call that which the target keeps.
func (v *view) noun() string {
	if v.Sent {
		return "secret"
	}
	return "key"
}

// pending verifies the primary's pending version as consumers would read it,
// and promotes it.
func (v *view) pending() answer {
	ver, ok := v.primary().Versions[secretstore.Pending]
	if !ok || ver.Foreign {
		return pass()
	}
	if a := v.waitForHold(); !a.passes() {
		return a
	}
	if v.suspect(ver) {
		return act(Step{Verb: Discard, ID: ver.ID, Reason: "issued before the incident"})
	}
	if v.request.NoRotation {
		return delay(time.Time{}, "a rotation was begun, which this run leaves alone")
	}
	if !v.mayDisplace() {
		return pass() // rules retire and startRotation say what has to happen first
	}
	if a := v.confirmID(ver); !a.passes() {
		return a
	}
	return v.verifyAndPromote(0, ver)
}

// confirmID has the key list say that it knows the pending key by its id. Only the
// answer to the create pairs the id with the value: under another one the key could
// neither be revoked when it is old, nor be told from somebody else's. Where many keys
// are issued one after the other, one list a minute speaks for all of them.
func (v *view) confirmID(ver secretstore.Version) answer {
	k, listed := v.Keys[ver.ID]
	name, _ := parseKeyName(k.Name)
	switch {
	case listed && name.Nonce == ver.Intent.Nonce:
		return pass()
	case !listed && v.pairedByOthers(ver):
		return pass()
	case v.Listed <= v.bornAt(ver) || v.Listed <= v.primary().Seen:
		return act(Step{Verb: List, Reason: "does the key list have the new key?"})
	case !listed && v.young(ver):
		return act(Step{Verb: List, At: v.now.Add(pause(4)), Reason: "the new key may not be listed yet"})
	}
	// Its key stays: that id may be somebody else's. What was issued is found by its
	// name, and swept.
	err := fmt.Errorf("key %s: %w", ver.ID, ErrUnlisted)
	return act(Step{Verb: Destroy, ID: ver.ID, Reason: "the key list does not have the new key under this id", Err: err})
}

// pairedByOthers tells whether lists just agreed with the creates of other keys, and
// none was begun since this run issued its own.
func (v *view) pairedByOthers(ver secretstore.Version) bool {
	return v.Paired && v.bornAt(ver) >= v.Listed
}

// mayDisplace tells whether the primary's current version may become previous,
// or be forgotten where a previous one stands: the latter only if its key is
// dead, or not known to be ours. So no key of ours is dropped from the store in
// its grace.
func (v *view) mayDisplace() bool {
	if _, stands := v.primary().Versions[secretstore.Previous]; !stands {
		return true
	}
	cur, ok := v.current(0)
	return !ok || cur.Foreign || v.dead()
}

// dead tells whether the primary's current key is dead.
func (v *view) dead() bool { return v.keyDeadIn(0) }

// young tells whether a version's key may not work yet: it was made a moment ago,
// or, by a clock that is ahead, is about to be.
func (v *view) young(ver secretstore.Version) bool {
	made := born(ver)
	return v.now.After(made.Add(-clockMargin)) && v.now.Before(made.Add(v.policy.Activation))
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
func (v *view) verifyAndPromote(i int, ver secretstore.Version) answer {
	t, ok := v.tested(i, ver.ID)
	switch {
	case !ok:
		return act(Step{Verb: Verify, Store: i, ID: ver.ID, Reason: "read the pending " + v.noun() + " back and test it"})
	case isValid(t):
		return act(Step{Verb: Promote, Store: i, ID: ver.ID, Reason: "the pending " + v.noun() + " works as stored"})
	case !isInvalid(t):
		return inconclusive(Verify, ver.ID, t)
	case v.young(ver) || !refused(t):
		return again(Verify, i, ver.ID, t, born(ver).Add(v.policy.Activation), "the new "+v.noun()+" may not be live yet")
	case i == 0:
		return act(Step{Verb: Discard, ID: ver.ID, Reason: "never became valid", Err: v.neverValid(ver.ID, t)})
	default:
		return v.undeliverable(i, ver, t)
	}
}

// undeliverable is for a follower whose copy of the current key does not work:
// the copy goes, the key itself is judged by the primary.
func (v *view) undeliverable(i int, ver secretstore.Version, t test) answer {
	err := fmt.Errorf("store %s: %s %s does not work as stored there: %w", v.Stores[i].Name, v.noun(), ver.ID, t.Err)
	return act(Step{Verb: Destroy, Store: i, ID: ver.ID, Reason: "the copy does not work", Err: err})
}

// alive finds out whether a current key was revoked behind our back: it is tested
// when the key list lacks it, or when it is not ours and the list cannot tell. Only
// an invalid test call says dead. A follower's key matters by itself only while the
// primary has a value of unknown origin, which is not delivered.
func (v *view) alive() answer {
	for i := range v.Stores {
		if i > 0 && !v.byHand(0) {
			break
		}
		if a := v.aliveIn(i); !a.passes() {
			return a
		}
	}
	return pass()
}

func (v *view) aliveIn(i int) answer {
	cur, ok := v.current(i)
	if !ok {
		return pass()
	}
	t, ok := v.tested(i, cur.ID)
	if _, listed := v.Keys[cur.ID]; !ok && (cur.Foreign || (!listed && v.Listed > v.bornAt(cur))) {
		return act(Step{Verb: Verify, Store: i, ID: cur.ID, Reason: "does the current " + v.noun() + " still work?"})
	}
	if !ok || isValid(t) {
		return pass()
	}
	if !isInvalid(t) {
		return inconclusive(Verify, cur.ID, t)
	}
	if !v.keyDeadIn(i) {
		return again(Verify, i, cur.ID, t, born(cur).Add(v.policy.Activation), v.mayComeAlive(cur))
	}
	return pass() // rule begin sees to it
}

// mayComeAlive is why a current key that is refused is tested again.
func (v *view) mayComeAlive(cur secretstore.Version) string {
	if cur.Foreign {
		return "the value that somebody put there is refused: a slip, or a " + v.noun() + " that is not live yet?"
	}
	return "the " + v.noun() + " may not be live yet"
}

// followerDead tells whether a follower's consumers have a dead key that nothing is
// delivered over, since the primary has a value of unknown origin.
func (v *view) followerDead() bool {
	for i := range v.Stores {
		if i > 0 && v.byHand(0) && v.keyDeadIn(i) {
			return true
		}
	}
	return false
}

// keyDeadIn tells whether store i gives a key that was just refused, and has had
// the time that a fresh key may need.
func (v *view) keyDeadIn(i int) bool {
	cur, ok := v.current(i)
	return ok && v.deadIn(i) && (!v.young(cur) || v.noKeyIn(i))
}

// noKeyIn tells whether store i gives consumers what can never be a key.
func (v *view) noKeyIn(i int) bool {
	cur, ok := v.current(i)
	if !ok {
		return false
	}
	t, ok := v.tested(i, cur.ID)
	return ok && errors.Is(t.Err, ErrNoKey)
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
func (v *view) deliver() answer {
	cur, ok := v.current(0)
	if !ok || cur.Foreign || v.dead() {
		return pass()
	}
	for i := 1; i < len(v.Stores); i++ {
		if v.Stores[i].Err != nil {
			continue
		}
		if a := v.deliverTo(i, cur); !a.passes() {
			return a
		}
	}
	return pass()
}

func (v *view) deliverTo(i int, cur secretstore.Version) answer {
	st := v.Stores[i]
	_, stage, held := st.Find(cur.ID)
	if held && stage == secretstore.Current {
		if left, ok := st.Versions[secretstore.Pending]; ok && !left.Foreign {
			return act(Step{Verb: Destroy, Store: i, ID: left.ID, Reason: "left over"})
		}
		return pass()
	}
	if held && stage == secretstore.Previous && v.byHand(i) && !v.emergency() {
		return pass() // somebody put another value over it: the next rotation replaces that
	}
	if old, ok := st.Versions[secretstore.Previous]; ok && (old.ID == cur.ID || !v.mayForget(i)) {
		return act(Step{Verb: Destroy, Store: i, ID: old.ID, Reason: "make room for the current " + v.noun()})
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

// mayForget tells whether promoting in store i, where a previous version stands, may
// forget the current one, since that is not ours, or there is none.
func (v *view) mayForget(i int) bool {
	_, ok := v.current(i)
	return !ok || v.byHand(i)
}

// deadIn tells whether the current version of store i was just refused, often
// enough.
func (v *view) deadIn(i int) bool {
	cur, ok := v.current(i)
	if !ok {
		return false
	}
	t, ok := v.tested(i, cur.ID)
	return ok && (refused(t) || v.noKeyIn(i))
}

// stageFollower copies the primary's current value, once it is known to work.
func (v *view) stageFollower(i int, cur secretstore.Version) answer {
	t, ok := v.tested(0, cur.ID)
	switch {
	case !ok:
		return act(Step{Verb: Verify, ID: cur.ID, Reason: "test the current " + v.noun() + " before it is delivered"})
	case isValid(t):
		return act(Step{Verb: Stage, Store: i, ID: cur.ID, Reason: "deliver the current " + v.noun()})
	default:
		return pass() // rule alive has dealt with it
	}
}
