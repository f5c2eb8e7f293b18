package filestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// unmade is a secret whose folder nobody has made yet: it holds nothing. The first
// writeIn makes the folder, and not the opening of the store: whoever only reads, or
// finds out that a store should be there and is not mounted, leaves nothing in its
// place. From when the folder was seen it is a [Store], whose folder must not vanish.
type unmade struct {
	options  Options
	readOnly bool

	mu   sync.Mutex
	made *Store
}

var _ secretstore.Putter = (*unmade)(nil)

// isThere tells whether a secret is kept in a folder, or was.
func isThere(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, stateFile)); !os.IsNotExist(err) {
		return true
	}
	lock, err := os.Stat(filepath.Join(dir, lockFile))
	return err == nil && lock.Size() > 0
}

// store gives what another process, or a write, has made meanwhile; nil if nobody has.
func (u *unmade) store() (*Store, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.made == nil && !isThere(u.options.Dir) {
		return nil, nil
	}
	return u.open()
}

// open opens the store, and makes it if need be. The caller holds mu.
func (u *unmade) open() (*Store, error) {
	if u.made != nil {
		return u.made, nil
	}
	s, err := Open(u.options)
	if err == nil {
		u.made = s
	}
	return s, err
}

// Describe implements [secretstore.Store].
func (u *unmade) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	s, err := u.store()
	switch {
	case err != nil:
		return secretstore.Snapshot{}, err
	case s != nil:
		return s.Describe(ctx)
	default:
		return secretstore.Snapshot{Identity: u.identity()}, nil
	}
}

// identity is that of nothing: the folder has one from when it is made.
func (u *unmade) identity() string { return "unmade:" + u.options.Dir }

// Read implements [secretstore.Store].
func (u *unmade) Read(ctx context.Context, id string) (secret.Value, error) {
	s, err := u.store()
	switch {
	case err != nil:
		return secret.Value{}, err
	case s != nil:
		return s.Read(ctx, id)
	default:
		return secret.Value{}, fmt.Errorf("filestore: read %s in %s: %w", id, u.options.Dir, secretstore.ErrNotFound)
	}
}

// Annotate implements [secretstore.Store].
func (u *unmade) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	return u.writeIn(ctx, seen, func(s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(ctx, seen, n)
	})
}

// Stage implements [secretstore.Store].
func (u *unmade) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	return u.writeIn(ctx, seen, func(s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(ctx, seen, v, value)
	})
}

// Put implements [secretstore.Putter].
func (u *unmade) Put(ctx context.Context, seen secretstore.Snapshot, value secret.Value) (secretstore.Snapshot, error) {
	return u.writeIn(ctx, seen, func(s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Put(ctx, seen, value)
	})
}

// Promote implements [secretstore.Store].
func (u *unmade) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	return u.writeIn(ctx, seen, func(s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(ctx, seen, id, at)
	})
}

// Destroy implements [secretstore.Store].
func (u *unmade) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	return u.writeIn(ctx, seen, func(s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(ctx, seen, id)
	})
}

// writeIn makes the folder if it is not there, and does one write in it. Who has seen
// nothing writes to what still holds nothing.
func (u *unmade) writeIn(ctx context.Context, seen secretstore.Snapshot, do func(*Store, secretstore.Snapshot) (secretstore.Snapshot, error)) (secretstore.Snapshot, error) {
	if err := cancelled(ctx); err != nil {
		return secretstore.Snapshot{}, err
	}
	s, err := u.forWriting()
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if seen.Identity != u.identity() {
		return do(s, seen)
	}
	fresh, err := s.load(ctx)
	if err != nil {
		return secretstore.Snapshot{}, s.named("write", err)
	}
	if fresh.Revision != 0 {
		return secretstore.Snapshot{}, fmt.Errorf("filestore: the folder %s was made meanwhile: %w", u.options.Dir, secretstore.ErrConflict)
	}
	return do(s, fresh.snapshot())
}

func (u *unmade) forWriting() (*Store, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.readOnly && u.made == nil {
		return nil, fmt.Errorf("filestore: write in the folder %s, which is not made: %w", u.options.Dir, secretstore.ErrDenied)
	}
	return u.open()
}
