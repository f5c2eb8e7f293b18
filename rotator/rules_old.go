package rotator

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// retire takes displaced keys of ours out of use: wait for the end of grace,
// make sure once more that the current key works everywhere, revoke, prove,
// destroy. A key that this very run displaced is left to a later one, so that
// nothing that held this process up can have eaten the grace.
func (v *view) retire() answer {
	if _, ok := v.current(0); !ok || len(v.toRetire()) == 0 {
		return pass()
	}
	if _, ok := v.unreadable(); ok || v.dead() || (v.Displaced && !v.emergency()) {
		return v.laterRun()
	}
	if why, on := v.quarantine(); on {
		return wait(time.Time{}, why)
	}
	if h, on := v.hold(); on && v.request.EndGrace && v.request.NoRotation {
		return stop(&HoldError{h}) // asked for: nobody is to take it for done
	}
	if a := v.waitForHold(); !a.passes() {
		return a
	}
	waits := pass()
	for _, old := range v.toRetire() {
		if v.inUse(old) {
			continue // rule deliver moves the store on
		}
		a := v.retireOne(old).report()
		if a.step != nil {
			return a
		}
		if waits.passes() || a.wait != nil && a.wait.trouble != nil {
			waits = a
		}
	}
	return waits
}

// toRetire gives the ids of the displaced keys that are still somewhere: those of
// which a store has a version first.
func (v *view) toRetire() []string {
	var ids []string
	for _, old := range v.old() {
		ids = append(ids, old.ID)
	}
	if _, ok := v.unreadable(); ok || v.mayHoldUnnamed() {
		return ids
	}
	return append(ids, v.outdated()...)
}

// laterRun leaves the displaced keys to one.
func (v *view) laterRun() answer {
	for _, old := range v.old() {
		if _, listed := v.Keys[old.ID]; !listed && v.Displaced && !v.inUse(old.ID) {
			return wait(v.now, proveLater(old.ID))
		}
	}
	end, known := v.graceEnd()
	if known && end.Before(v.now) && v.Displaced {
		end = v.now
	}
	if !known || end.Before(v.now) {
		return pass() // what keeps them is no question of time
	}
	return wait(end, v.endOf(v.toRetire()[0]))
}

// endOf says what happens to a displaced key when its grace period is over.
func (v *view) endOf(id string) string {
	if v.isByHand(id) {
		return "the old key " + id + " is to be revoked by hand"
	}
	return "revoke the old key " + id
}

func proveLater(id string) string {
	return "prove that the old key " + id + " is dead: the key list does not have it"
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

func (v *view) retireOne(id string) answer {
	if _, listed := v.Keys[id]; !listed {
		return v.proveStep(id) // gone already: there is no grace for a dead key
	}
	if a := v.graceStep(); !a.passes() {
		return a
	}
	if v.inGrace() {
		return v.laterRun()
	}
	if at, ok := v.Revoked[id]; ok {
		return v.stillListed(id, at)
	}
	if a := v.untroubled(id); !a.passes() {
		return a
	}
	if a := v.sinksBehind(); !a.passes() {
		return a
	}
	if a := v.gateOpen(); !a.passes() {
		return a
	}
	if v.isByHand(id) {
		return v.leaveKey(id)
	}
	if a := v.confirmCurrent(); !a.passes() {
		return a
	}
	if a := v.assume(); !a.passes() {
		return a
	}
	reason := "grace is over and its successor works everywhere"
	if v.emergency() {
		reason = "compromised, and its successor works everywhere"
		if still := v.sinksWith(id); still != "" {
			reason = "compromised, and its successor works in every store; still in sink " + still
		}
	}
	return act(Step{Verb: Revoke, ID: id, Reason: reason})
}

// untroubled keeps an old key alive while a store says that something is wrong with it:
// its consumers may not be able to read the current key, although this process is. In an
// incident nobody is waited for.
func (v *view) untroubled(id string) answer {
	if v.emergency() {
		return pass()
	}
	for _, st := range v.Stores {
		if st.Trouble != nil {
			return stop(fmt.Errorf("store %s: the old key %s lives on until this is put right: %w", st.Name, id, st.Trouble))
		}
	}
	return pass()
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
func (v *view) graceStep() answer {
	for i := range v.Stores {
		if cur, ok := v.current(i); ok && cur.Promoted.IsZero() {
			return act(Step{Verb: Repair, Store: i, ID: cur.ID, Reason: "its promotion time is not known: count from now"})
		}
	}
	return pass()
}

// confirmCurrent is the last reading before a key is revoked: the current version of
// every store passes a test call, and every store is read again after that and
// after the key list, since somebody may have changed it in between.
func (v *view) confirmCurrent() answer {
	last := v.Listed
	for i := range v.Stores {
		cur, ok := v.current(i)
		if !ok {
			continue // nobody reads a key there
		}
		t, ok := v.tested(i, cur.ID)
		switch {
		case !ok:
			return act(Step{Verb: Verify, Store: i, ID: cur.ID, Reason: "test the current key before the old one goes"})
		case isInvalid(t) && !refused(t):
			return again(Verify, i, cur.ID, t, time.Time{}, "refused: a slip, or is it dead?")
		case isInvalid(t) && v.Stores[i].Seen <= t.Seq:
			return act(Step{Verb: Observe, Reason: "refused: has another instance moved the store on?"})
		case isInvalid(t):
			return stop(notAsStored(v.Stores[i].Name, cur.ID, t))
		case !isValid(t):
			return inconclusive(Verify, cur.ID, t)
		}
		last = max(last, t.Seq)
	}
	if a := v.askSinksAgain(last); !a.passes() {
		return a
	}
	if !v.emergency() {
		// Another instance may have made good what somebody changed in a sink: then only the
		// receipt tells that the grace period began anew.
		last = max(last, v.sinksSeen())
	}
	if !v.seenSince(last) {
		return act(Step{Verb: Observe, Reason: "read the stores again before the old key goes"})
	}
	return pass()
}

// stillListed waits for the key list to lose a revoked key.
func (v *view) stillListed(id string, revoked time.Time) answer {
	if v.within(revoked, v.policy.Revocation) {
		return act(Step{
			Verb: List, At: v.now.Add(pause(4)), Since: revoked, Until: revoked.Add(v.policy.Revocation),
			Reason: "the revoked key " + id + " is still listed",
		})
	}
	return stop(fmt.Errorf("key %s: %w: it was revoked but is still listed", id, ErrStillAlive))
}

// proveStep is for a key that the list no longer has: its value must be refused
// before the stores may forget it. "Deleted" is a claim until shown. Where no store has its
// value any more nothing can show it: the key list has to do, once the grace period is over,
// and it is not told as proven.
func (v *view) proveStep(id string) answer {
	i := v.askable(id)
	if i < 0 && v.inGrace() {
		return v.laterRun()
	}
	if i < 0 {
		return act(Step{Verb: Destroy, Store: v.lastHolder(id), ID: id, Reason: "the key list does not have it, nor any store its value"})
	}
	t, ok := v.tested(i, id)
	switch {
	case !ok:
		return act(Step{Verb: Prove, Store: i, ID: id, Reason: "does the revoked key get a 401?"})
	case isInvalid(t) && !refused(t) && v.inGrace():
		return again(Prove, i, id, t, time.Time{}, "refused: a slip, or is it dead?")
	case isInvalid(t):
		// The primary's record goes last: it says that work is left.
		return act(Step{Verb: Destroy, Store: v.lastHolder(id), ID: id, Reason: "proven dead", Proven: t.At})
	case !isValid(t):
		return inconclusive(Prove, id, t)
	case v.within(t.First, v.policy.Revocation):
		return again(Prove, i, id, t, t.First.Add(v.policy.Revocation), "revocation takes effect late")
	default:
		return stop(fmt.Errorf("key %s: %w: the key list lacks it, but it is still accepted", id, ErrStillAlive))
	}
}

// witness makes the test call that must be refused right after a key was revoked,
// before the keys are listed: those may be many, and the sooner a compromised key
// is seen dead the better.
func (v *view) witness() answer {
	if v.Listed != 0 {
		return pass()
	}
	for _, old := range v.old() {
		at, revoked := v.Revoked[old.ID]
		i := v.holder(old.ID)
		if t, ok := v.Tests[place{i, old.ID}]; revoked && (!ok || t.At.Before(at)) {
			return act(Step{Verb: Prove, Store: i, ID: old.ID, Reason: "does the revoked key get a 401?"})
		}
	}
	return pass()
}

// holder gives the first store that has the version as previous.
func (v *view) holder(id string) int { return slices.IndexFunc(v.Stores, holds(id)) }

// askable gives the first of them whose value a test call can be made with, as far as is known;
// -1 if there is none.
func (v *view) askable(id string) int {
	for i, st := range v.Stores {
		if holds(id)(st) && !v.Tests[place{i, id}].Unasked {
			return i
		}
	}
	return -1
}

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
// ones. It must have read the stores after the list was begun: then a
// listed key that no version and no intent names can never be staged any more.
func (v *view) sweep() answer {
	if _, ok := v.unreadable(); ok || v.mayHoldUnnamed() {
		return pass()
	}
	for _, id := range v.leftOver() {
		if _, ok := v.Revoked[id]; ok || v.Unswept[id] || v.marked(id) != "" {
			continue // the next run's list shows whether it is gone; or a sink has it, which somebody gave it
		}
		if !v.seenSince(v.Listed) {
			return act(Step{Verb: Observe, Reason: "read the stores again before a key is swept"})
		}
		return act(Step{Verb: Sweep, ID: id, Reason: "no store refers to it"})
	}
	return pass()
}

// leftOver gives the orphans that were never current: those younger than every key
// of which the stores have a version, and those of an intent that stood until this run
// gave it up. Only they are swept.
func (v *view) leftOver() []string {
	return slices.DeleteFunc(v.orphans(), func(id string) bool { return v.mayHaveBeenCurrent(v.Keys[id]) })
}

// outdated gives the other orphans. Somebody, or a lost record, took their versions
// out of the stores; consumers may have them still. They are retired as a key is
// whose version is there: after the grace period of the current one.
func (v *view) outdated() []string {
	return slices.DeleteFunc(v.orphans(), func(id string) bool {
		_, revoked := v.Revoked[id] // the next run's list shows whether it is gone
		return revoked || !v.mayHaveBeenCurrent(v.Keys[id])
	})
}

// orphans gives, in a stable order, the listed keys that bear our owner and the
// fingerprint of one of the target's stores, and that no version and no intent refers
// to, by its id or by the nonce in its name. (A store may have been the primary before the configuration's order was
// changed.)
func (v *view) orphans() []string {
	var ids []string
	for _, st := range v.Stores {
		for _, id := range v.Named[fingerprint(st.Identity)] {
			if v.isOrphan(v.Keys[id]) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (v *view) isOrphan(k Key) bool {
	name, ok := parseKeyName(k.Name)
	if !ok || name.Owner != v.policy.Owner || (v.InHand != nil && v.InHand.ID == k.ID) {
		return false
	}
	return !slices.ContainsFunc(v.Stores, func(st StoreState) bool {
		_, _, held := st.Find(k.ID)
		return held || name.Nonce == st.Notes.Intent.Nonce || st.refersTo(name.Nonce)
	})
}

// clockMargin allows for clocks that differ between Instantly, a store and instances.
const clockMargin = 10 * time.Minute

// mayHaveBeenCurrent tells whether a store may have given an orphan to consumers: then
// it was made before some key of which there still is a version. Instantly's own clock
// says so where it lists both. Where no version of ours is left, the stores may have been
// emptied, and any key may have been the current one.
func (v *view) mayHaveBeenCurrent(k Key) bool {
	if name, _ := parseKeyName(k.Name); v.GivenUp[name.Nonce] {
		return false
	}
	if len(v.Sinks) > 0 {
		return true // one may have it still, whatever became of the store: see receiptOutdated
	}
	emptied := true
	for _, st := range v.Stores {
		for _, ver := range st.Versions {
			if ver.Foreign {
				continue
			}
			emptied = false
			made := born(ver).Add(clockMargin)
			switch other, listed := v.Keys[ver.ID]; {
			case ver.Intent.Adopted != "": // what it took the place of may be younger than it
				made = later(ver.Created, ver.Promoted).Add(clockMargin)
				if made.Before(born(ver)) {
					return true // nobody knows when
				}
			case listed && !other.Created.IsZero():
				made = other.Created
			}
			if !k.Created.After(made) {
				return true
			}
		}
	}
	return emptied
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
