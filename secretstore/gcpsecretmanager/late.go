package gcpsecretmanager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// overruled is for a value that was added but is no longer announced. If another
// writer took it up, that is fine. If he gave it up, it came too late, after the
// lease: readers of the latest version get it though its key may be revoked at
// any moment, so the current value goes back on top. If the record was wiped, nobody
// gave it up: it stays what readers of the latest version get, of unknown origin, and
// so nothing of the target is revoked. To take it away would leave them nothing.
func (s *Store) overruled(ctx context.Context, c change, number int64, again bool) (view, error) {
	lost := fmt.Errorf("while version %d was added: %w", number, errStolen)
	now, err := s.observe(ctx)
	if err != nil {
		return view{}, err
	}
	st, err := s.recorded(now)
	if err != nil {
		return view{}, err
	}
	r, held := st.Find(c.add.version.ID)
	switch {
	case held && slices.Contains(r.Held.Numbers, number) && !again:
		return now, nil
	case held && slices.Contains(r.Held.Numbers, number), now.top.number != number:
		return view{}, lost
	case now.text() == "", st.has(number):
		return view{}, lost
	}
	now.base, now.unknown = st, nil // it is not somebody's that was put by hand
	if err := s.withdraw(ctx, now); err != nil {
		return view{}, fmt.Errorf("%w: it is still what readers of the latest version get: %w", lost, err)
	}
	return view{}, lost
}

// recorded gives the state that the annotation of a view holds.
func (s *Store) recorded(v view) (state, error) {
	if v.text() == "" {
		return newState(s.o.Owner), nil
	}
	return decodeState(v.text())
}

// withdraw takes the newest version out of the way of those who read the latest:
// by the current value on top of it or, if there is none, by its destruction.
func (s *Store) withdraw(ctx context.Context, v view) error {
	late := v.top.number
	c := change{apply: func(st state) state { return st.dismissed([]int64{late}, s.disposal()) }}
	if current, ok := v.base.On(secretstore.Current); ok {
		add, err := s.onceMore(ctx, current)
		if err != nil {
			return err
		}
		c.add = add
	}
	if err := s.yield(v, c); err != nil {
		return err
	}
	v, err := s.commit(ctx, v, c)
	if err != nil {
		return err
	}
	_, err = s.dismiss(ctx, v)
	return err
}

// onceMore gives the addition that puts a version's value on top again; nil if
// it is gone.
func (s *Store) onceMore(ctx context.Context, r record) (*addition, error) {
	stored, err := s.whole(ctx, r)
	if errors.Is(err, secretstore.ErrNotFound) {
		return nil, nil //nolint:nilnil // there is nothing to add, and nothing is wrong
	}
	if err != nil {
		return nil, err
	}
	return &addition{version: r, stored: stored}, nil
}

func differs(r record) error {
	return fmt.Errorf("version %s (number %d) does not hold what was recorded: %w", r.ID, r.Held.number(), secretstore.ErrCorrupt)
}
