package kubernetessecret

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// change is the outcome of a decision on a view.
type change struct {
	// same: nothing is to be written.
	same bool
	next digests
	// values of versions that the view does not know, by id.
	values map[string]secret.Value
}

// write runs one compare-and-swap.
func (s *Store) write(ctx context.Context, seen secretstore.Snapshot, decide func(view) (change, error)) (secretstore.Snapshot, error) {
	next, err := s.decideAndCommit(ctx, seen, decide)
	s.remember(next, err == nil)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return next.snapshot(), nil
}

func (s *Store) decideAndCommit(ctx context.Context, seen secretstore.Snapshot, decide func(view) (change, error)) (view, error) {
	if err := cancelled(ctx); err != nil {
		return view{}, err
	}
	v, err := s.standing(ctx, seen)
	if err != nil {
		return view{}, err
	}
	c, err := decide(v)
	if err != nil {
		return view{}, err
	}
	if c.same { // the view may be out of date, and no write to come would show that
		return s.asSeen(ctx, v.identity, v.revision())
	}
	if err := s.writable(v, c); err != nil {
		return view{}, err
	}
	if v.absent {
		if v, err = s.create(ctx); err != nil {
			return view{}, err
		}
		if c, err = decide(v); err != nil { // the records need the UID
			return view{}, err
		}
	}
	return s.commit(ctx, v, c)
}

// standing gives the view that a snapshot was made of: the one in memory, or
// else the Secret as it is now, if that is still the same.
func (s *Store) standing(ctx context.Context, seen secretstore.Snapshot) (view, error) {
	if v, ok := s.remembered(); ok && v.identity == seen.Identity && v.revision() == seen.Revision {
		return v, nil
	}
	return s.asSeen(ctx, seen.Identity, seen.Revision)
}

// create makes the Secret without values. The write that follows brings the
// state, which needs the UID that the cluster gives.
func (s *Store) create(ctx context.Context) (view, error) {
	o, err := s.client.create(ctx, *s.o.CreateMissing)
	if err != nil {
		return view{}, err
	}
	return s.viewOf(o)
}

// maxTries is how often a write is tried that meets an edit of what is not ours.
const maxTries = 5

// commit makes the one call that writes. An edit of something else changes the
// resourceVersion too: then it is made again on top of that.
func (s *Store) commit(ctx context.Context, v view, c change) (view, error) {
	text, err := v.with(c.next).encode()
	if err != nil {
		return view{}, err
	}
	for range maxTries {
		o, err := s.client.patch(ctx, v.patchTo(c.next, text, c.values))
		if err == nil && o.text != text {
			return view{}, fmt.Errorf("something in the cluster changed the annotation %s on its way; "+
				"keep admission webhooks off it: %w", s.client.mark, secretstore.ErrUnavailable)
		}
		if err == nil {
			return s.viewOf(o)
		}
		if !errors.Is(err, secretstore.ErrConflict) {
			return view{}, err
		}
		now, again := s.observe(ctx)
		switch {
		case again != nil:
			return view{}, again
		case now.object.text == text: // something on the way repeated our own write
			return now, nil
		case now.identity != v.identity || now.revision() != v.revision():
			return view{}, err
		}
		if err := s.writable(now, c); err != nil {
			return view{}, err
		}
		v = now
	}
	return view{}, fmt.Errorf("the Secret changes all the time: %w", secretstore.ErrConflict)
}

// Limits of a Secret, which the API server checks too.
const (
	maxData        = corev1.MaxSecretSize
	maxAnnotations = 256 * 1024
	// typicalValue is more than a key takes up.
	typicalValue = 1024
)

// writable refuses, before anything is sent, a write that the cluster would
// refuse, and one that begins a rotation which could not be finished.
func (s *Store) writable(v view, c change) error {
	switch {
	case v.object.deleting:
		return fmt.Errorf("%w: the Secret is being deleted", secretstore.ErrDenied)
	case v.object.immutable:
		return fmt.Errorf("%w: %s", secretstore.ErrDenied, s.client.isImmutable())
	}
	if c.next.Intent.Nonce != "" { // what Stage will make of it
		ver := secretstore.Version{ID: strings.Repeat("-", len("0193a7c2-5a10-7c3e-9b1f-00000000000a")), Intent: c.next.Intent}
		c.next = c.next.Stage(ver, s.o.Now(), "")
	}
	return s.fits(v, c)
}

// fits tells whether a state and its values have room in the Secret.
func (s *Store) fits(v view, c change) error {
	text, err := v.with(c.next).encode()
	if err != nil {
		return err
	}
	data, annotations := v.object.others.data, v.object.others.annotations+len(s.client.mark)+len(text)
	for _, r := range c.next.Versions {
		switch value, known := v.values[r.ID]; {
		case known:
			data += sizeOf(value)
		case !c.values[r.ID].IsZero():
			data += sizeOf(c.values[r.ID])
		case r.Held == "":
			data += typicalValue
		}
	}
	if data > maxData || annotations > maxAnnotations {
		return fmt.Errorf("%w: the Secret would have %d bytes of values and %d of annotations, of which the cluster allows %d and %d: "+
			"keep what else is in it elsewhere", secretstore.ErrDenied, data, annotations, maxData, maxAnnotations)
	}
	return nil
}

// with is the view's state with another document.
func (v view) with(next digests) state {
	st := v.state
	st.digests = next
	return st
}

// cancelled is the error of a context that has ended.
func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	return nil
}
