package kubernetessecret

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
)

// mayStage tells whether id can be staged: as a new version, or as the one that
// is pending already, if repeated.
func (st state) mayStage(id string) (repeated bool, err error) {
	if id == "" {
		return false, fmt.Errorf("a version needs an id: %w", secretstore.ErrConflict)
	}
	r, held := st.find(id)
	if held && r.Stage != secretstore.Pending {
		return false, fmt.Errorf("it is %s already: %w", r.Stage, secretstore.ErrConflict)
	}
	return held, nil
}

// staged takes r as the pending version in place of another one.
func (st state) staged(r record) state {
	r.Stage = secretstore.Pending
	st = st.put(r)
	st.Intent = jsonnotes.Intent{}
	return st
}

// promoted makes the pending version id current, or mends the promotion time of
// the current one; same if nothing is to be written.
func (st state) promoted(id string, at time.Time) (next state, same bool, err error) {
	r, _ := st.find(id)
	switch {
	case r.Stage == secretstore.Current && !r.Promoted.Before(at):
		return st, true, nil
	case r.Stage == secretstore.Current:
	case r.Stage == secretstore.Pending:
		st = st.displaced()
	default:
		return state{}, false, fmt.Errorf("it is neither pending nor current: %w", secretstore.ErrNotFound)
	}
	r.Stage, r.Promoted = secretstore.Current, jsonnotes.Time(at)
	return st.put(r), false, nil
}

// displaced makes room on the stage current: the version there becomes previous,
// but does not push out one that stands there.
func (st state) displaced() state {
	current, had := st.on(secretstore.Current)
	st = st.drop(secretstore.Current)
	if _, stands := st.on(secretstore.Previous); stands || !had {
		return st
	}
	current.Stage = secretstore.Previous
	return st.put(current)
}

// destroyed forgets a version; same if there is none of that id.
func (st state) destroyed(id string) (next state, same bool, err error) {
	r, held := st.find(id)
	switch {
	case !held:
		return st, true, nil
	case r.Stage == secretstore.Current:
		return state{}, false, fmt.Errorf("it is current: %w", secretstore.ErrConflict)
	}
	return st.drop(r.Stage), false, nil
}
