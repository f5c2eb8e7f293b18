package filestore

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
)

// change is the outcome of a decision on a state: the next one, and the value
// file that it needs, if it needs a new one.
type change struct {
	next   state
	same   bool // Nothing is to be written.
	file   string
	sealed []byte
}

func (st state) unchanged() change { return change{next: st, same: true} }

// with gives the next state, with the versions that are given.
func (st state) with(versions []record) change {
	st.Versions = versions
	st.Revision++
	return change{next: st}
}

// without lists the versions that are not on the stage.
func (st state) without(stage secretstore.Stage) []record {
	return slices.DeleteFunc(slices.Clone(st.Versions), func(r record) bool { return r.Stage == stage })
}

func (st state) on(stage secretstore.Stage) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.Stage == stage })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

func (st state) annotated(n secretstore.Notes) change {
	c := st.with(st.Versions)
	c.next.noted(n)
	return c
}

// mayStage tells whether id can be staged: as a new version, or as the one that
// is pending already, if repeated.
func (st state) mayStage(id string) (pending record, repeated bool, err error) {
	if id == "" {
		return record{}, false, fmt.Errorf("a version needs an id: %w", secretstore.ErrConflict)
	}
	r, held := st.find(id)
	if held && r.Stage != secretstore.Pending {
		return record{}, false, fmt.Errorf("version %s is %s already: %w", id, r.Stage, secretstore.ErrConflict)
	}
	return r, held, nil
}

// staged takes r as the pending version in place of another one.
func (st state) staged(r record) change {
	r.Stage = secretstore.Pending
	c := st.with(append(st.without(secretstore.Pending), r))
	c.next.Intent = jsonnotes.Intent{}
	return c
}

func (st state) promoted(id string, at time.Time) (change, error) {
	r, _ := st.find(id)
	switch {
	case r.Stage == secretstore.Current && !r.Promoted.Before(at):
		return st.unchanged(), nil
	case r.Stage == secretstore.Current:
		r.Promoted = jsonnotes.Time(at)
		return st.with(append(st.without(secretstore.Current), r)), nil
	case r.Stage == secretstore.Pending:
		return st.with(st.moved(r, at)), nil
	default:
		return change{}, fmt.Errorf("version %s is neither pending nor current: %w", id, secretstore.ErrNotFound)
	}
}

// moved lists the versions after the pending one became current. The one that
// it displaces becomes previous, but does not push out one that stands there.
func (st state) moved(pending record, at time.Time) []record {
	pending.Stage, pending.Promoted = secretstore.Current, jsonnotes.Time(at)
	versions := []record{pending}
	displaced, had := st.on(secretstore.Current)
	standing, stands := st.on(secretstore.Previous)
	switch {
	case stands:
		versions = append(versions, standing)
	case had:
		displaced.Stage = secretstore.Previous
		versions = append(versions, displaced)
	}
	return versions
}

func (st state) destroyed(id string) (change, error) {
	r, held := st.find(id)
	if !held {
		return st.unchanged(), nil
	}
	if r.Stage == secretstore.Current {
		return change{}, fmt.Errorf("version %s is current: %w", id, secretstore.ErrConflict)
	}
	return st.with(st.without(r.Stage)), nil
}
