package azurekeyvault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Store keeps one secret in a vault. It is safe for concurrent use.
type Store struct {
	o      Options
	client *Client

	mu sync.Mutex
	// tidied are the versions that this process has disabled, by secret and version.
	tidied map[string]bool
}

var _ secretstore.Store = (*Store)(nil)

// Describe implements [secretstore.Store]. It makes two calls.
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secretstore.Snapshot{}, s.named("describe", err)
	}
	return v.snapshot(), nil
}

// Annotate implements [secretstore.Store]. It makes four calls.
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		return change{next: v.now.Annotate(n), pending: v.pendingValue()}, nil
	})
	return next, s.named("annotate", err)
}

// Stage implements [secretstore.Store]. It makes four calls.
func (s *Store) Stage(ctx context.Context, seen secretstore.Snapshot, ver secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		_, again, err := v.now.CheckStage(ver.ID)
		switch {
		case err != nil:
			return change{}, err
		case again && !v.pendingValue().Equal(value):
			return change{}, document.ErrOtherValue
		case again:
			return change{same: true}, nil
		}
		in := held{Digest: digest(v.identity, value)}
		return change{next: v.now.Stage(ver, s.o.Now(), in), pending: value}, fits("the value", value)
	})
	return next, s.named("stage "+ver.ID, err)
}

// Read implements [secretstore.Store]. It makes two calls, and three for a previous
// version. One that somebody disabled is ErrNotFound.
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	value, err := s.valueOf(ctx, id)
	return value, s.named("read "+id, err)
}

func (s *Store) valueOf(ctx context.Context, id string) (secret.Value, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	r, held := v.now.Find(id)
	got := v.top
	switch {
	case !held:
	case r.Stage == secretstore.Pending:
		got = sighting{value: v.pendingValue()}
	case r.Held.Version != v.top.version:
		if got, err = s.client.get(ctx, s.o.Secret, r.Held.Version); err != nil {
			return secret.Value{}, err
		}
	}
	if !held || got.value.IsZero() {
		return secret.Value{}, fmt.Errorf("no value has that id: %w", secretstore.ErrNotFound)
	}
	return got.value, nil
}

// Promote implements [secretstore.Store]. It makes six calls, and one for each version that
// is forgotten; the third one promotes.
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		next, changed, err := v.now.Promote(id, at)
		c := change{next: next, same: !changed, pending: v.pendingValue()}
		if pending, is := v.now.On(secretstore.Pending); is && pending.ID == id {
			c.top, c.pending = v.pendingValue(), secret.Value{}
		}
		return c, err
	})
	return next, s.named("promote "+id, err)
}

// Destroy implements [secretstore.Store]. It makes four calls, and one for each version
// that is forgotten.
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(v view) (change, error) {
		next, changed, err := v.now.Destroy(id)
		c := change{next: next, same: !changed}
		if _, stays := next.On(secretstore.Pending); stays {
			c.pending = v.pendingValue()
		}
		return c, err
	})
	return next, s.named("destroy "+id, err)
}

func (s *Store) stateName() string { return s.o.Secret + stateSuffix }

// place names the secret among those of all vaults.
func (s *Store) place() string { return s.client.vault + "/secrets/" + strings.ToLower(s.o.Secret) }

// named says on an error what was tried, and where.
func (s *Store) named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("azurekeyvault: %s in %s: %w", what, s.place(), err)
}

// cancelled is the error of a context that has ended.
func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	return nil
}
