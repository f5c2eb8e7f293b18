package vaultkv

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// change is the outcome of a decision on a view.
type change struct {
	// same: nothing is to be written.
	same bool
	next records
	// staged are values that the view does not know.
	staged values
	// promotes is a promotion to make; where it is to land is not in it yet.
	promotes *promotion
	// destroys are the versions of the consumers' path that held what is forgotten.
	destroys []int
}

// write runs one compare-and-swap.
func (s *Store) write(ctx context.Context, seen secretstore.Snapshot, decide func(view) (change, error)) (secretstore.Snapshot, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if s.identity(v) != seen.Identity || v.revision() != seen.Revision {
		return secretstore.Snapshot{}, fmt.Errorf("the secret is at revision %s, seen was %q: %w", v.revision(), seen.Revision, secretstore.ErrConflict)
	}
	c, err := decide(v)
	if err == nil && !c.same && v.open {
		if v, err = s.fenced(ctx, v); err == nil {
			c, err = decide(v)
		}
	}
	if err == nil && !c.same {
		v, err = s.commit(ctx, v, c)
	}
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return s.snapshot(v), nil
}

// commit makes the calls that write.
func (s *Store) commit(ctx context.Context, v view, c change) (view, error) {
	var object secret.Value
	if c.promotes != nil { // what cannot be encoded is found before anything is written
		r, _ := v.state.Find(c.promotes.ID)
		r.Name = r.Held.Name
		var err error
		if object, err = s.o.Payload.Encode(r.Version, v.values[r.ID], v.public.object); err != nil {
			return view{}, err
		}
	}
	if err := s.destroyOld(ctx, v, c.destroys); err != nil {
		return view{}, err
	}
	if c.promotes != nil {
		c.promotes.Onto = v.public.version
	}
	v, err := s.swapState(ctx, v, c)
	if err != nil || c.promotes == nil {
		return v, err
	}
	public, err := s.engine.write(ctx, s.o.Path, v.public.version, object)
	if err != nil {
		return view{}, err
	}
	return s.after(ctx, v.stored, public)
}

// fenced keeps an announced promotion that has not come true from doing so later: it
// writes what consumers read once more.
func (s *Store) fenced(ctx context.Context, v view) (view, error) {
	object := v.public.object
	if object.IsZero() {
		object = secret.New("{}")
	}
	public, err := s.engine.write(ctx, s.o.Path, v.public.version, object)
	if err != nil {
		return view{}, err
	}
	next, err := s.after(ctx, v.stored, public)
	if err == nil && !maps.Equal(next.state.Shown(), v.state.Shown()) {
		// The announced value is the one that is there: now it has come true.
		return view{}, fmt.Errorf("a promotion was under way: %w", secretstore.ErrConflict)
	}
	return next, err
}

// destroyOld destroys versions of the consumers' path, before their record is gone. The
// newest one stays, whatever the record says: consumers read it.
func (s *Store) destroyOld(ctx context.Context, v view, versions []int) error {
	versions = slices.DeleteFunc(slices.Clone(versions), func(n int) bool { return n >= v.public.version })
	if len(versions) == 0 {
		return nil
	}
	return s.engine.destroy(ctx, s.o.Path, versions)
}

// swapState writes the second path, if it is as the view has it.
func (s *Store) swapState(ctx context.Context, v view, c change) (view, error) {
	known := maps.Clone(v.values)
	maps.Copy(known, c.staged)
	object, err := encodeState(v.put(c.next, c.promotes), known)
	if err != nil {
		return view{}, err
	}
	if v.stored.version == 0 {
		if err := s.engine.prepare(ctx, s.statePath); err != nil {
			return view{}, err
		}
	}
	stored, err := s.engine.write(ctx, s.statePath, v.stored.version, object)
	if err != nil {
		return view{}, err
	}
	return s.after(ctx, stored, v.public)
}

// after is the view after a write of ours.
func (s *Store) after(ctx context.Context, stored, public entry) (view, error) {
	v, _, err := s.viewOf(ctx, stored, public)
	return v, err
}

// cancelled is the error of a context that has ended.
func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	return nil
}
