package gcpsecretmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// change is the outcome of a decision on a view.
type change struct {
	// same: nothing is to be written.
	same bool
	// apply makes the change, once what is to be added is there.
	apply func(state) state
	// add is a value that must be on top first; nil if none.
	add *addition
}

// addition is a value to be put on top.
type addition struct {
	// version that it belongs to; pending if it is new.
	version record
	stored  secret.Value
}

// errStolen: what was announced is no longer in the annotation.
var errStolen = fmt.Errorf("the announcement was overruled: %w", secretstore.ErrConflict)

// write runs one compare-and-swap.
func (s *Store) write(ctx context.Context, seen secretstore.Snapshot, decide func(context.Context, view) (change, error)) (secretstore.Snapshot, error) {
	if err := cancelled(ctx); err != nil {
		return secretstore.Snapshot{}, err
	}
	v, err := s.standing(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	next, err := s.decideAndCommit(ctx, v, decide)
	if err != nil {
		s.remember(view{}, false)
		return secretstore.Snapshot{}, err
	}
	s.remember(next, true)
	return next.snapshot(), nil
}

// standing gives the view that a snapshot was made of: the one in memory, or
// else the secret as it is now, if that is still the same.
func (s *Store) standing(ctx context.Context, seen secretstore.Snapshot) (view, error) {
	if v, ok := s.remembered(); ok && v.identity == seen.Identity && v.revision() == seen.Revision {
		return v, nil
	}
	return s.asSeen(ctx, seen.Identity, seen.Revision)
}

// asSeen reads the secret, which must be as it was.
func (s *Store) asSeen(ctx context.Context, identity, revision string) (view, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return view{}, err
	}
	if v.identity != identity || v.revision() != revision {
		return view{}, fmt.Errorf("the secret is at revision %s, seen was %q: %w", v.revision(), revision, secretstore.ErrConflict)
	}
	return v, nil
}

func (s *Store) decideAndCommit(ctx context.Context, v view, decide func(context.Context, view) (change, error)) (view, error) {
	c, err := decide(ctx, v)
	if err != nil {
		return view{}, err
	}
	if c.same || c.mends(v) {
		// The view may be out of date, and no write to come would show that.
		if v, err = s.asSeen(ctx, v.identity, v.revision()); err != nil || c.same {
			return v, err
		}
	}
	if err := s.yield(v, c); err != nil {
		return view{}, err
	}
	if v.absent {
		if v, err = s.create(ctx); err != nil {
			return view{}, err
		}
	}
	v.base = v.base.voided()
	if v, err = s.dismiss(ctx, v); err != nil {
		return view{}, err
	}
	if v, err = s.commit(ctx, v, c); err != nil {
		return view{}, err
	}
	return s.dismiss(ctx, v)
}

// mends tells whether a value is put on top once more: then nothing may have
// come on top in between.
func (c change) mends(v view) bool {
	if c.add == nil {
		return false
	}
	_, held := v.base.Find(c.add.version.ID)
	return held
}

// yield stands back from a secret to which another writer may be about to add a
// version: what he adds is at once what readers of the latest version get, so
// nobody may decide before that its key is of no use. Adding the same value
// beside him is harmless.
func (s *Store) yield(v view, c change) error {
	if !v.base.busy(s.o.Now()) {
		return nil
	}
	theirs := v.base.Adding.Version
	if c.add != nil && c.add.version.ID == theirs.ID && c.add.version.Held.CRC32C == theirs.Held.CRC32C {
		return nil
	}
	return fmt.Errorf("another writer announced version %s at %s: %w", theirs.ID, v.base.Adding.At, secretstore.ErrConflict)
}

// commit brings about a change: in one write or, if a value is to be added, in
// three. Between any two of them the state is whole: until the value has arrived
// all is as before, and from then on as after.
func (s *Store) commit(ctx context.Context, v view, c change) (view, error) {
	if c.add == nil {
		return s.record(ctx, v, c.apply(v.base))
	}
	inTime, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	announced, err := s.record(inTime, v, v.base.announced(c.add.version, v.top.number, s.o.Now()))
	if err != nil {
		return view{}, err
	}
	added, err := s.put(ctx, inTime, announced, c.add)
	if err != nil {
		return view{}, err
	}
	next, err := s.record(ctx, added, c.apply(added.base))
	if errors.Is(err, errStolen) {
		return s.overruled(ctx, c, added.top.number, c.mends(v))
	}
	return next, err
}

// put adds what was announced, in time, and gives the view with it.
func (s *Store) put(ctx, inTime context.Context, v view, a *addition) (view, error) {
	added, none, err := s.add(inTime, v, a)
	if err != nil && none {
		next := v.base
		next.Adding = nil
		_, _ = s.record(ctx, v, next) // or else it is void when the lease is over
		return view{}, err
	}
	if err != nil {
		var found bool
		if added, found = s.arrivedAfterAll(ctx, v); !found {
			return view{}, err
		}
	}
	between, err := s.between(ctx, v.top.number, added.number)
	if err != nil {
		return view{}, err
	}
	came := slices.Concat(between, []sighting{added})
	v.top, v.unknown = added, slices.Concat(v.unknown, came)
	v.base, v.shown = v.base.account(came, s.disposal())
	return v, nil
}

// add makes the call. With an error, none tells whether it is certain that nothing
// was added.
func (s *Store) add(inTime context.Context, v view, a *addition) (added sighting, none bool, err error) {
	// A deadline stands still while the machine is suspended, the time of day does not.
	if v.base.overdue(s.o.Now()) {
		return sighting{}, true, fmt.Errorf("announcing version %s took longer than %s: %w", a.version.ID, window, secretstore.ErrUnavailable)
	}
	key, _ := s.o.Payload.Decode(a.stored) // none in it: there is nothing more to hide
	return s.service.add(inTime, a.stored, key)
}

// arrivedAfterAll seeks a version whose answer was lost. It need not have
// arrived yet: then the next read finds it by its announcement.
func (s *Store) arrivedAfterAll(ctx context.Context, v view) (sighting, bool) {
	top, err := s.service.latest(ctx)
	if err != nil || top.number <= v.top.number {
		return sighting{}, false
	}
	came, err := s.between(ctx, v.top.number, top.number+1)
	if err != nil {
		return sighting{}, false
	}
	for _, c := range came {
		if c.enabled && c.crc32c == v.base.Adding.Version.Held.CRC32C {
			return c, true
		}
	}
	return sighting{}, false
}

// maxTries is how often a write is tried that meets an edit of labels, aliases
// or other annotations.
const maxTries = 5

// record writes a state in place of that of the view. An edit of something else
// changes the etag too: then it is tried again.
func (s *Store) record(ctx context.Context, v view, next state) (view, error) {
	text, err := next.encode()
	if err != nil {
		return view{}, err
	}
	if err := s.probe(ctx, v); err != nil {
		return view{}, err
	}
	withAliases := true
	for range maxTries {
		sec, err := s.replace(ctx, v, next, text, withAliases)
		if err == nil {
			next, err := decodeState(text)
			if err != nil {
				return view{}, err
			}
			return s.viewOf(sec, next, v.top, v.unknown), nil
		}
		if !errors.Is(err, secretstore.ErrConflict) && !rejected(err) {
			return view{}, err
		}
		now, again := s.refreshed(ctx, v)
		if again != nil {
			return view{}, fmt.Errorf("%w: %w", again, err)
		}
		if now.etag == v.etag && !withAliases {
			return view{}, fmt.Errorf("UpdateSecret was refused though nobody had changed the secret: %w: %s",
				secretstore.ErrUnavailable, status.Convert(err).Message())
		}
		// If it was not the etag, it may be the aliases: they are a mirror only.
		withAliases = withAliases && now.etag != v.etag
		v.etag, v.annotations, v.aliases = now.etag, now.annotations, now.aliases
	}
	return view{}, fmt.Errorf("the secret changes all the time: %w", secretstore.ErrConflict)
}

// rejected tells whether the service called a request impossible.
func rejected(err error) bool { return status.Code(err) == codes.InvalidArgument }

// refreshed reads the secret after a write was refused. It must have the
// annotation that the write was to replace; if not, somebody else wrote.
func (s *Store) refreshed(ctx context.Context, v view) (view, error) {
	sec, err := s.service.secret(ctx)
	if err != nil {
		return view{}, err
	}
	now := s.viewOf(sec, v.base, v.top, nil)
	if now.identity != v.identity || now.text() != v.text() {
		return view{}, errStolen
	}
	return now, nil
}

// replace makes the one call that writes, and compares what the server says the
// secret is now with what was sent.
func (s *Store) replace(ctx context.Context, v view, next state, text string, withAliases bool) (*secretmanagerpb.Secret, error) {
	annotations := maps.Clone(v.annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[annotationKey] = text
	if size := sizeOf(annotations); size >= maxAnnotations {
		return nil, fmt.Errorf("all annotations of the secret would have %d bytes, fewer than %d are allowed: "+
			"take others away, or let the key be issued for less: %w", size, maxAnnotations, secretstore.ErrUnavailable)
	}
	var aliases map[string]int64
	if withAliases {
		aliases = v.mirrored(next)
	}
	sec, err := s.service.replace(ctx, v.etag, annotations, aliases)
	if err != nil {
		return nil, s.service.replacing().failed(err)
	}
	switch {
	case sec.GetAnnotations()[annotationKey] != text:
		return nil, s.unfit("did not keep the annotation that was written")
	case sec.GetEtag() == v.etag:
		return nil, s.unfit("did not change the secret's etag with a write")
	}
	return sec, nil
}

func sizeOf(annotations map[string]string) int {
	size := 0
	for k, v := range annotations {
		size += len(k) + len(v)
	}
	return size
}

// cancelled is the error of a context that has ended.
func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	return nil
}
