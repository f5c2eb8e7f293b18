package rotator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (r *run) promote(ctx context.Context, s Step) error {
	if err := r.promoteWithin(ctx, s); err != nil {
		return err
	}
	r.Displaced = true
	cur, _ := r.current(0)
	switch {
	case s.Store == 0 && cur.Intent.Adopted != "":
		r.result.Adopted = s.ID
	case s.Store == 0:
		r.Rotated = true
	}
	if r.emergency() && !r.listedAll() {
		r.relist() // the old key goes in this very run; the list may be of before it was issued
	}
	return nil
}

// listedAll tells whether the key list has all displaced keys.
func (r *run) listedAll() bool {
	v := r.view()
	return !slices.ContainsFunc(v.old(), func(old secretstore.Version) bool {
		_, listed := r.Keys[old.ID]
		return !listed
	})
}

func (r *run) repair(ctx context.Context, s Step) error {
	if s.Store == 0 {
		r.Repaired = true
	}
	return r.promoteWithin(ctx, s)
}

// graceOf is the grace period that the version of a step was issued with.
func (r *run) graceOf(s Step) time.Duration {
	if ver, _, ok := r.Stores[s.Store].Find(s.ID); ok && !ver.Foreign {
		return ver.Intent.Grace
	}
	return r.target.Policy.Grace
}

// promoteWithin bounds the one write whose time is written down with it, and
// writes down the latest instant at which it can have happened: so the grace
// period that is counted from there is never too short.
func (r *run) promoteWithin(ctx context.Context, s Step) error {
	bound := promotionBound(r.graceOf(s))
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	at, begun := r.tick(), r.wallClock()
	snap, err := r.target.Stores[s.Store].Promote(ctx, r.Stores[s.Store].Snapshot, s.ID, begun.Add(bound))
	if r.wallClock().Sub(begun) > bound {
		snap, err = r.promoteLate(ctx, snap, s, bound, err)
	}
	if err == nil {
		defer r.inspectPromoted(outer, s.Store)
	}
	return r.wrote(s.Store, snap, at, err)
}

// inspectPromoted asks a store again: what consumers read now is another value. It has time of
// its own, since a promotion that came late has used up what there was for it.
func (r *run) inspectPromoted(ctx context.Context, store int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.StepTimeout)
	defer cancel()
	r.inspect(ctx, store)
}

// promoteLate writes down the time of a promotion once more: the process, or the
// machine, was stopped in the middle of it. One that failed may have been made all
// the same. It is tried again for as long as a step may take: no later run can tell
// that the time on record is too early.
func (r *run) promoteLate(ctx context.Context, snap secretstore.Snapshot, s Step, bound time.Duration, failed error) (secretstore.Snapshot, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.StepTimeout)
	defer cancel()
	for pause := time.Second; ; pause *= 2 {
		noted, err := r.promoteAgain(ctx, snap, s, bound, failed)
		if err == nil || errors.Is(err, secretstore.ErrConflict) || errors.Is(err, errNotMade) {
			return noted, err
		}
		snap, failed = noted, err
		if !r.wait(ctx, r.now().Add(pause)) || ctx.Err() != nil {
			return snap, failed
		}
	}
}

// errNotMade says of a promotion that failed that it was not made.
var errNotMade = errors.New("the promotion was not made")

// promoteAgain looks first what became of the promotion, if that failed.
func (r *run) promoteAgain(ctx context.Context, snap secretstore.Snapshot, s Step, bound time.Duration, failed error) (secretstore.Snapshot, error) {
	st := r.target.Stores[s.Store]
	if failed != nil {
		seen, err := st.Describe(ctx)
		switch {
		case err != nil:
			return snap, failed
		case seen.Versions[secretstore.Current].ID != s.ID:
			return seen, fmt.Errorf("%w: %w", errNotMade, failed)
		}
		snap = seen
	}
	noted, err := st.Promote(ctx, snap, s.ID, r.wallClock().Add(bound))
	if err != nil {
		return snap, err
	}
	return noted, nil
}

// wallClock is the time without a monotonic reading, which may stand still while
// a machine sleeps.
func (r *run) wallClock() time.Time { return r.now().Round(0) }
