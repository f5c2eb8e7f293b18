package rotator

import (
	"fmt"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A store that holds nothing may be a new one, or the place where a store was: its
// folder was moved, its disk is not mounted, its secret was deleted and made again. To
// issue a key into that would leave consumers of the true store with a key that
// nobody looks after. What tells the two apart must survive the loss of the store, so
// it is not in the store: the issuer's key list has every key that was issued for the
// target, with the fingerprint of the store it was issued for, which no store made
// later has; and a store that follows has a copy.

// lost stops where the primary holds nothing although keys were issued for the target.
func (v *view) lost() answer {
	if err := v.lostError(); err != nil {
		return stop(err)
	}
	return pass()
}

func (v *view) lostError() error {
	why, lost := v.lostBecause()
	if !lost {
		return nil
	}
	return fmt.Errorf("store %s: %w: %s", v.primary().Name, ErrStoreLost, why)
}

// lostBecause tells why the primary must have held a key; false if it may be new. The
// keys must have been listed.
func (v *view) lostBecause() (why string, lost bool) {
	if v.request.BeginAnew || !v.unused() {
		return "", false
	}
	for _, st := range v.Stores[1:] {
		if cur, ok := st.Versions[secretstore.Current]; ok && !cur.Foreign {
			return fmt.Sprintf("store %s, which follows it, has key %s", st.Name, cur.ID), true
		}
	}
	switch n := v.issuedElsewhere(); n {
	case 0:
		return "", false
	case 1:
		return "the key list has one that was issued for " + v.Target, true
	default:
		return fmt.Sprintf("the key list has %d that were issued for %s", n, v.Target), true
	}
}

// issuedElsewhere counts the keys that were issued for the target while it was kept in
// other stores than now. A key of these stores that none of them has may be what an
// attempt left behind: rule sweep sees to it.
func (v *view) issuedElsewhere() int {
	elsewhere := slices.DeleteFunc(slices.Clone(v.Issued[issuedFor(v.policy.Owner, v.Target)]), func(store string) bool {
		return slices.ContainsFunc(v.Stores, func(st StoreState) bool { return fingerprint(st.Identity) == store })
	})
	return len(elsewhere)
}

// unused tells whether nothing was begun in the primary, as far as it says. What people
// order may be noted in a new store too.
func (v *view) unused() bool {
	st := v.primary()
	return st.Err == nil && len(st.Versions) == 0 && st.Notes.Intent.IsZero() && st.Notes.Failure.Count == 0
}
