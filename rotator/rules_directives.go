package rotator

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Directives are what people told all instances through the stores: holds and
// incidents.

// hold gives the hold in force. Every store is asked: one that follows may have
// been the primary before the configuration's order was changed.
func (v *view) hold() (secretstore.Hold, bool) {
	for _, st := range v.Stores {
		if h := st.Notes.Hold; h.On(v.now) {
			return h, true
		}
	}
	return secretstore.Hold{}, false
}

// waitForHold waits for the end of the hold in force.
func (v *view) waitForHold() answer {
	h, on := v.hold()
	if !on {
		return pass()
	}
	return wait(h.Until, heldBy(h))
}

// held lets no rotation begin while a hold is set. One that was asked for is
// refused, so that nobody takes it for done.
func (v *view) held() answer {
	h, on := v.hold()
	switch {
	case !on:
		return pass()
	case !v.request.RotateSince.IsZero():
		return stop(&HoldError{h})
	default:
		return delay(h.Until, heldBy(h))
	}
}

// heldBy is why a hold makes something wait. One without an end must say what ends it.
func heldBy(h secretstore.Hold) string {
	why := (&HoldError{h}).Error()
	if h.Until.IsZero() {
		why += "; it has no end: release it to go on"
	}
	return why
}

// declare notes an incident down before anything else is done about it, and
// before Instantly is asked for anything: from then on every instance carries it
// on, whatever is out of reach now.
func (v *view) declare() answer {
	asked := v.request.Incident != "" && !v.Declared
	if asked && !v.observed() {
		return act(Step{Verb: Observe, Reason: "read the stores"})
	}
	in, due := v.toDeclare()
	if _, lost := v.lostBecause(); !due || lost || (v.unused() && v.Listed == 0) {
		return pass() // not to be noted in a place where a store was: the keys tell
	}
	switch {
	case v.ordersIncident():
	case in.Unrevoked && !v.incident().Unrevoked:
		return act(Step{Verb: Declare, Reason: "a value of unknown origin works, which only a person can revoke"})
	default:
		return act(Step{Verb: Declare, Reason: "incident " + in.ID + " is open in a store that follows"})
	}
	if h, on := v.hold(); on {
		return stop(&HoldError{h})
	}
	return act(Step{Verb: Declare, Reason: "every " + v.noun() + " of until now is to be replaced and revoked"})
}

// toDeclare gives the incident that is to be noted down in the primary: the one that was
// asked for, or one that is open in another store.
func (v *view) toDeclare() (in secretstore.Incident, due bool) {
	if !v.observed() || v.primary().Err != nil {
		return in, false
	}
	if v.ordersIncident() {
		return v.askedIncident(), true
	}
	in = v.incident()
	in.Unrevoked = in.Unrevoked || v.leavesForeign()
	return in, in.Open() && in != v.primary().Notes.Incident
}

// ordersIncident tells whether an incident was asked for that is not on record yet.
func (v *view) ordersIncident() bool {
	return v.request.Incident != "" && !v.Declared && (!v.declared() || v.hardens()) && !v.answered()
}

// hardens tells whether the incident that was asked for is open as a soft one, and is to
// be one no longer: what grace there is left is ended.
func (v *view) hardens() bool { return v.declared() && v.incident().Soft && !v.request.Soft }

// askedIncident is the one that was asked for. One that is open meanwhile becomes a part of
// it, by its name too; if it is about every key that is there, so is this one a part of it:
// who gave the other order goes on, and the key that they made is not replaced once more.
func (v *view) askedIncident() secretstore.Incident {
	in := secretstore.Incident{ID: shorten(v.request.Incident), At: v.afterAll(), Soft: v.request.Soft}
	open := v.incident()
	if v.hardens() {
		open.Soft = false
		return open
	}
	if !open.Open() {
		return in
	}
	in.Unrevoked, in.Soft = open.Unrevoked, in.Soft && open.Soft
	if both := open.ID + nameSeparator + in.ID; len(both) <= secretstore.MaxReason {
		in.ID = both
	}
	if v.coversAll(open) {
		in.At = open.At
	}
	return in
}

// nameSeparator stands between the names of incidents that became one.
const nameSeparator = ", "

// named tells whether an incident on record is, by name, the one that was asked for, or
// has all of those in it.
func (v *view) named(noted secretstore.Incident) bool {
	if v.request.Incident == "" || noted.IsZero() {
		return false
	}
	all := strings.Split(noted.ID, nameSeparator)
	for name := range strings.SplitSeq(shorten(v.request.Incident), nameSeparator) {
		if !slices.Contains(all, name) {
			return false
		}
	}
	return true
}

// coversAll tells whether an incident is about every key that a store has, or that may
// have been issued for an intent.
func (v *view) coversAll(in secretstore.Incident) bool {
	if intent := v.primary().Notes.Intent; !intent.IsZero() && !intent.At.Before(in.At) {
		return false
	}
	for _, st := range v.Stores {
		for _, ver := range st.Versions {
			if !ver.Foreign && !born(ver).Before(in.At) {
				return false
			}
		}
	}
	return true
}

// incident gives the newest one on record. Every store is asked: one that follows may
// have been the primary before the configuration's order was changed. Where two have the
// same one, to the second that a store keeps, it is resolved if either says so.
func (s State) incident() secretstore.Incident {
	var newest secretstore.Incident
	for _, st := range s.Stores {
		in := st.Notes.Incident
		same := in.At.Sub(newest.At).Abs() < time.Second
		if (same && !in.Open()) || (!same && in.At.After(newest.At)) {
			newest = in
		}
	}
	return newest
}

// afterAll is now, or later where a key that the stores have was issued by a clock
// that is ahead: an incident comes after every key that is there.
func (v *view) afterAll() time.Time {
	at := v.now
	if intent := v.primary().Notes.Intent; !intent.IsZero() && !at.After(intent.At) {
		at = intent.At.Add(time.Second)
	}
	for _, st := range v.Stores {
		for _, ver := range st.Versions {
			if b := born(ver); !at.After(b) {
				at = b.Add(time.Second)
			}
		}
	}
	return at
}

// declared tells whether the incident that was asked for is on record, and not done
// with: it is carried on.
func (v *view) declared() bool {
	noted := v.incident()
	return noted.Open() && v.named(noted)
}

// answered tells whether the incident that was asked for is done with already, and
// every store has a key of after it: two people may give the same order, and consumers
// were just brought to that key. To do it again takes a word of its own.
func (v *view) answered() bool {
	noted := v.incident()
	if v.request.Again || noted.Open() || !v.named(noted) {
		return false
	}
	for i, st := range v.Stores {
		cur, ok := st.Versions[secretstore.Current]
		if i > 0 && !ok {
			continue // not read, which rule blocked tells, or new: no consumer has an old key from it
		}
		if !ok || cur.Foreign || born(cur).Before(noted.At) {
			return false
		}
	}
	return true
}

// emergency tells whether an incident was declared and is not done with, in which keys
// get no grace.
func (s State) emergency() bool {
	in := s.incident()
	return in.Open() && !in.Soft
}

// suspect tells whether a version's key was issued before the incident, or may
// have been, as every key of unknown origin.
func (v *view) suspect(ver secretstore.Version) bool {
	return v.incident().Open() && (ver.Foreign || born(ver).Before(v.incident().At))
}

// resolve takes the incident off when every store has a key of after it and no
// older one is left.
func (v *view) resolve() answer {
	cur, ok := v.current(0)
	if !v.incident().Open() || !ok || v.suspect(cur) || v.dead() || len(v.old()) > 0 || len(v.outdated()) > 0 {
		return pass()
	}
	for i, st := range v.Stores {
		if has, ok := v.current(i); st.Err != nil || !ok || has.ID != cur.ID {
			return pass()
		}
	}
	if _, ok := v.primary().Versions[secretstore.Pending]; ok {
		return pass()
	}
	return act(Step{Verb: Resolve, Reason: "every " + v.noun() + " of before the incident is gone"})
}

// leased leaves a rotation to the instance that has begun it, for as long as
// that may still be at it.
func (v *view) leased() answer {
	in, f := v.primary().Notes.Intent, v.primary().Notes.Failure
	ended := f.Count > 0 && !f.At.Before(in.At) // and says so
	if in.IsZero() || in.Until.IsZero() || in.Holder == v.Instance || v.primary().HolderGone || ended || v.request.IgnoreBackoff ||
		!v.within(in.At, in.Until.Sub(in.At)) {
		return pass()
	}
	if !v.request.RotateSince.IsZero() {
		return stop(&BusyError{Holder: in.Holder, Until: in.Until})
	}
	return delay(in.Until, "take up what "+in.Holder+" began")
}

// pressing tells whether a rotation begins whatever the calendar says: it was
// asked for, has begun already, or consumers need it.
func (v *view) pressing() bool {
	cur, ok := v.current(0)
	return v.dead() || (ok && (v.suspect(cur) || v.asked(cur))) || !v.primary().Notes.Intent.IsZero() ||
		(!ok && !v.request.RotateSince.IsZero())
}

// inFreezeWindow lets no rotation begin by itself in one.
func (v *view) inFreezeWindow() answer {
	if v.policy.Freeze == nil || v.pressing() {
		return pass()
	}
	until := v.policy.Freeze.FreezeWindowEnd(v.now)
	if until.IsZero() {
		return pass()
	}
	return delay(until, "in a freeze window until then, and the rotation is due")
}

// jitter gives a target's own delay, at most most: the same on every instance
// and at every tick.
func jitter(target string, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(target)) // never fails
	return time.Duration(h.Sum64() % uint64(most)).Truncate(time.Second)
}
