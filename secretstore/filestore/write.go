package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

const (
	stateFile = "state.json"
	lockFile  = "lock"

	// lockPatience is how long a write waits for other writers at most. A write
	// takes milliseconds; who holds the lock for longer is stopped or stuck.
	lockPatience = 10 * time.Second
	// lockPoll is how often a waiting writer tries again.
	lockPoll = 2 * time.Millisecond
)

// write runs one compare-and-swap under the lock. The decision gets the state
// as it is and must not touch the disk, but for reading.
func (s *Store) write(ctx context.Context, seen secretstore.Snapshot, decide func(state) (change, error)) (secretstore.Snapshot, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	defer unlock()
	st, err := s.load(ctx)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if now := st.snapshot(); now.Identity != seen.Identity || now.Revision != seen.Revision {
		return secretstore.Snapshot{}, fmt.Errorf("the secret is at revision %s, seen was %q: %w", now.Revision, seen.Revision, secretstore.ErrConflict)
	}
	c, err := decide(st)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	next, err := s.commit(st, c)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return next.snapshot(), nil
}

// commit takes the folder from one state to the next. The order of its steps is what
// makes a crash between any two of them harmless.
func (s *Store) commit(st state, c change) (state, error) {
	if c.same {
		// The state may be the work of a writer that was killed before it was on
		// disk for good, and this write is about to say that it is.
		return st, failed("store the state", s.disk.SyncFolder(s.dir))
	}
	raw, err := encodeState(c.next)
	if err != nil {
		return state{}, err
	}
	next, err := decodeState(raw) // Never write what cannot be read.
	if err != nil {
		return state{}, err
	}
	if err := s.putValue(c); err != nil {
		return state{}, err
	}
	if err := s.putState(raw); err != nil {
		return state{}, err
	}
	return next, s.removeStray(next)
}

// putValue stores the new value file, and its name in the folder, for good.
func (s *Store) putValue(c change) error {
	if c.file == "" {
		return nil
	}
	if err := s.disk.Create(filepath.Join(s.dir, c.file), c.sealed); err != nil {
		return failed("store the value", err)
	}
	return failed("store the value", s.disk.SyncFolder(s.dir))
}

// putState is the commit point, made durable.
func (s *Store) putState(raw []byte) error {
	if err := s.disk.Replace(filepath.Join(s.dir, stateFile), raw); err != nil {
		return failed("store the state", err)
	}
	return failed("store the state", s.disk.SyncFolder(s.dir))
}

// removeStray removes the files that st, which is on disk for good, does not
// name: values that are no longer held, and what crashes left over.
func (s *Store) removeStray(st state) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return failed("look for old values", err)
	}
	stray := st.stray(entries)
	if len(stray) == 0 {
		return nil
	}
	for _, name := range stray {
		if err := s.disk.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed("remove old values", err)
		}
	}
	return failed("remove old values", s.disk.SyncFolder(s.dir))
}

// lock excludes all other writers, in this process and in others, until unlock
// is called. The kernel frees the lock of a process that dies.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := cancelled(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	l := flock.New(filepath.Join(s.dir, lockFile), flock.SetPermissions(0o600))
	_, err = l.TryLockContext(ctx, lockPoll)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("another writer holds the lock %s: %w: %w", l.Path(), secretstore.ErrUnavailable, err)
	}
	if err != nil {
		return nil, failed("take the lock", err)
	}
	return func() { _ = l.Unlock() }, nil
}

// load reads the state; its absence is ErrNotFound.
func (s *Store) load(ctx context.Context) (state, error) {
	if err := cancelled(ctx); err != nil {
		return state{}, err
	}
	path := filepath.Join(s.dir, stateFile)
	raw, err := s.disk.Read(path)
	if err != nil {
		return state{}, failed("read the state", err)
	}
	st, err := decodeState(raw)
	if err != nil {
		return state{}, fmt.Errorf("read %s: %w", path, err)
	}
	return st, nil
}

func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	return nil
}

// isMade tells whether the folder holds a state, good or not.
func (s *Store) isMade() (bool, error) {
	_, err := os.Lstat(filepath.Join(s.dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, failed("open", err)
}

// make makes the folder with a state that holds nothing. Of several processes
// that come here at once, one does it.
func (s *Store) make(identity string) error {
	if err := s.disk.MakeFolder(s.dir); err != nil {
		return failed("make the folder", err)
	}
	// Another process may have made the identity an instant ago: no value may be
	// encrypted to it before it is there for good.
	if err := s.disk.SyncFolder(filepath.Dir(identity)); err != nil {
		return failed("make the folder", err)
	}
	unlock, err := s.lock(context.Background())
	if err != nil {
		return err
	}
	defer unlock()
	if made, err := s.isMade(); made || err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return failed("make the folder", err)
	}
	if lost := valueFiles(entries); len(lost) > 0 {
		return fmt.Errorf("there are values but no %s: restore it from a backup, or move the folder away to begin anew: %w",
			stateFile, secretstore.ErrCorrupt)
	}
	raw, err := encodeState(newState())
	if err != nil {
		return err
	}
	return s.putState(raw)
}
