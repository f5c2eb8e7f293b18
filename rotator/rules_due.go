package rotator

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// begin starts a rotation if one is due and nothing is against it.
func (v *view) begin() (Step, bool) {
	if nonce := v.Reserved; nonce != "" && v.primary().Notes.Intent.Nonce == nonce {
		return Step{Verb: Issue, Reason: "create the new key"}, true
	}
	reason, due := v.due()
	if !due {
		return no()
	}
	if step, ok := v.obstacle(); ok || v.patient() {
		return step, ok
	}
	if !v.Checked {
		return Step{Verb: Check, Reason: "can the admin key finish what it begins?"}, true
	}
	return Step{Verb: Reserve, Reason: reason}, true
}

// due tells whether the target needs a new key, and why. It goes by persisted
// facts only, so that a restart or a reload never rotates by itself.
func (v *view) due() (reason string, due bool) {
	cur, ok := v.current(0)
	since := since(cur)
	switch {
	case !ok:
		return "the store has no key yet", true
	case v.dead():
		return "the current key no longer works: it was revoked, or the stored value is wrong", true
	case !v.primary().Notes.Intent.IsZero():
		return "an interrupted rotation is taken up again", true
	case !v.request.RotateSince.IsZero() && cur.Promoted.Before(v.request.RotateSince):
		return "asked for", true
	case !cur.Foreign && !instantly.SameScopes(cur.Intent.Scopes, v.policy.Scopes):
		return "the scopes in the configuration changed", true
	}
	return v.dueByTime(since)
}

// since is when the age of the current key began; zero if that is not known.
func since(cur secretstore.Version) time.Time {
	if cur.Promoted.IsZero() {
		return cur.Created
	}
	return cur.Promoted
}

func (v *view) dueByTime(since time.Time) (reason string, due bool) {
	at, reason := nextDue(v.policy, since)
	if at.IsZero() {
		return "", false // of unknown age, or never due: counts as promoted now
	}
	if v.now.Before(at) {
		v.wake(at, reason)
		return "", false
	}
	return fmt.Sprintf("%s since %s", reason, at.UTC().Format(time.RFC3339)), true
}

// nextDue tells when a key of that age falls due, and why; zero if never.
func nextDue(p Policy, since time.Time) (at time.Time, reason string) {
	if since.IsZero() {
		return time.Time{}, ""
	}
	if p.Schedule != nil {
		at, reason = p.Schedule.Next(since), "due by schedule"
	}
	if p.MaxAge > 0 {
		if old := since.Add(p.MaxAge); at.IsZero() || old.Before(at) {
			at, reason = old, "too old"
		}
	}
	return at, reason
}

// cancelStep drops the intent of an interrupted rotation that must wait for its
// backoff, so that a key issued for it can be swept at once.
func (v *view) cancelStep() (Step, bool) {
	if v.primary().Notes.Intent.IsZero() {
		return no()
	}
	return Step{Verb: Cancel, Reason: "not taken up before the backoff is over"}, true
}

// obstacle is what stands between a due rotation and its beginning.
func (v *view) obstacle() (Step, bool) {
	if _, ok := v.unreadable(); ok && !v.dead() {
		return v.blocked()
	}
	if ver, ok := v.primary().Versions[secretstore.Pending]; ok && ver.Foreign {
		return stop(fmt.Errorf("store %s: %w: its pending version %s is not ours; remove its pending mark first",
			v.primary().Name, ErrByHand, ver.ID))
	}
	if step, ok := v.makeRoom(); ok {
		return step, true
	}
	if v.patient() {
		return v.cancelStep()
	}
	return no()
}

// patient tells whether the last attempts failed so recently that the next one
// must wait.
func (v *view) patient() bool {
	f := v.primary().Notes.Failure
	if f.Count == 0 || v.request.IgnoreBackoff {
		return false
	}
	until := f.At.Add(backoff(f.Count))
	if !v.now.Before(until) {
		return false
	}
	v.failing = true
	v.wake(until, "try again after the last failure")
	return true
}

// makeRoom sees to the previous version before a new rotation begins, so that
// pending, current and previous are all there ever is. One of ours lives until
// its grace is over; one that is not ours is never revoked, only forgotten.
func (v *view) makeRoom() (Step, bool) {
	for i, st := range v.Stores {
		old, ok := st.Versions[secretstore.Previous]
		if !ok {
			continue
		}
		cur, hasCurrent := v.current(i)
		if !old.Foreign {
			if v.dead() || (i == 0 && v.mayDisplace()) {
				continue // promoting will keep it and forget the dead or foreign one
			}
			return v.waitForGrace(old)
		}
		if hasCurrent && !cur.Foreign && v.inGrace() && !v.dead() {
			return v.waitForGrace(old)
		}
		return Step{Verb: Destroy, Store: i, ID: old.ID, Reason: "make room: not one of ours"}, true
	}
	return no()
}

// waitForGrace refuses a rotation that was asked for, and lets one that fell
// due wait.
func (v *view) waitForGrace(old secretstore.Version) (Step, bool) {
	if step, ok := v.graceStep(old); ok {
		return step, true
	}
	end, _ := v.graceEnd()
	switch {
	case !v.inGrace():
		return stop(fmt.Errorf("%w: key %s is previous in one store and in use in another", ErrByHand, old.ID))
	case !v.request.RotateSince.IsZero():
		return stop(&GraceError{KeyID: old.ID, Until: end})
	default:
		v.wake(end, "begin the rotation that is due")
		return Step{Verb: Settled, At: v.next, Reason: v.why}, true
	}
}
