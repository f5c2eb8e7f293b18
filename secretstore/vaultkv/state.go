package vaultkv

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// held is what is kept of a version besides its value.
type held struct {
	// Name is the key's at its issuer: a promotion may write it beside the value.
	Name string `json:"name,omitempty"`
	// At are the versions of the consumers' path that have held the value.
	At []int `json:"at,omitempty"`
}

type (
	records = document.Document[held]
	record  = document.Version[held]
)

// state is what the second path says, but for the values.
type state struct {
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// Place that the state is about: a copy of it elsewhere says nothing about that.
	Place string `json:"place"`
	// ID is random, made with the state.
	ID string `json:"id"`
	// Write is random and new with every write: numbers of versions begin anew where
	// somebody deletes a path with its metadata.
	Write string `json:"write"`
	// Seen is the newest version of the consumers' path when this was written.
	Seen int `json:"seen"`
	// Promotion is one that was announced.
	Promotion *promotion `json:"promotion,omitempty"`
	records
}

// promotion says that a pending version is to become current by a write over a version
// of the consumers' path.
type promotion struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Onto int       `json:"onto"`
}

// values are those of versions, by their id.
type values map[string]secret.Value

// put gives the state as it is written on top of a view.
func (v view) put(next records, p *promotion) state {
	st := v.state
	st.records, st.Promotion, st.Seen, st.Write = next, p, v.public.version, rand.Text()[:16]
	if st.ID == "" {
		st.ID = rand.Text()
	}
	return st
}

// stateOf reads the second path, and believes nothing that is in it.
func (s *Store) stateOf(stored entry) (state, values, error) {
	blank := state{Owner: s.o.Owner, Place: s.place, records: document.New[held]()}
	switch {
	case stored.deleted:
		return state{}, nil, fmt.Errorf("%s is deleted, and with it which keys are whose; get it back with: kv undelete -mount=%s -versions=%d %s: %w",
			s.statePath, s.o.Mount, stored.version, s.statePath, secretstore.ErrScheduledForDeletion)
	case stored.object.IsZero():
		return blank, values{}, nil
	}
	st, byStage, err := decodeState(stored.object)
	switch {
	case err != nil:
		return state{}, nil, fmt.Errorf("%s: %w", s.statePath, err)
	case st.Owner != s.o.Owner:
		return state{}, nil, fmt.Errorf("the secret belongs to the rotator with owner %q, this one is %q: %w: if that one is gone, destroy %s",
			st.Owner, s.o.Owner, secretstore.ErrDenied, s.statePath)
	case st.Place != s.place:
		return blank, values{}, nil
	}
	known := values{}
	for _, r := range st.Versions {
		if value := byStage[r.Stage]; !value.IsZero() {
			known[r.ID] = value
		}
	}
	return st, known, nil
}

// byStage sorts values for the second path. What is to be displaced by an announced
// promotion stands as the previous value before it is: receivers who read it there know
// it from the first moment on.
func (st state) byStage(known values) map[secretstore.Stage]secret.Value {
	sorted := map[secretstore.Stage]secret.Value{}
	for _, r := range st.Versions {
		sorted[r.Stage] = known[r.ID]
	}
	if _, stands := st.On(secretstore.Previous); st.Promotion != nil && !stands {
		sorted[secretstore.Previous] = sorted[secretstore.Current]
	}
	return sorted
}
