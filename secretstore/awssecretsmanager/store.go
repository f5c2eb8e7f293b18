package awssecretsmanager

import (
	"context"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// abandonedAfter is how long something that was started and never ended is taken to be
// under way still: far longer than any call, or any step of a rotation, lives.
const abandonedAfter = time.Hour

// Describe implements [secretstore.Store]. It makes one call; one more if the
// age of the current version is not in its labels, and one if something else than the
// rotator made the pending version.
func (s *Store) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	snap, err := s.snapshot(ctx)
	return snap, s.named("describe", err)
}

func (s *Store) snapshot(ctx context.Context) (secretstore.Snapshot, error) {
	r, err := s.read(ctx)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if err := r.contested(s.now()); err != nil {
		return secretstore.Snapshot{}, err
	}
	return s.give(r), nil
}

// read describes the secret and finds out what it means.
func (s *Store) read(ctx context.Context) (reading, error) {
	st, err := s.describeSecret(ctx)
	if err != nil {
		return reading{}, err
	}
	if st.vacant, err = s.vacancy(ctx, read(st)); err != nil {
		return reading{}, err
	}
	return s.dated(ctx, read(st))
}

// dated adds the time that the current version was put where nothing else tells
// its age. What is known already is not asked again.
func (s *Store) dated(ctx context.Context, r reading) (reading, error) {
	if !r.undated() {
		return r, nil
	}
	s.mu.Lock()
	known := s.last.created
	s.mu.Unlock()
	if at, ok := known[r.current]; ok {
		r.created[r.current] = at
		return r, nil
	}
	created, err := s.creationTimes(ctx, r.arn)
	if err != nil {
		return reading{}, err
	}
	r.created[r.current] = created[r.current]
	return r, nil
}

// give remembers the state behind a snapshot that goes out.
func (s *Store) give(r reading) secretstore.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = r.state
	return r.snapshot()
}

// remembered gives the state behind seen if it is what went out last.
func (s *Store) remembered(seen secretstore.Snapshot) (state, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isLast := seen.Revision != "" && s.last.arn == seen.Identity && s.last.revision() == seen.Revision
	return s.last, isLast
}

// Read implements [secretstore.Store]. It makes one call where the version has
// its key's id.
func (s *Store) Read(ctx context.Context, id string) (secret.Value, error) {
	value, err := s.readKey(ctx, id)
	return value, s.named("read "+id, err)
}

func (s *Store) readKey(ctx context.Context, id string) (secret.Value, error) {
	if err := ctx.Err(); err != nil {
		return secret.Value{}, fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	if isVersionID(id) {
		if value, ok, err := s.readDirectly(ctx, id); ok || err != nil {
			return value, err
		}
	}
	r, err := s.read(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	v, held := r.document().Find(id)
	if !held {
		return secret.Value{}, fmt.Errorf("no version holds that key: %w", secretstore.ErrNotFound)
	}
	value, _, err := s.get(ctx, s.name, v.Held)
	if err != nil {
		return secret.Value{}, err
	}
	return s.decoded(value)
}

// readDirectly reads the version that is called like the key. ok is false if
// its own labels do not settle that it holds the key and is on a stage.
func (s *Store) readDirectly(ctx context.Context, id string) (value secret.Value, ok bool, err error) {
	v, labels, err := s.get(ctx, s.name, id)
	switch {
	case isKind(err, secretstore.ErrNotFound):
		return secret.Value{}, false, nil
	case err != nil:
		return secret.Value{}, false, err
	case !settles(labels, id):
		return secret.Value{}, false, nil
	}
	value, err = s.decoded(v)
	return value, true, err
}

// settles tells whether a version's own labels show that it is on a stage and
// holds the key it is called like.
func settles(labels []string, version string) bool {
	st := state{labels: map[string]string{}}
	for _, label := range labels {
		st.labels[label] = version
	}
	r := read(st)
	_, held := r.document().Find(version)
	return held
}

func (s *Store) decoded(v stored) (secret.Value, error) {
	if v.absent {
		return secret.Value{}, fmt.Errorf("the version has no value: %w", secretstore.ErrCorrupt)
	}
	return s.form.Decode(v.value)
}

// named says on an error what was tried, and on which secret.
func (s *Store) named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("awssecretsmanager: %s in %s: %w", what, s.name, err)
}
