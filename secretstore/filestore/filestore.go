// Package filestore is a [secretstore.Store] in a folder on a local disk: the
// store that needs no cloud.
//
// # What is in the folder
//
// One folder keeps one secret, and is the rotator's alone:
//
//	state.json  versions, stages, notes, and each version's value, encrypted
//	lock        held by whoever writes
//
// No value is ever on disk in clear. Values are encrypted with age, to the recipient
// of the store's identity file and to any further recipients, so that a team can
// read them with the age command; all else in state.json can be read without:
//
//	jq -r '.versions[] | select(.stage == "current") | .held' state.json | base64 -d | age -d -i identity
//
// A version's ciphertext stays as it is for as long as the version is held: a
// change of recipients applies to versions stored after it.
//
// A copy of the folder is the same secret, by its identity: do not let rotators
// work on both. A value is put into the folder by hand by [Store.Put] only.
//
// # What is promised
//
// Every write is one step, the rename of a new state.json over the old one, and
// waits for the disk twice: for the new file before the rename, and for the rename.
// Killed at any instant, by a power cut too, the folder is as before the write or
// as after. What a crash leaves over, .state.json.new, the next write replaces.
//
// Writers in any number of processes exclude each other with flock(2); readers
// take no lock. The folder must be on a local file system: on a network one the
// locks and the order of writes are not to be relied upon.
package filestore

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"filippo.io/age"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Options say where a secret is kept and who can read it.
type Options struct {
	// Dir is the secret's folder. It is made, with its parents and mode 0700,
	// if it is not there.
	Dir string
	// Identity is the path of an age identity file: one AGE-SECRET-KEY-1… a
	// line, "#" for comments. Values are encrypted to the first; all of them
	// are tried to decrypt, so that an old one can stay below a new one. It is
	// made on first use with mode 0600. One file may serve many secrets.
	Identity string
	// Recipients can read the values too: age X25519 recipients ("age1…").
	Recipients []string
	// Shelf is the folder in which this secret's and others' are; if others than its
	// owner and group may read or write it, the store advises against that. Empty: it
	// is not read.
	Shelf string
	// Identities, if set, shares what was read of identity files with the other
	// stores that are opened with it.
	Identities *Identities
	// Now gives the time that versions are created at; time.Now if nil.
	Now func() time.Time
}

// Store keeps one secret in a folder. It is safe for concurrent use and holds
// neither a file open nor a goroutine between its calls.
type Store struct {
	dir, shelf string
	identity   string // the path of its file
	own        keyring
	recipients []age.Recipient
	clock      func() time.Time
	disk       disk
	opened     atomic.Pointer[opened] // the last that was seen
}

var _ secretstore.Putter = (*Store)(nil)

// Open gives the store in a folder, and makes the folder and the identity file
// if neither is there yet. Its errors wrap the sentinels of package
// secretstore.
//
// A state.json that cannot be understood is found out by Describe, not by Open,
// so that one broken secret need not keep a program with many from starting.
func Open(o Options) (*Store, error) {
	s, err := openOn(realDisk{}, o)
	if err != nil {
		return nil, fmt.Errorf("filestore: open %s: %w", o.Dir, err)
	}
	return s, nil
}

func openOn(d disk, o Options) (*Store, error) {
	if o.Dir == "" || o.Identity == "" {
		return nil, fmt.Errorf("a store needs a folder and an identity file: %w", secretstore.ErrNotFound)
	}
	s := &Store{dir: o.Dir, shelf: o.Shelf, identity: o.Identity, clock: o.Now, disk: d}
	if s.clock == nil {
		s.clock = time.Now
	}
	others, err := parseRecipients(o.Recipients)
	if err != nil {
		return nil, err
	}
	made, err := s.isMade()
	if err != nil {
		return nil, err
	}
	own, err := o.Identities.open(d, o.Identity, made)
	if err != nil {
		return nil, err
	}
	s.own = own
	s.recipients = append([]age.Recipient{own.recipient}, others...)
	if !made {
		err = s.make(o.Identity)
	}
	if err != nil {
		return nil, err
	}
	// A writer that was killed may have renamed state.json without making the
	// rename durable. Nobody shall act on a state that a power cut takes back.
	if err := s.disk.SyncFolder(s.dir); err != nil {
		return nil, failed("open the folder", err)
	}
	s.mark()
	return s, nil
}

// Describe implements [secretstore.Store]. It reads one file.
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	st, err := s.load(ctx)
	if err != nil {
		return secretstore.Snapshot{}, s.named("describe", err)
	}
	snap := st.snapshot()
	snap.Advice = s.advice()
	return snap, nil
}

// advice warns of folders that are open to others: values are encrypted, but who may
// write there can take them away, and the identity file may lie beside them.
func (s *Store) advice() (advice []string) {
	for _, folder := range []string{s.shelf, s.dir} {
		info, err := os.Stat(folder)
		if err == nil && info.Mode().Perm()&0o007 != 0 {
			advice = append(advice, fmt.Sprintf("folder %s has mode %04o and is open to others: run chmod o-rwx %s", folder, info.Mode().Perm(), folder))
		}
	}
	return advice
}

// Annotate implements [secretstore.Store].
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(d sealed) (sealed, bool, error) { return d.Annotate(n), true, nil })
	return next, s.named("annotate", err)
}

// Stage implements [secretstore.Store].
func (s *Store) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(d sealed) (sealed, bool, error) { return s.stage(d, v, value) })
	return next, s.named("stage "+v.ID, err)
}

func (s *Store) stage(d sealed, v secretstore.Version, value secret.Value) (next sealed, changed bool, err error) {
	pending, again, err := d.CheckStage(v.ID)
	if err != nil {
		return d, false, err
	}
	if again {
		held, err := unseal(pending.Held, s.own.identities)
		if err == nil && !held.Equal(value) {
			err = document.ErrOtherValue
		}
		return d, false, err
	}
	ciphertext, err := seal(value, s.recipients)
	if err != nil {
		return d, false, err
	}
	return d.Stage(v, s.clock(), ciphertext), true, nil
}

// Put implements [secretstore.Putter].
func (s *Store) Put(ctx context.Context, seen secretstore.Snapshot, value secret.Value) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(d sealed) (sealed, bool, error) {
		ciphertext, err := seal(value, s.recipients)
		if err != nil {
			return d, false, err
		}
		return d.PutAgain("by-hand-"+randomName(), s.clock(), ciphertext), true, nil
	})
	return next, s.named("put a value", err)
}

// Read implements [secretstore.Store]. A value that the identity does not open
// is ErrCorrupt.
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	value, err := s.read(ctx, id)
	return value, s.named("read "+id, err)
}

func (s *Store) read(ctx context.Context, id string) (secret.Value, error) {
	st, err := s.load(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	v, held := st.Find(id)
	if !held {
		return secret.Value{}, fmt.Errorf("no version has that id: %w", secretstore.ErrNotFound)
	}
	return unseal(v.Held, s.own.identities)
}

// Promote implements [secretstore.Store].
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(d sealed) (sealed, bool, error) { return d.Promote(id, at) })
	return next, s.named("promote "+id, err)
}

// Destroy implements [secretstore.Store].
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(d sealed) (sealed, bool, error) { return d.Destroy(id) })
	return next, s.named("destroy "+id, err)
}

// named says on an error what was tried, and where.
func (s *Store) named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("filestore: %s in %s: %w", what, s.dir, err)
}
