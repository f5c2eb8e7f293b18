package gcpsecretmanager

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A server that was configured may be anything. Whether it is fit is found out as soon
// as it shows: a reading shows that there are no etags, only a write that they are not
// compared.

// neverGiven is an etag that no server gives out.
const neverGiven = `"0"`

// probe makes sure, once, that a server compares etags: it must refuse a write
// with one that it never gave out. Secret Manager itself is taken at its word;
// a configured endpoint may be anything, and an emulator that ignores etags
// would let two rotators overwrite each other.
func (s *Store) probe(ctx context.Context, v view) error {
	if s.site.Endpoint == "" || s.trusted() {
		return nil
	}
	if err := s.fit(v); err != nil {
		return err
	}
	_, err := s.service.replace(ctx, neverGiven, v.annotations, nil)
	switch status.Code(err) {
	case codes.OK:
		return s.unfit("took a write with an etag that it never gave out")
	case codes.FailedPrecondition, codes.Aborted, codes.InvalidArgument:
		s.trust()
		return nil
	default:
		return s.service.replacing().failed(err)
	}
}

// fit fails if a reading shows, or an earlier write has shown, that the server cannot
// keep two rotators apart.
func (s *Store) fit(v view) error {
	s.mu.Lock()
	known := s.unfitness
	s.mu.Unlock()
	if known == nil && s.site.Endpoint != "" && v.etag == "" && !v.absent {
		return s.unfit("gives secrets no etag")
	}
	return known
}

// unfit is the error of a server that lacks what keeps rotators apart. It is told from
// then on by everything that is asked of the store.
func (s *Store) unfit(how string) error {
	err := fmt.Errorf("the server %s: two rotators could not be kept apart, so it must not be used: %w", how, secretstore.ErrUnfit)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfitness = err
	return err
}

// create makes the secret, and gives it as it is then.
func (s *Store) create(ctx context.Context) (view, error) {
	sec, err := s.o.CreateMissing.blank(s.site)
	if err != nil {
		return view{}, fmt.Errorf("create the secret: %w: %w", secretstore.ErrNotFound, err)
	}
	if err := s.service.create(ctx, s.o.Secret, sec); err != nil {
		return view{}, err
	}
	return s.observe(ctx)
}

// dismiss destroys or disables what the annotation has let go. It names them until
// the next write: a crash in between costs nothing. One that somebody's alias names
// stays, until the alias moves.
func (s *Store) dismiss(ctx context.Context, v view) (view, error) {
	var stay []leaving
	for _, l := range v.due {
		if v.named(l.Number) {
			stay = append(stay, l)
			continue
		}
		if err := s.service.dismiss(ctx, l); err != nil {
			return view{}, err
		}
		if l.Number == v.top.number {
			v.top.enabled = false
		}
	}
	gone := func(l leaving) bool { return slices.Contains(v.due, l) && !slices.Contains(stay, l) }
	v.base.Leaving = slices.DeleteFunc(slices.Clone(v.base.Leaving), gone)
	v.due = stay
	return v, nil
}
