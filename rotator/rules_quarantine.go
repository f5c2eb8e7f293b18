package rotator

import (
	"errors"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A target is quarantined while one of its stores gives consumers a value of unknown
// origin: one that somebody put there, or whose record was lost. It may be any of our
// keys. So nothing is revoked or swept then; the next rotation replaces it, with a full
// grace period. Nothing is inferred about what hands meant.

// quarantined tells whether it is so, or was in this run.
//
// An incident is a person's word that old keys must die whatever consumers have. It
// waits only until no store gives a value of unknown origin as current, which it has
// replaced like every other.
func (v *view) quarantined() bool {
	_, on := v.quarantine()
	return on
}

// quarantine gives the reason.
func (v *view) quarantine() (why string, on bool) {
	for i, st := range v.Stores {
		if cur, ok := v.current(i); ok && cur.Foreign {
			return quarantineReason(st.Name, cur), true
		}
		if v.emergency() {
			continue
		}
		if old, ok := st.Versions[secretstore.Previous]; ok && old.Foreign && !v.replaced(i, old) {
			return quarantineReason(st.Name, old), true
		}
	}
	return "a value of unknown origin was current a moment ago", v.Foreign && !v.emergency()
}

func quarantineReason(store string, ver secretstore.Version) string {
	return "quarantined: store " + store + " has version " + ver.ID + " of unknown origin, nothing is revoked until a rotation has replaced it and its grace is over"
}

// replaced tells whether a displaced version of unknown origin has had its grace since
// the rotation that replaced it. One that came after the promotion of the current key
// was put aside by a hand; when, nobody knows.
func (v *view) replaced(i int, old secretstore.Version) bool {
	cur, ok := v.current(i)
	return ok && !old.Created.IsZero() && old.Created.Add(clockMargin).Before(cur.Promoted) && !v.inGrace()
}

// mayHoldUnnamed tells whether a store may have the value of a key that no record names:
// then it is neither swept, nor given up, nor retired. A pending version of unknown
// origin is not what consumers get, but may come to be. (On GCP readers of the latest
// version have it already. There it is known not to be the value of a version on record,
// so those may be retired.) Nor is what a write forgot that was cut off, while readers
// still get it.
func (v *view) mayHoldUnnamed() bool {
	return v.quarantined() || slices.ContainsFunc(v.Stores, func(st StoreState) bool {
		return st.Unfinished || st.Versions[secretstore.Pending].Foreign
	})
}

// foreign finds out in an incident whether values of unknown origin work, which it
// replaces: the keys of those that do only a person can revoke, and that is noted down.
func (v *view) foreign() answer {
	for _, at := range v.foreignPlaces() {
		t := v.Tests[at]
		switch {
		case t.Tries == 0:
			return act(Step{Verb: Verify, Store: at.store, ID: at.id, Reason: "does the value of unknown origin work?"})
		case isInvalid(t) && !refused(t) && !errors.Is(t.Err, ErrNoKey):
			return again(Verify, at.store, at.id, t, time.Time{}, "refused: a slip, or is it dead?")
		}
	}
	return pass()
}

// leavesForeign tells whether one of them works, or may.
func (v *view) leavesForeign() bool {
	return !v.Sent && slices.ContainsFunc(v.foreignPlaces(), func(at place) bool {
		t := v.Tests[at]
		return t.Tries > 0 && !isInvalid(t)
	})
}

// foreignPlaces gives, in an incident of either kind, where stores have values of unknown origin that
// consumers are given, or were.
func (v *view) foreignPlaces() []place {
	var at []place
	for i, st := range v.Stores {
		for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous} {
			if ver, ok := st.Versions[stage]; ok && ver.Foreign && v.incident().Open() {
				at = append(at, place{i, ver.ID})
			}
		}
	}
	return at
}
