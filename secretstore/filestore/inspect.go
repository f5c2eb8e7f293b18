package filestore

import (
	"context"
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var (
	_ secretstore.Inspector = (*Store)(nil)
	_ secretstore.Inspector = (*unmade)(nil)
)

// Inspect implements [secretstore.Inspector]. It reads the identity file and the state
// as the command get does, so that one that was exchanged or lost meanwhile shows, and
// asks the file system whether it would take a write.
func (s *Store) Inspect(ctx context.Context) error {
	if err := s.readable(ctx); err != nil {
		return s.named("check", err)
	}
	return s.named("check", takesWrites(s.dir))
}

// readable fails if the identity in the file does not open what consumers read.
func (s *Store) readable(ctx context.Context) error {
	st, err := s.load(ctx)
	if err != nil {
		return err
	}
	own, err := readIdentity(s.identity)
	if err != nil {
		return err
	}
	cur, ok := st.On(secretstore.Current)
	if !ok {
		return nil
	}
	if _, err := unseal(cur.Held, own.identities); err != nil {
		return fmt.Errorf("the current value cannot be read with %s: %w", s.identity, err)
	}
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
