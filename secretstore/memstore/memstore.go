// Package memstore is a [secretstore.Store] in memory. It is the contract in
// its plainest form, and the store that tests of the engine run on: it can be
// made to fail before or after the effect of any call, it can be changed by
// hand as people change secrets, and it shows what it holds, values included.
package memstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// When tells at which end of a call a fault is injected.
type When string

const (
	// Before the effect: the call changed nothing.
	Before When = "before"
	// After the effect: it happened, only the answer is lost.
	After When = "after"
)

// Store keeps one secret in memory. The zero value is not usable: see [New].
// It is safe for concurrent use.
type Store struct {
	// Fault, if set, is called before and after the effect of every call, with
	// the call's name: "describe", "annotate", "stage", "read", "promote" or
	// "destroy". An error that it returns becomes the call's; to keep to the
	// contract it should wrap a sentinel of package secretstore. A call that
	// fails by itself has no effect, so no fault comes after it.
	//
	// The store is not locked meanwhile: Fault may read it, change it as
	// another writer would, or panic. Set it while no call is under way.
	Fault func(op string, when When) error
	// Now gives the time that versions are created at; time.Now if nil. Set it
	// while no call is under way.
	Now func() time.Time

	identity string

	mu       sync.Mutex
	revision uint64
	document contents
	byHand   int
}

var _ secretstore.Store = (*Store)(nil)

// contents is what the store holds.
type contents = document.Document[secret.Value]

// New makes a store that holds nothing. An empty identity stands for a random
// one.
func New(identity string) *Store {
	if identity == "" {
		identity = "memory-" + rand.Text()
	}
	return &Store{identity: identity}
}

// Describe implements [secretstore.Store].
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	var snap secretstore.Snapshot
	err := s.call(ctx, "describe", func() error {
		snap = s.snapshot()
		return nil
	})
	return orNone(snap, err)
}

// Annotate implements [secretstore.Store].
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	return s.write(ctx, "annotate", seen, func(d contents) (contents, bool, error) {
		return d.Annotate(n), true, nil
	})
}

// Stage implements [secretstore.Store].
func (s *Store) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	created := s.now()
	return s.write(ctx, "stage", seen, func(d contents) (contents, bool, error) {
		pending, again, err := d.CheckStage(v.ID)
		switch {
		case err != nil:
			return d, false, err
		case again && !pending.Held.Equal(value):
			return d, false, document.ErrOtherValue
		case again:
			return d, false, nil
		}
		return d.Stage(v, created, value), true, nil
	})
}

// Read implements [secretstore.Store].
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	var value secret.Value
	err := s.call(ctx, "read", func() error {
		v, held := s.document.Find(id)
		if !held {
			return fmt.Errorf("memstore: read version %s: %w", id, secretstore.ErrNotFound)
		}
		value = v.Held
		return nil
	})
	if err != nil {
		return secret.Value{}, err
	}
	return value, nil
}

// Promote implements [secretstore.Store].
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	return s.write(ctx, "promote", seen, func(d contents) (contents, bool, error) {
		return d.Promote(id, at)
	})
}

// Destroy implements [secretstore.Store].
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	return s.write(ctx, "destroy", seen, func(d contents) (contents, bool, error) {
		return d.Destroy(id)
	})
}

// write runs one compare-and-swap: change gives the next document, and whether it
// is another one.
func (s *Store) write(ctx context.Context, op string, seen secretstore.Snapshot, change func(contents) (contents, bool, error)) (secretstore.Snapshot, error) {
	var snap secretstore.Snapshot
	err := s.call(ctx, op, func() error {
		if seen.Identity != s.identity || seen.Revision != s.revisionText() {
			return fmt.Errorf("memstore: %s at revision %s, seen %q: %w", op, s.revisionText(), seen.Revision, secretstore.ErrConflict)
		}
		next, changed, err := change(s.document)
		if err != nil {
			return fmt.Errorf("memstore: %s: %w", op, err)
		}
		if changed {
			s.replace(next)
		}
		snap = s.snapshot()
		return nil
	})
	return orNone(snap, err)
}

// call runs effect under the lock and between the two faults.
func (s *Store) call(ctx context.Context, op string, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: %s: %w: %w", op, secretstore.ErrUnavailable, err)
	}
	if err := s.fault(op, Before); err != nil {
		return err
	}
	if err := s.locked(effect); err != nil {
		return err
	}
	return s.fault(op, After)
}

func (s *Store) fault(op string, when When) error {
	if s.Fault == nil {
		return nil
	}
	if err := s.Fault(op, when); err != nil {
		return fmt.Errorf("memstore: fault %s %s: %w", when, op, err)
	}
	return nil
}

func (s *Store) locked(effect func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return effect()
}

// replace makes next the document; the caller holds the lock.
func (s *Store) replace(next contents) {
	s.document = next
	s.revision++
}

// snapshot copies the document; the caller holds the lock.
func (s *Store) snapshot() secretstore.Snapshot {
	return secretstore.Snapshot{
		Identity: s.identity, Revision: s.revisionText(), Versions: s.document.Shown(), Notes: s.document.Notes,
	}
}

func (s *Store) revisionText() string { return strconv.FormatUint(s.revision, 10) }

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// orNone keeps a snapshot from going out beside an error: whoever got the error
// must Describe.
func orNone(snap secretstore.Snapshot, err error) (secretstore.Snapshot, error) {
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return snap, nil
}
