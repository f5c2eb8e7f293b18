package kubernetessecret

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Store keeps one secret in a Kubernetes Secret. It is safe for concurrent use.
type Store struct {
	o       Options
	client  *client
	cluster *kubernetescluster.Client

	mu      sync.Mutex
	seen    view // as of the last read or write
	hasSeen bool
}

var _ secretstore.Store = (*Store)(nil)

// Describe implements [secretstore.Store]. It makes one call.
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	v, err := s.observe(ctx)
	s.remember(v, err == nil)
	if err != nil {
		return secretstore.Snapshot{}, s.named("describe", err)
	}
	return v.snapshot(), nil
}

// Annotate implements [secretstore.Store]. It makes one call; two if it makes the
// Secret.
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		return change{next: v.state.Annotate(n)}, nil
	})
	return next, s.named("annotate", err)
}

// Stage implements [secretstore.Store]. It makes one call.
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
	next := v.state.Stage(ver, s.o.Now(), digest(v.object.uid, value))
	return change{next: next, values: map[string]secret.Value{ver.ID: value}}, nil
}

// Read implements [secretstore.Store]. It makes one call. A version whose value
// somebody took away is ErrNotFound.
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secret.Value{}, s.named("read "+id, err)
	}
	value, held := v.values[id]
	if !held {
		return secret.Value{}, s.named("read "+id, fmt.Errorf("no value has that id: %w", secretstore.ErrNotFound))
	}
	return value, nil
}

// Promote implements [secretstore.Store]. It makes one call.
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		next, changed, err := v.state.Promote(id, at)
		return change{next: next, same: !changed}, err
	})
	return next, s.named("promote "+id, err)
}

// Destroy implements [secretstore.Store]. It makes one call.
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		next, changed, err := v.state.Destroy(id)
		return change{next: next, same: !changed}, err
	})
	return next, s.named("destroy "+id, err)
}

// remember keeps a view, so that a write on its snapshot need not read again.
func (s *Store) remember(v view, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.hasSeen = v, ok
}

func (s *Store) remembered() (view, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, s.hasSeen
}

// named says on an error what was tried, and where.
func (s *Store) named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kubernetessecret: %s in %s/%s: %w", what, s.o.Namespace, s.o.Secret, err)
}
