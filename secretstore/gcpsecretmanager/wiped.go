package gcpsecretmanager

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A record can be wiped while a new version lies on top of the current one. The
// writer takes the new one away, and what is left says nothing of the one below,
// whose key consumers may have. So that one is sought.

// maxDepth is how far below the newest version it is sought, a call each: it
// is right below, but for what a few failed attempts have left destroyed between.
// To list the versions would be one call, and need one permission more.
const maxDepth = 20

// blank tells whether the state knows of no version and never did.
func (st state) blank() bool { return st.Settled == 0 && len(st.Versions) == 0 }

// uncover takes into a blank state the newest version that is enabled, if the
// newest one of all is not.
func (s *Store) uncover(ctx context.Context, st state, top sighting) (next state, below sighting, err error) {
	if !st.blank() || top.enabled || top.number < 2 {
		return st, sighting{}, nil
	}
	below, err = s.below(ctx, top.number)
	return st.uncovered(below, top.number), below, err
}

// below finds the newest enabled version under a number; number 0 for none.
func (s *Store) below(ctx context.Context, top int64) (sighting, error) {
	for n := top - 1; n >= max(1, top-maxDepth); n-- {
		seen, err := s.sighted(ctx, n)
		if err != nil || seen.enabled {
			return seen, err
		}
	}
	return sighting{}, nil
}

// uncovered shows a version below the newest one as previous and foreign:
// readers of the latest version do not get it, but may have got it before. All
// is accounted for then but the newest one, which may be enabled again.
func (st state) uncovered(below sighting, top int64) state {
	st.Settled = top - 1
	if !below.enabled {
		return st
	}
	return st.put(foreign(secretstore.Previous, below))
}
