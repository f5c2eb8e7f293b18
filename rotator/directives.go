package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Hold sets a hold on a target, in the place of the one that may be set. Every
// instance obeys it from the next time on that it reads the store, and reads it again right before it
// revokes a key. The reason is cut to [secretstore.MaxReason] bytes.
func (r *Rotator) Hold(ctx context.Context, t Target, h secretstore.Hold) error {
	h.Reason = shorten(h.Reason)
	if err := r.CheckLost(ctx, t); err != nil {
		return err
	}
	_, err := r.direct(ctx, t, 0, directive{"hold", told(h)}, func(n *secretstore.Notes) { n.Hold = h })
	return err
}

// told is what the trail has of a hold.
func told(h secretstore.Hold) string {
	if h.Until.IsZero() {
		return h.Reason
	}
	return fmt.Sprintf("%s (until %s)", h.Reason, h.Until.UTC().Format(time.RFC3339))
}

// CheckLost fails where the primary was, and is not: a hold that is noted there holds
// nothing, and a value that is put there no consumer reads. The keys are listed only where the primary holds nothing.
func (r *Rotator) CheckLost(ctx context.Context, t Target) error {
	w := r.newRun(t, Request{}, 0)
	w.readStores(ctx)
	if v := (&view{State: w.State}); !v.unused() || t.Workspace == nil {
		return nil
	}
	w.mark = t.Workspace.mark()
	if err := w.list(ctx); err != nil {
		return fmt.Errorf("store %s holds nothing; was there a key in it? %w", w.primary().Name, err)
	}
	return (&view{State: w.State, policy: t.Policy}).lostError()
}

// Release takes a target's hold off, and tells whether there was one. Where the primary is
// away that is not known.
func (r *Rotator) Release(ctx context.Context, t Target) (held bool, err error) {
	if err := r.CheckLost(ctx, t); err != nil {
		return false, err
	}
	var errs []error
	for i := range t.Stores { // one that follows may have been the primary before
		changed, err := r.direct(ctx, t, i, directive{"release", ""}, func(n *secretstore.Notes) { n.Hold = secretstore.Hold{} })
		held = held || changed
		errs = append(errs, err)
	}
	return held, errors.Join(errs...)
}

// RevokedByHand notes down a person's word that the keys which an incident could not
// revoke, since they are of unknown origin, were revoked by hand, and tells whether there
// were any. Where the primary is away that is not known.
func (r *Rotator) RevokedByHand(ctx context.Context, t Target) (were bool, err error) {
	if err := r.CheckLost(ctx, t); err != nil {
		return false, err
	}
	var errs []error
	for i := range t.Stores { // one that follows may have been the primary before
		changed, err := r.direct(ctx, t, i, directive{"revoked-by-hand", ""}, func(n *secretstore.Notes) { n.Incident.Unrevoked = false })
		were = were || changed
		errs = append(errs, err)
	}
	return were, errors.Join(errs...)
}

// maxDirectives is how often a directive is written anew because the secret changed
// meanwhile: a rotation changes it a few times a second at most.
const maxDirectives = 10

// A directive is what the trail tells of it.
type directive struct {
	verb   Verb
	reason string
}

// direct changes the notes of store i, whatever happens beside it, and tells whether
// there was anything to change.
func (r *Rotator) direct(ctx context.Context, t Target, i int, d directive, change func(*secretstore.Notes)) (changed bool, err error) {
	st, told := t.Stores[i], func(error) {}
	defer func() { told(err) }()
	for tries := range maxDirectives {
		var snap secretstore.Snapshot
		if snap, err = st.Describe(ctx); err != nil {
			break
		}
		notes := snap.Notes
		change(&notes)
		if notes == snap.Notes {
			return false, nil
		}
		if tries == 0 {
			if told, err = r.intendDirective(t, st, d); err != nil {
				return false, err
			}
		}
		if _, err = st.Annotate(ctx, snap, notes); !errors.Is(err, secretstore.ErrConflict) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("store %s: %w", st.Name, err)
	}
	return true, nil
}

// intendDirective records a directive before it is given.
func (r *Rotator) intendDirective(t Target, st NamedStore, d directive) (told func(error), err error) {
	nothing := func(error) {}
	if r.opts.Trail == nil {
		return nothing, nil
	}
	e := Effect{At: r.opts.Now(), Verb: d.verb, Target: t.Name, Store: st.Name, Spec: t.Policy.Spec, Reason: d.reason}
	if t.Workspace != nil {
		e.Workspace = t.Workspace.Name
	}
	done, err := r.opts.Trail.Intend(e)
	if err != nil {
		return nothing, fmt.Errorf("%w: %w", ErrTrail, err)
	}
	return func(err error) { done(Outcome{At: r.opts.Now(), Err: err}) }, nil
}
