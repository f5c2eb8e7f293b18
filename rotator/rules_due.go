package rotator

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// startRotation starts a rotation if one is due and nothing is against it.
func (v *view) startRotation() answer {
	return v.start((*view).leaveRotation, []rule{
		(*view).held, (*view).missingStore, (*view).strangePending, (*view).leased, (*view).inFreezeWindow,
		(*view).makeRoom, (*view).failedBefore, (*view).apart, (*view).beingReplaced, (*view).circuitOpen,
	})
}

// start starts a rotation, if one is due and none of the obstacles is there. leave says what
// happens where the run is to begin none.
func (v *view) start(leave rule, obstacles []rule) answer {
	_, held := v.hold()
	if nonce := v.Reserved; nonce != "" && v.primary().Notes.Intent.Nonce == nonce && !held {
		return act(Step{Verb: Issue, Reason: "create the new " + v.noun()})
	}
	reason, due := v.due()
	switch {
	case v.request.NoRotation:
		return leave(v)
	case !due:
		return v.notYetDue()
	}
	for _, obstacle := range obstacles {
		if a := obstacle(v); !a.passes() {
			return a
		}
	}
	if !v.Checked {
		return act(Step{Verb: Check, Reason: "can the admin key finish what it begins?"})
	}
	return act(Step{Verb: Reserve, Reason: reason})
}

// leaveRotation leaves a rotation that is due to another run. A previous version that
// is not to be revoked is forgotten all the same if its grace was ended on purpose: it
// would be in the way of the next rotation.
func (v *view) leaveRotation() answer {
	if a := v.makeRoom(); v.request.EndGrace && a.step != nil {
		if h, on := v.hold(); on {
			return stop(&HoldError{h})
		}
		return a
	}
	return v.leaveDue()
}

// leaveDue leaves a rotation that is due to another run.
func (v *view) leaveDue() answer {
	if reason, due := v.due(); due {
		return delay(time.Time{}, "a rotation is due, which this run leaves alone: "+reason)
	}
	return v.notYetDue()
}

// notYetDue waits for the instant at which the key falls due, unless an intent is to be
// dropped before.
func (v *view) notYetDue() answer {
	if a := v.superseded(); !a.passes() {
		return a
	}
	cur, _ := v.current(0)
	at, reason := nextDue(v.policy, v.Target, since(cur))
	if at.IsZero() {
		return pass()
	}
	return wait(at, reason)
}

// circuitOpen waits for what has just failed elsewhere to succeed once.
func (v *view) circuitOpen() answer {
	var open *CircuitOpenError
	switch {
	case v.CircuitOpen == nil:
		return pass()
	case !errors.As(v.CircuitOpen, &open) || !v.request.RotateSince.IsZero():
		return stop(v.CircuitOpen)
	default:
		return backOff(open.Until, open.Error())
	}
}

// due tells whether the target needs a new key, and why. It goes by persisted
// facts only, so that a restart or a reload never rotates by itself.
func (v *view) due() (reason string, due bool) {
	cur, ok := v.current(0)
	since := since(cur)
	switch {
	case !ok:
		return "the store has no " + v.noun() + " yet", true
	case v.noKeyIn(0):
		return "the store holds a value that is no " + v.noun() + ": it is replaced, and nothing is revoked for it", true
	case v.dead():
		return deadReason, true
	case v.followerDead():
		return "a store that follows has a dead " + v.noun() + ", and the primary's is not ours to deliver", true
	case v.suspect(cur):
		if in := v.incident(); in.Soft {
			return "to be replaced, with its grace period: incident " + in.ID, true
		}
		return "compromised: incident " + v.incident().ID, true
	case !v.primary().Notes.Intent.IsZero() && !v.intentSuperseded():
		return "an interrupted rotation is taken up again", true
	case v.asked(cur) && v.ahead(cur):
		return "asked for; " + futureStamp(cur), true
	case v.asked(cur):
		return "asked for", true
	case !cur.Foreign && cur.Intent.Spec != v.policy.Spec:
		return "the scopes in the configuration changed", true
	}
	return v.dueByTime(since)
}

const deadReason = "the current key no longer works: it was revoked, or the stored value is wrong"

// intentSuperseded tells whether the key was rotated after the intent was written: what
// it was written for has been done by another instance. That can be where a store
// has room for the intents of several. Clocks that differ can deceive it, and cost
// a rotation; with a margin for them one that was asked for, and interrupted, a
// short while after another one would be lost.
func (v *view) intentSuperseded() bool {
	cur, ok := v.current(0)
	return ok && !cur.Foreign && v.primary().Notes.Intent.At.Before(promotedFrom(cur))
}

// superseded drops an intent for which nothing is left to do, once nobody can be at it
// any more.
func (v *view) superseded() answer {
	in := v.primary().Notes.Intent
	_, held := v.hold()
	switch {
	case in.IsZero() || !v.intentSuperseded() || held:
		return pass()
	case in.Holder != v.Instance && !v.primary().HolderGone && v.within(in.At, in.Until.Sub(in.At)):
		return wait(in.Until, "drop what "+in.Holder+" began")
	default:
		return act(Step{Verb: Cancel, Reason: "the " + v.noun() + " has been rotated meanwhile"})
	}
}

// promotedFrom is the earliest instant at which a promotion can have happened:
// what is written down is the latest.
//
// To adopt a key is no rotation: that is counted from when the key was made.
func promotedFrom(cur secretstore.Version) time.Time {
	if cur.Intent.Adopted != "" {
		return since(cur)
	}
	return cur.Promoted.Add(-promotionBound(cur.Intent.Grace))
}

// asked tells whether a rotation was asked for that has not been done: by this
// run, or before it by the one that it carries on.
func (v *view) asked(cur secretstore.Version) bool {
	if v.request.RotateSince.IsZero() || v.Rotated || v.Finished || v.promotedAllTheSame(cur) {
		return false
	}
	return v.Repaired || promotedFrom(cur).Before(v.request.RotateSince) || v.ahead(cur)
}

// promotedAllTheSame tells whether the current key's promotion was told as one that failed,
// since its answer was lost: whoever asks again means that one. Nothing is withheld from who
// means another one: in the grace period it could not be made.
func (v *view) promotedAllTheSame(cur secretstore.Version) bool {
	f := v.primary().Notes.Failure
	_, stands := v.primary().Versions[secretstore.Previous]
	return stands && v.inGrace() && f.Step == string(Promote) && !cur.Foreign && cur.Intent.Adopted == "" &&
		!cur.Intent.At.IsZero() && !f.At.Before(cur.Intent.At) && !f.At.After(cur.Promoted)
}

// ahead tells whether the current key was promoted by a clock that was ahead of this
// one: its time says nothing about what was asked for since.
func (v *view) ahead(cur secretstore.Version) bool { return promotedFrom(cur).After(v.now) }

// futureStamp says what is odd about a key that was promoted by a clock that was ahead.
func futureStamp(cur secretstore.Version) string {
	return "the current key is stamped in the future (" + cur.Promoted.UTC().Format(time.RFC3339) + "): a clock was ahead"
}

// since is when the age of the current key began; zero if that is not known. One that was
// adopted is as old as its key.
func since(cur secretstore.Version) time.Time {
	if cur.Intent.Adopted != "" && !cur.Intent.At.IsZero() {
		return cur.Intent.At
	}
	if cur.Promoted.IsZero() {
		return cur.Created
	}
	return cur.Promoted
}

func (v *view) dueByTime(since time.Time) (reason string, due bool) {
	at, reason := nextDue(v.policy, v.Target, since)
	if at.IsZero() || v.now.Before(at) { // zero: of unknown age, or never due; counts as promoted now
		return "", false
	}
	return fmt.Sprintf("%s since %s", reason, at.UTC().Format(time.RFC3339)), true
}

// nextDue tells when a target's key of that age falls due, and why; zero if never.
func nextDue(p Policy, target string, since time.Time) (at time.Time, reason string) {
	if since.IsZero() {
		return time.Time{}, ""
	}
	if p.Schedule != nil {
		at, reason = nextTick(p.Schedule, since), "due by schedule"
	}
	if !at.IsZero() {
		at = at.Add(jitter(target, p.Jitter))
	}
	if p.MaxAge > 0 {
		if old := since.Add(p.MaxAge); at.IsZero() || old.Before(at) {
			at, reason = old, "too old"
		}
	}
	if p.Freeze != nil && !at.IsZero() {
		if end := p.Freeze.FreezeWindowEnd(at); !end.IsZero() {
			at, reason = end, reason+", after the freeze window"
		}
	}
	return at, reason
}

// zoneShift is the most by which a change of time zone moves a tick.
const zoneShift = 26 * time.Hour

// nextTick gives the first tick that is not the one the key was promoted for. A
// change of the time zone moves that tick to after the promotion; rotating for it
// again would be a rotation by configuration. So a tick close behind the
// promotion, by at most zoneShift or half the schedule's interval, is passed over.
func nextTick(s Schedule, since time.Time) time.Time {
	first := s.Next(since)
	second := s.Next(first)
	if first.IsZero() || second.IsZero() {
		return first
	}
	if first.Sub(since) < min(zoneShift, second.Sub(first)/2) {
		return second
	}
	return first
}

// missingStore lets no rotation begin while a store cannot be read, unless the
// current key is dead anyhow.
func (v *view) missingStore() answer {
	if v.dead() {
		return pass()
	}
	return v.blocked()
}

// strangePending leaves a pending version alone that is not ours.
func (v *view) strangePending() answer {
	ver, ok := v.primary().Versions[secretstore.Pending]
	if !ok || !ver.Foreign {
		return pass()
	}
	how := "remove its pending mark first"
	for _, advice := range v.primary().Advice {
		if strings.Contains(advice, ver.ID) {
			how = advice
		}
	}
	return stop(fmt.Errorf("store %s: %w: its pending version %s is not ours; %s", v.primary().Name, ErrByHand, ver.ID, how))
}

// urgentBackoff is the longest wait while the current key is dead: each attempt
// costs a key at Instantly, but consumers have none.
const urgentBackoff = time.Minute

// failedBefore lets a rotation wait whose last attempts failed, unless the
// caller is in a hurry. The intent of the failed attempt is dropped meanwhile, so
// that a key issued for it can be swept at once.
func (v *view) failedBefore() answer {
	f := v.primary().Notes.Failure
	if f.Count == 0 || f.Step == string(Supply) || v.request.IgnoreBackoff || v.emergency() || f.At.After(v.now) { // a clock was wrong
		return pass()
	}
	interval := backoff(f.Count)
	if v.dead() {
		interval = min(interval, urgentBackoff)
	}
	if !v.within(f.At, interval) {
		return pass()
	}
	if in := v.primary().Notes.Intent; !in.IsZero() && !in.At.After(f.At) { // a later one is another instance's
		return act(Step{Verb: Cancel, Reason: "not taken up before the backoff is over"})
	}
	return backOff(f.At.Add(interval), "try again after the last failure")
}

// makeRoom sees to the primary's previous version before a new rotation begins, so
// that pending, current and previous are all there ever is. It lives until its grace
// is over. One that is not revoked, since it is not ours or the target is
// quarantined, is forgotten then: its key, if ours, is retired later, see outdated.
func (v *view) makeRoom() answer {
	old, ok := v.primary().Versions[secretstore.Previous]
	switch {
	case !ok || v.mayDisplace():
		return pass()
	case v.inGrace():
		return v.waitForGrace(old)
	case old.Foreign || v.quarantined() || v.inUse(old.ID) || !IsRevocable(old.Intent.Adopted):
		return act(Step{Verb: Destroy, ID: old.ID, Reason: "make room for the next key"})
	default:
		return v.waitForGrace(old)
	}
}

// waitForGrace refuses a rotation that was asked for, and lets one that fell
// due wait.
func (v *view) waitForGrace(old secretstore.Version) answer {
	if a := v.graceStep(); !a.passes() {
		return a
	}
	end, _ := v.graceEnd()
	behind, waits := v.sinkWithout()
	switch {
	case waits && !v.emergency() && !v.request.RotateSince.IsZero():
		return stopAt(Supply, v.sinkTrouble(behind))
	case !v.inGrace():
		return delay(time.Time{}, "the old key "+old.ID+" must go first")
	case !v.request.RotateSince.IsZero():
		return stop(&GraceError{KeyID: old.ID, Foreign: old.Foreign, Until: end})
	default:
		return delay(end, "begin the rotation that is due")
	}
}
