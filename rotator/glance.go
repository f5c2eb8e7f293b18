package rotator

import (
	"context"
	"sync"
)

// Glance observes targets, side by side, and says what Reconcile would do next for a
// request. It makes test calls where the next step hangs on them, but nothing is tried
// again towards a verdict, and when ctx ends each target is told as its stores said by
// then. The stores are read while the keys are listed, whose workspace may hang.
func (r *Rotator) Glance(ctx context.Context, ts []Target, req Request) []TargetStatus {
	var mu sync.Mutex
	failed := map[*Workspace]error{}
	var lists sync.WaitGroup
	for w, mark := range marksOf(ts) {
		lists.Go(func() {
			fail := func(err error) {
				mu.Lock()
				defer mu.Unlock()
				failed[w] = err
			}
			defer recovered(fail)
			if _, err := w.listedSince(ctx, mark, r.opts.Now(), true); err != nil {
				fail(err)
			}
		})
	}
	runs := each(r, ts, func(t Target, mark int) *run {
		run := r.newRun(t, req, mark)
		run.ReadOnly = true
		run.readAtOnce(ctx)
		r.opts.Doing(t.Name, Step{Verb: List, Reason: "read the workspace's keys"})
		return run
	})
	lists.Wait()
	out := make([]TargetStatus, len(runs))
	var all sync.WaitGroup
	for i, run := range runs {
		all.Go(func() { out[i] = run.glance(ctx, failed[run.target.Workspace]) })
	}
	all.Wait()
	return out
}

// readAtOnce reads the stores side by side, so that one that hangs takes no time from
// another. A follower may then be seen ahead of the primary, which is only shown.
func (r *run) readAtOnce(ctx context.Context) {
	r.opts.Doing(r.target.Name, Step{Verb: Observe, Reason: "read the stores"})
	at := r.tick()
	var all sync.WaitGroup
	for i := range r.Stores {
		all.Go(func() { r.readStore(ctx, i, at) })
	}
	all.Wait()
	r.noteForeign()
}

// glance says what is known of a target whose stores were read. unlisted is why the
// keys could not be listed.
func (r *run) glance(ctx context.Context, unlisted error) (o TargetStatus) {
	defer recovered(func(err error) { o = r.unknown(err) })
	defer r.opts.Doing(r.target.Name, Step{})
	if unlisted != nil {
		return r.unknown(unlisted)
	}
	for range maxSteps {
		step := r.decide()
		switch {
		case step.Verb.ends():
			return r.describe(step)
		case step.At.After(r.now()):
			return r.undecided(step)
		}
		r.opts.Doing(r.target.Name, step)
		if err := r.bounded(ctx, step); err != nil && !ofSink(err) {
			return r.unknown(err)
		}
	}
	return r.unknown(ErrTooManySteps)
}

// undecided describes a target of which a run would find out more by trying again.
func (r *run) undecided(step Step) TargetStatus {
	o := r.describe(step)
	o.Due, o.Because = true, step.Reason
	if step.Verb == Prove {
		o.Because = proveLater(step.ID)
	}
	v := r.view()
	cur, ok := r.current(0)
	if t, tested := v.tested(0, cur.ID); !ok || o.Dead || !tested || !isInvalid(t) {
		return o
	}
	// The list lacks the key and a test call was refused: two answers that agree.
	if _, listed := r.Keys[cur.ID]; listed || v.young(cur) {
		o.Refused = true
		return o
	}
	o.Dead, o.Because = true, deadReason
	return o
}

// within gives what f gives, or the end of ctx if that comes first: f may hang where no
// context ends it, such as on a disk that does not answer.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		got T
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		var a answer
		defer func() { answered <- a }()
		defer recovered(func(err error) { a.err = err })
		a.got, a.err = f()
	}()
	select {
	case a := <-answered:
		return a.got, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
