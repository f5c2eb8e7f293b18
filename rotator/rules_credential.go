package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A target may hold the credential that its workspace's issuer acts with: the admin
// key. Each such key is issued by its predecessor, and only its successor revokes it:
// by then the successor was read back from the store, tested for what it must be able
// to do, and is what the issuer acts with.

// Successor is an [Issuer] whose own credential may be one of the keys that it issues.
type Successor interface {
	Issuer
	// ActWith has the issuer, and all that share its credential, act with value from the
	// next call on.
	ActWith(value secret.Value)
}

// assumed has the issuer act with a new credential as soon as that is current.
func (v *view) assumed() answer {
	cur, ok := v.current(0)
	if !v.Credential || !v.Rotated || !ok {
		return pass()
	}
	if t, ok := v.tested(0, cur.ID); !ok || !isValid(t) {
		return pass() // rule retire tests it again
	}
	return v.assume()
}

// assume has the issuer act with the current key, which was just tested.
func (v *view) assume() answer {
	cur, _ := v.current(0)
	if !v.Credential || v.ActsWith == cur.ID {
		return pass()
	}
	return act(Step{Verb: Assume, ID: cur.ID, Reason: "the successor acts from now on, and revokes its predecessor"})
}

func (r *run) assume(_ context.Context, s Step) error {
	issuer, ok := r.target.Workspace.issuer.(Successor)
	value := r.read[place{0, s.ID}]
	if !ok || value.IsZero() {
		return fmt.Errorf("key %s: %w", s.ID, errNoSuccessor)
	}
	issuer.ActWith(value)
	r.target.Workspace.succeeded()
	r.ActsWith = s.ID
	return nil
}

var errNoSuccessor = errors.New("nothing can act with it")

// A replacement of the credential that is under way.
type replacement struct {
	target, by string
	until      time.Time // when it is not under way any more, however it stands
}

const (
	// replacementInterval is how often it is asked whether a replacement is done.
	replacementInterval = 5 * time.Second
	// longestReplacement is how long one may be under way that has not said.
	longestReplacement = 10 * time.Minute
)

// beingReplaced lets no rotation begin while the credential is being replaced that it would
// be begun with. What has begun goes on: the old one lives for its grace period. A
// replacement that was cut off is not waited for longer than it may take.
func (v *view) beingReplaced() answer {
	if !v.Awaits {
		return pass()
	}
	if !v.Survey.done {
		return act(Step{Verb: Survey, Reason: "is the admin key being replaced?"})
	}
	now := v.Survey.replacement
	if !v.now.Before(now.until) {
		return pass()
	}
	why := "the admin key is being replaced (" + now.target + ")"
	switch {
	case v.request.RotateSince.IsZero() && v.request.Incident == "":
		return delay(v.now.Add(replacementInterval), why)
	case v.now.Before(v.Survey.first.Add(v.policy.Activation)):
		return act(Step{
			Verb: Survey, At: v.now.Add(time.Second), Since: v.Survey.first, Until: v.Survey.first.Add(v.policy.Activation), Reason: why,
		})
	default:
		return stop(fmt.Errorf("%s: %w", why, &BusyError{Holder: now.by, Until: now.until}))
	}
}

// replacementOf tells of a credential's store whether it is being replaced.
func (r *run) replacementOf(st NamedStore, snap secretstore.Snapshot) replacement {
	in := snap.Notes.Intent
	if ver, ok := snap.Versions[secretstore.Pending]; ok && !ver.Foreign {
		in = ver.Intent
	}
	cur, f := snap.Versions[secretstore.Current], snap.Notes.Failure
	done := !cur.Foreign && in.At.Before(promotedFrom(cur))
	if failed := f.Count > 0 && !f.At.Before(in.At); in.IsZero() || done || failed || r.now().Before(in.At) {
		return replacement{}
	}
	until := in.Until
	if until.IsZero() {
		until = in.At.Add(longestReplacement)
	}
	return replacement{target: st.Name, by: in.Holder, until: until}
}
