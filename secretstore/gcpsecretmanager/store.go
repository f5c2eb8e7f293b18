package gcpsecretmanager

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Store keeps one secret in GCP Secret Manager. It is safe for concurrent use,
// holds no goroutine between its calls, and lasts as long as the [Client] that it
// was opened on.
type Store struct {
	o       Options
	site    Site
	service service

	mu       sync.Mutex
	seen     view // as of the last read or write
	hasSeen  bool
	compares bool // the server is known to compare etags
	// unfitness is why the server must not be used; nil as long as nothing shows it.
	unfitness error
}

var _ secretstore.Store = (*Store)(nil)

// Describe implements [secretstore.Store]. It makes two calls; one more while a
// version that the rotator did not add is on top and not on record, and up to
// twenty-one more while nothing is on record and the newest version is not enabled.
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	v, err := s.observed(ctx)
	if err != nil {
		return secretstore.Snapshot{}, s.named("describe", err)
	}
	return v.snapshot(), nil
}

// observed reads the secret and remembers it.
func (s *Store) observed(ctx context.Context) (view, error) {
	if err := cancelled(ctx); err != nil {
		return view{}, err
	}
	v, err := s.observe(ctx)
	if err == nil {
		err = s.fit(v)
	}
	s.remember(v, err == nil)
	return v, err
}

// Annotate implements [secretstore.Store]. It makes one call.
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(context.Context, view) (change, error) {
		return change{apply: func(st state) state { return st.to(st.Annotate(n), s.disposal()) }}, nil
	})
	return next, s.named("annotate", err)
}

// Stage implements [secretstore.Store]. It makes three calls: announce, add,
// record; one more before them if the payload keeps other fields.
func (s *Store) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(ctx context.Context, now view) (change, error) {
		return s.stage(ctx, now, v, value)
	})
	return next, s.named("stage "+v.ID, err)
}

func (s *Store) stage(ctx context.Context, now view, v secretstore.Version, value secret.Value) (change, error) {
	pending, again, err := now.base.CheckStage(v.ID)
	if err != nil {
		return change{}, err
	}
	if again {
		return change{same: true}, s.sameValue(ctx, pending, value)
	}
	stored, err := s.encoded(ctx, now, v, value)
	if err != nil {
		return change{}, err
	}
	r := record{
		Stage: secretstore.Pending, Held: place{CRC32C: checksum(stored)},
		Version: secretstore.Version{ID: v.ID, Intent: v.Intent, Account: v.Account},
	}
	// The arrival of an announced version is all that there is to the change.
	return change{apply: func(st state) state { return st }, add: &addition{version: r, stored: stored}}, nil
}

// sameValue fails with ErrConflict if the pending version has another value.
func (s *Store) sameValue(ctx context.Context, pending record, value secret.Value) error {
	held, err := s.open(ctx, pending)
	if err != nil {
		return err
	}
	if !held.Equal(value) {
		return document.ErrOtherValue
	}
	return nil
}

// encoded gives what is stored for a key.
func (s *Store) encoded(ctx context.Context, now view, v secretstore.Version, value secret.Value) (secret.Value, error) {
	held, err := s.rest(ctx, now.base)
	if err != nil {
		return secret.Value{}, fmt.Errorf("read the current value, whose other fields are to be kept: %w", err)
	}
	stored, err := s.o.Payload.Encode(v, value, held)
	if err == nil && tooLarge(stored) {
		err = fmt.Errorf("the value is larger than the %d bytes that Secret Manager takes: %w", maxPayload, secretstore.ErrDenied)
	}
	return stored, err
}

// rest gives the stored value that has what a form keeps beside the key: the
// current one, or the previous one if somebody disabled that. The key alone needs
// none.
func (s *Store) rest(ctx context.Context, st state) (secret.Value, error) {
	if _, alone := s.o.Payload.(payload.Raw); alone {
		return secret.Value{}, nil
	}
	for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous} {
		r, held := st.On(stage)
		if !held {
			continue
		}
		stored, err := s.whole(ctx, r)
		if !errors.Is(err, secretstore.ErrNotFound) {
			return stored, err
		}
	}
	return secret.Value{}, nil
}

// Read implements [secretstore.Store]. It makes one call. A version that
// somebody disabled or destroyed is ErrNotFound.
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	value, err := s.read(ctx, id)
	return value, s.named("read "+id, err)
}

func (s *Store) read(ctx context.Context, id string) (secret.Value, error) {
	if err := cancelled(ctx); err != nil {
		return secret.Value{}, err
	}
	if v, ok := s.remembered(); ok {
		if r, held := v.shown.Find(id); held {
			value, err := s.open(ctx, r)
			if !errors.Is(err, secretstore.ErrNotFound) {
				return value, err
			}
		}
	}
	v, err := s.observed(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	r, held := v.shown.Find(id)
	if !held {
		return secret.Value{}, fmt.Errorf("no version has that id: %w", secretstore.ErrNotFound)
	}
	return s.open(ctx, r)
}

// open gives the key that a version holds.
func (s *Store) open(ctx context.Context, r record) (secret.Value, error) {
	stored, err := s.whole(ctx, r)
	if err != nil {
		return secret.Value{}, err
	}
	return s.o.Payload.Decode(stored)
}

// whole reads what a version holds and checks that it is what was stored.
func (s *Store) whole(ctx context.Context, r record) (secret.Value, error) {
	stored, crc, err := s.service.read(ctx, r.Held.number())
	if err != nil {
		return secret.Value{}, err
	}
	if crc != r.Held.CRC32C {
		return secret.Value{}, differs(r)
	}
	return stored, nil
}

// Promote implements [secretstore.Store]. It makes one call; three more if the
// version is not on top, where readers of the latest version look.
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(ctx context.Context, now view) (change, error) {
		return s.promote(ctx, now, id, at)
	})
	return next, s.named("promote "+id, err)
}

func (s *Store) promote(ctx context.Context, now view, id string, at time.Time) (change, error) {
	_, changed, err := now.base.Promote(id, at)
	if err != nil || !changed {
		return change{same: true}, err
	}
	c := change{apply: func(st state) state {
		next, _, _ := st.Promote(id, at) // it is still held: all that came in between is a version on top
		return st.to(next, s.disposal())
	}}
	r, _ := now.base.Find(id)
	if r.Stage == secretstore.Current || r.Held.number() == now.top.number {
		return c, nil
	}
	if c.add, err = s.onceMore(ctx, r); err == nil && c.add == nil {
		err = s.goneUnlessStale(ctx, now, r)
	}
	return c, err
}

// goneUnlessStale is the error for a version whose value is not there: somebody
// destroyed it by hand, unless another writer did and the view is out of date.
func (s *Store) goneUnlessStale(ctx context.Context, now view, r record) error {
	if _, err := s.asSeen(ctx, now.identity, now.revision()); err != nil {
		return err
	}
	return fmt.Errorf("version %s (number %d) is disabled or destroyed: %w", r.ID, r.Held.number(), secretstore.ErrNotFound)
}

// Destroy implements [secretstore.Store]. It makes two calls; five for a pending
// version that is on top, since the current value goes there before.
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	next, err := s.write(ctx, seen, func(ctx context.Context, now view) (change, error) {
		return s.destroy(ctx, now, id)
	})
	return next, s.named("destroy "+id, err)
}

func (s *Store) destroy(ctx context.Context, now view, id string) (change, error) {
	_, changed, err := now.shown.Destroy(id)
	if err != nil || !changed {
		return change{same: true}, err
	}
	c := change{apply: func(st state) state {
		next, _, _ := st.Destroy(id) // it is as it was seen
		return st.to(next, s.disposal())
	}}
	if r, _ := now.shown.Find(id); r.Held.number() != now.top.number {
		return c, nil
	}
	current, ok := now.base.On(secretstore.Current)
	if !ok {
		return c, nil
	}
	c.add, err = s.onceMore(ctx, current)
	return c, err
}

// remember keeps a view, so that a write on its snapshot need not read again.
func (s *Store) remember(v view, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.hasSeen = v, ok
}

func (s *Store) remembered() (view, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, s.hasSeen
}

func (s *Store) trust() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compares = true
}

func (s *Store) trusted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compares
}

// named says on an error what was tried, and where.
func (s *Store) named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("gcpsecretmanager: %s in %s: %w", what, s.service.names.secret, err)
}
