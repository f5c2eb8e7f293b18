package vaultkv

import (
	"context"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Store keeps one secret at two paths of a KV engine. It is safe for concurrent use.
type Store struct {
	o         Options
	engine    engine
	statePath string
	// place names the secret within its server.
	place string
}

var _ secretstore.Store = (*Store)(nil)

// Describe implements [secretstore.Store]. It makes two calls; three after somebody
// wrote by hand.
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secretstore.Snapshot{}, s.named("describe", err)
	}
	return s.snapshot(v), nil
}

// Annotate implements [secretstore.Store]. It makes three calls; four the first time.
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		return change{next: v.state.Annotate(n)}, nil
	})
	return next, s.named("annotate", err)
}

// Stage implements [secretstore.Store]. It makes three calls.
func (s *Store) Stage(ctx context.Context, seen secretstore.Snapshot, ver secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) { return s.stage(v, ver, value) })
	return next, s.named("stage "+ver.ID, err)
}

func (s *Store) stage(v view, ver secretstore.Version, value secret.Value) (change, error) {
	_, again, err := v.state.CheckStage(ver.ID)
	switch {
	case err != nil:
		return change{}, err
	case again && !v.values[ver.ID].Equal(value):
		return change{}, document.ErrOtherValue
	case again:
		return change{same: true}, nil
	}
	return change{next: v.state.Stage(ver, s.o.Now(), held{Name: ver.Name}), staged: values{ver.ID: value}}, nil
}

// Read implements [secretstore.Store]. It makes two calls.
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secret.Value{}, s.named("read "+id, err)
	}
	_, held := v.state.Find(id)
	value := v.values[id]
	if !held || value.IsZero() {
		return secret.Value{}, s.named("read "+id, fmt.Errorf("no value has that id: %w", secretstore.ErrNotFound))
	}
	return value, nil
}

// Promote implements [secretstore.Store]. It makes four calls.
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		r, _ := v.state.Find(id)
		next, changed, err := v.state.Promote(id, at)
		if r.Stage == secretstore.Pending {
			return change{next: v.state.records, promotes: &promotion{ID: id, At: document.Time(at)}}, err
		}
		return change{next: next, same: !changed}, err
	})
	return next, s.named("promote "+id, err)
}

// Destroy implements [secretstore.Store]. It makes three calls; four for a version that
// was current.
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		r, _ := v.state.Find(id)
		next, changed, err := v.state.Destroy(id)
		return change{next: next, same: !changed, destroys: r.Held.At}, err
	})
	return next, s.named("destroy "+id, err)
}

// named says on an error what was tried, and where.
func (s *Store) named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("vaultkv: %s at %s of the mount %s: %w", what, s.o.Path, s.o.Mount, err)
}
