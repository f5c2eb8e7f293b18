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

	// lockTimeout is how long a write waits for other writers at most. A write
	// takes milliseconds; who holds the lock for longer is stopped or stuck.
	lockTimeout = 10 * time.Second
	// lockPoll is how often a waiting writer tries again.
	lockPoll = 2 * time.Millisecond
)

// write runs one compare-and-swap under the lock: decide gives the next document,
// and whether it is another one.
func (s *Store) write(ctx context.Context, seen secretstore.Snapshot, decide func(sealed) (sealed, bool, error)) (secretstore.Snapshot, error) {
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
	sealed, changed, err := decide(st.sealed)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	st.sealed = sealed
	if !changed {
		// The state may be the work of a writer that was killed before it was on
		// disk for good, and this write is about to say that it is.
		return st.snapshot(), failed("store the state", s.disk.SyncFolder(s.dir))
	}
	st.Revision++
	if st, err = s.put(st); err != nil {
		return secretstore.Snapshot{}, err
	}
	return st.snapshot(), nil
}

// put stores a state, and gives it as it is read from now on. The caller holds the
// lock.
func (s *Store) put(st state) (state, error) {
	raw, err := encodeState(st)
	if err != nil {
		return state{}, err
	}
	next, err := decodeState(raw) // Never write what cannot be read.
	if err != nil {
		return state{}, err
	}
	if err := s.disk.Replace(filepath.Join(s.dir, stateFile), raw); err != nil {
		return state{}, failed("store the state", err)
	}
	return next, failed("store the state", s.disk.SyncFolder(s.dir))
}

// lock excludes all other writers, in this process and in others, until unlock
// is called. The kernel frees the lock of a process that dies.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := cancelled(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	l := flock.New(s.lockPath(), flock.SetPermissions(0o600))
	_, err = l.TryLockContext(ctx, lockPoll)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("another writer holds the lock %s: %w: %w", l.Path(), secretstore.ErrUnavailable, err)
	}
	if err != nil {
		return nil, failed("acquire the lock", err)
	}
	return func() { _ = l.Unlock() }, nil
}

func (s *Store) lockPath() string { return filepath.Join(s.dir, lockFile) }

// load reads the state; its absence is ErrNotFound.
func (s *Store) load(ctx context.Context) (state, error) {
	raw, err := s.raw(ctx)
	if err != nil {
		return state{}, err
	}
	return s.decode(raw)
}

// raw gives the bytes of the state.
func (s *Store) raw(ctx context.Context) ([]byte, error) {
	if err := cancelled(ctx); err != nil {
		return nil, err
	}
	raw, err := s.disk.Read(filepath.Join(s.dir, stateFile))
	if err != nil {
		return nil, failed("read the state", err)
	}
	return raw, nil
}

func (s *Store) decode(raw []byte) (state, error) {
	st, err := decodeState(raw)
	if err != nil {
		return state{}, fmt.Errorf("read %s: %w", filepath.Join(s.dir, stateFile), err)
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
	if s.isMarked() {
		return fmt.Errorf("%s was there and is lost, with the values in it: restore it from a backup, or move the folder away to begin anew: %w",
			stateFile, secretstore.ErrCorrupt)
	}
	_, err = s.put(newState())
	return err
}

// mark notes in the lock file that there is a state on disk, so that one that is
// lost is not taken for one that never was. A mark that is lost does no harm.
func (s *Store) mark() {
	if !s.isMarked() {
		_ = os.WriteFile(s.lockPath(), []byte("state.json was made: if it is not here, it was lost\n"), 0o600)
	}
}

func (s *Store) isMarked() bool {
	info, err := os.Stat(s.lockPath())
	return err == nil && info.Size() > 0
}
