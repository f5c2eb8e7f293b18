package filestore

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var (
	_ secretstore.Inspector = (*Store)(nil)
	_ secretstore.Inspector = (*unmade)(nil)
)

// Inspect implements [secretstore.Inspector]. It reads the identity file and the state
// anew, so that one that was exchanged or lost meanwhile shows, and
// asks the file system whether it would take a write.
func (s *Store) Inspect(ctx context.Context) error {
	if err := s.readable(ctx); err != nil {
		return s.named("check", err)
	}
	return s.named("check", takesWrites(s.dir))
}

// opened is a state whose current value an identity file was seen to open, by their
// hashes. To see it again costs more than all else that a run does with a settled target.
type opened struct{ state, identity [sha256.Size]byte }

// readable fails if the identity in the file does not open what consumers read.
func (s *Store) readable(ctx context.Context) error {
	raw, err := s.raw(ctx)
	if err != nil {
		return err
	}
	own, err := rereadIdentity(s.identity, s.own)
	if err != nil {
		return err
	}
	seen := opened{sha256.Sum256(raw), own.sum}
	if last := s.opened.Load(); last != nil && *last == seen {
		return nil
	}
	st, err := s.decode(raw)
	if err != nil {
		return err
	}
	if cur, ok := st.On(secretstore.Current); ok {
		if err := opens(cur.Held, own.identities); err != nil {
			return fmt.Errorf("the current value cannot be read with %s: %w", s.identity, err)
		}
	}
	s.opened.Store(&seen)
	return nil
}

// Inspect implements [secretstore.Inspector].
func (u *unmade) Inspect(ctx context.Context) error {
	s, err := u.store()
	if s == nil || err != nil {
		return err
	}
	return s.Inspect(ctx)
}
