package memstore

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Held is a version with its value and stage, as [Store.Contents] shows it.
type Held struct {
	Stage   secretstore.Stage
	Version secretstore.Version
	Value   secret.Value
}

// PutByHand writes a value the way somebody without the rotator does: it is
// current at once, and foreign. The version that was current becomes previous
// in place of one that stood there, as AWS Secrets Manager does it.
func (s *Store) PutByHand(value secret.Value) {
	created := s.now()
	s.changeByHand(func(d contents) contents {
		return d.PutForeign(s.foreign(created).ID, created, value)
	})
}

// ForgetPromoted wipes the promotion times of all versions, as when somebody
// removed the metadata that carries them.
func (s *Store) ForgetPromoted() {
	s.changeByHand(func(d contents) contents {
		for _, v := range d.Versions {
			v.Promoted = time.Time{}
			d = d.Put(v)
		}
		return d
	})
}

// ForgetRecord wipes all metadata but the stages: the notes are empty, and
// every version is foreign, under a name that says nothing about its key.
func (s *Store) ForgetRecord() {
	s.changeByHand(func(d contents) contents {
		d = d.Annotate(secretstore.Notes{})
		for _, stage := range secretstore.Stages() {
			if v, ok := d.On(stage); ok {
				v.Version = s.foreign(v.Created)
				d = d.Put(v)
			}
		}
		return d
	})
}

// Empty wipes versions and notes, as when somebody empties a Kubernetes Secret: it is
// the same secret as before.
func (s *Store) Empty() {
	s.changeByHand(func(contents) contents { return document.New[secret.Value]() })
}

// Contents lists what is held, values included, in the order of a version's
// life. It is not a call of the contract: no fault comes there.
func (s *Store) Contents() []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Held
	for _, stage := range secretstore.Stages() {
		if v, ok := s.document.On(stage); ok {
			all = append(all, Held{Stage: stage, Version: v.Version, Value: v.Held})
		}
	}
	return all
}

func (s *Store) changeByHand(change func(contents) contents) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(change(s.document))
}

// foreign is a version under a name as a backend gives one; the caller holds the
// lock.
func (s *Store) foreign(created time.Time) secretstore.Version {
	s.byHand++
	return secretstore.Version{ID: fmt.Sprintf("memory-version-%d", s.byHand), Foreign: true, Created: document.Time(created)}
}

// Backup keeps what the store holds now, and gives what restores it, as somebody does who has
// lost a disk.
func (s *Store) Backup() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.document
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.replace(kept)
	}
}
