package memstore

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// PutByHand writes a value the way somebody without the rotator does: it is
// current at once, and foreign. The version that was current becomes previous
// in place of one that stood there, as AWS Secrets Manager does it.
func (s *Store) PutByHand(value secret.Value) {
	created := s.now()
	s.changeByHand(func(st *state) {
		if h, ok := st.held[secretstore.Current]; ok {
			st.put(secretstore.Previous, h)
		}
		foreign := secretstore.Version{ID: s.foreignID(), Foreign: true, Created: created}
		st.put(secretstore.Current, Held{Version: foreign, Value: value})
	})
}

// ForgetPromoted wipes the promotion times of all versions, as when somebody
// removed the metadata that carries them.
func (s *Store) ForgetPromoted() {
	s.changeByHand(func(st *state) {
		for stage, h := range st.held {
			h.Version.Promoted = time.Time{}
			st.put(stage, h)
		}
	})
}

// ForgetRecord wipes all metadata but the stages: the notes are empty, and
// every version is foreign, under a name that says nothing about its key.
func (s *Store) ForgetRecord() {
	s.changeByHand(func(st *state) {
		st.notes = secretstore.Notes{}
		for _, stage := range secretstore.Stages() {
			h, ok := st.held[stage]
			if !ok {
				continue
			}
			h.Version = secretstore.Version{ID: s.foreignID(), Foreign: true, Created: h.Version.Created}
			st.put(stage, h)
		}
	})
}

// Contents lists what is held, values included, in the order of a version's
// life. It is not a call of the contract: nothing strikes it.
func (s *Store) Contents() []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Held
	for _, stage := range secretstore.Stages() {
		if h, ok := s.state.held[stage]; ok {
			h.Version = copyVersion(h.Version)
			all = append(all, h)
		}
	}
	return all
}

func (s *Store) changeByHand(change func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.state.copy()
	change(&next)
	s.replace(next)
}

// foreignID names a version as a backend does; the caller holds the lock.
func (s *Store) foreignID() string {
	s.byHand++
	return fmt.Sprintf("memory-version-%d", s.byHand)
}
