package vaultkv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// view is a secret as it was at one moment. It is never changed.
type view struct {
	// stored and public are the second path and the consumers'.
	stored, public entry
	// state is the second path's, brought into line with what consumers read.
	state  state
	values values
	// open: a promotion was announced that has not come true, but still may.
	open bool
	// gone: consumers have had a value, and find none.
	gone bool
}

// revision names what both paths hold. A version does not change, but it can be deleted.
func (v view) revision() string {
	deleted := ""
	if v.public.deleted {
		deleted = "-deleted"
	}
	return fmt.Sprintf("%s/%d%s@%s", v.state.Write, v.public.version, deleted, v.public.created.UTC().Format(time.RFC3339Nano))
}

func (s *Store) snapshot(v view) secretstore.Snapshot {
	return secretstore.Snapshot{
		Identity: s.identity(v), Revision: v.revision(), Versions: v.state.Shown(), Notes: v.state.Notes, Advice: s.advice(v),
	}
}

// identity is empty as long as the rotator has written nothing.
func (s *Store) identity(v view) string {
	if v.state.ID == "" {
		return ""
	}
	return "vault:" + s.place + "@" + v.state.ID
}

// advice is for the person who has to put right what the next rotation cannot.
func (s *Store) advice(v view) []string {
	var advice []string
	if v.gone {
		advice = append(advice, "somebody took the current key out of "+s.o.Path+": put it back, or rotate")
	}
	for _, e := range []entry{v.public, v.stored} {
		if !e.ends.IsZero() {
			advice = append(advice, fmt.Sprintf("%s is deleted by itself at %s: set delete_version_after of the mount and the path to 0s",
				e.path, e.ends.UTC().Format(time.RFC3339)))
		}
	}
	return advice
}

// maxTries is how often both paths are read until they fit together.
const maxTries = 5

// errRace is for a secret that is written all the time.
var errRace = fmt.Errorf("the secret changes all the time: %w", secretstore.ErrUnavailable)

// observe reads both paths, as they were at one moment.
func (s *Store) observe(ctx context.Context) (view, error) {
	if err := cancelled(ctx); err != nil {
		return view{}, err
	}
	stored, err := s.engine.read(ctx, s.statePath, 0)
	for range maxTries {
		if err != nil {
			return view{}, err
		}
		var public, again entry
		if public, err = s.engine.read(ctx, s.o.Path, 0); err != nil {
			return view{}, err
		}
		v, expected, errView := s.viewOf(ctx, stored, public)
		if errView != nil || expected {
			return v, errView
		}
		if again, err = s.engine.read(ctx, s.statePath, 0); err == nil && again.same(stored) {
			return v, s.checkOrder(v)
		}
		stored = again
	}
	return view{}, errors.Join(err, errRace)
}

// checkOrder refuses an answer from before what is known to have been written: by a
// standby that is behind. A path that was deleted and made anew begins with low numbers
// too, but later.
func (s *Store) checkOrder(v view) error {
	if v.public.version == 0 || v.public.version >= v.state.Seen || v.public.created.After(v.stored.created) {
		return nil
	}
	return fmt.Errorf("the server answers with version %d of %s, of which there was a version %d: is it a standby that is behind? %w",
		v.public.version, s.o.Path, v.state.Seen, secretstore.ErrUnavailable)
}

// viewOf puts together what was read. It tells whether the consumers' path is at the
// version that the state expects.
func (s *Store) viewOf(ctx context.Context, stored, public entry) (v view, expected bool, err error) {
	st, known, err := s.stateOf(stored)
	if err != nil {
		return view{}, false, err
	}
	key, err := s.keyIn(public)
	if err != nil {
		return view{}, false, err
	}
	v = view{stored: stored, public: public, state: st, values: known}
	expected = public.version == st.Seen
	if p := st.Promotion; p != nil {
		v.open = public.version == p.Onto
		landed := false
		if !v.open {
			if landed, err = s.landed(ctx, *p, known[p.ID], public); err != nil {
				return view{}, false, err
			}
		}
		if landed {
			v.state.records = promoted(st.records, *p)
			expected = public.version == p.Onto+1
		}
	}
	_, had := v.state.On(secretstore.Current)
	v.state.records, v.values = s.matched(v.state.records, known, key, public)
	v.gone = had && key.IsZero()
	return v, expected, nil
}

// landed tells whether the write that an announced promotion is made of took place. If
// that cannot be found out any more, it did: a key that may have been current is retired,
// not discarded.
func (s *Store) landed(ctx context.Context, p promotion, value secret.Value, public entry) (bool, error) {
	next := public
	if public.version != p.Onto+1 {
		var err error
		if next, err = s.engine.read(ctx, s.o.Path, p.Onto+1); err != nil {
			return false, err
		}
	}
	if next.object.IsZero() {
		return true, nil
	}
	key, err := s.keyIn(next)
	return err == nil && key.Equal(value), nil
}

// keyIn finds the key in what consumers read; zero if there is none.
func (s *Store) keyIn(public entry) (secret.Value, error) {
	if public.object.IsZero() {
		return secret.Value{}, nil
	}
	key, err := s.o.Payload.Decode(public.object)
	if errors.Is(err, secretstore.ErrNotFound) {
		return secret.Value{}, nil
	}
	return key, err
}
