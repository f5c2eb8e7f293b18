package rotator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// How long an incident waits for a sink.
const (
	longestAskInIncident    = 5 * time.Second
	longestSupplyInIncident = 15 * time.Second
)

// sinkError is the error of a sink. The run goes on without that sink: what kept it is in its
// state.
type sinkError struct{ error }

// Unwrap implements errors.Unwrap.
func (e *sinkError) Unwrap() error { return e.error }

// ofSink tells whether an error is one of a sink.
func ofSink(err error) bool {
	var of *sinkError
	return errors.As(err, &of)
}

// ofSinksOnly tells whether a failure is one of a sink, while another one is on record that was
// not made good: by that the backoff of rotations goes.
func (r *run) ofSinksOnly(err error) bool {
	f := r.primary().Notes.Failure
	cur, _ := r.current(0)
	return errors.Is(err, ErrSinkBehind) && f.Count > 0 && f.Step != string(Supply) && f.At.After(cur.Promoted)
}

// sinkFailed names a sink in an error.
func sinkFailed(name string, err error) error {
	if err == nil {
		return nil
	}
	return &sinkError{fmt.Errorf("sink %s: %w", name, err)}
}

// ask calls a sink, whose bugs must not keep others from anything.
func ask(call func() error) (err error) {
	defer recovered(func(panicked error) { err = panicked })
	return call()
}

// bound gives what is called on sinks the time that it has: a step's, whatever has been used up
// of that, and less in an incident.
func (r *run) bound(ctx context.Context, inIncident time.Duration) (context.Context, context.CancelFunc) {
	if r.emergency() {
		return context.WithTimeout(ctx, inIncident)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), r.opts.StepTimeout)
}

// beside calls n sinks side by side. Another target has this one's slot meanwhile.
func (r *run) beside(n int, call func(int)) {
	wait := func() {
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { call(i) })
			if r.opts.InTurn {
				all.Wait()
			}
		}
		all.Wait()
	}
	if r.target.aside == nil {
		wait()
		return
	}
	r.target.aside(wait)
}

// askSinks reads the sinks' marks, side by side. One that cannot be read keeps no other from it.
func (r *run) askSinks(ctx context.Context, _ Step) error {
	if r.emergency() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longestAskInIncident)
		defer cancel()
	}
	at := r.tick()
	r.beside(len(r.Sinks), func(i int) { r.askSink(ctx, i, at) })
	for _, s := range r.Sinks {
		if s.AskErr != nil {
			return sinkFailed(s.Name, s.AskErr)
		}
	}
	return nil
}

func (r *run) askSink(ctx context.Context, i int, at moment) {
	s := &r.Sinks[i]
	holder, ok := r.target.Sinks[i].(sink.Holder)
	if !ok {
		s.Asked = at
		return
	}
	mark, err := within(ctx, func() (string, error) { return holder.Holds(ctx) })
	s.Asked, s.Mark, s.AskErr = at, mark, err
}

// A put is one sink that is given the key.
type put struct {
	step  Step
	state *SinkState
	// told tells the trail how it went, unless that is told of the step in hand.
	told func(error)
}

// supply gives a sink the current key, as it was read back from the primary and tested. In an
// incident all that lack it are given it side by side, within one time for all.
func (r *run) supply(ctx context.Context, s Step) error {
	if err := r.unchanged(ctx, 0); err != nil {
		return err
	}
	begun := r.now()
	puts := r.intendPuts(s)
	ctx, cancel := r.bound(ctx, longestSupplyInIncident)
	defer cancel()
	value := r.read[place{0, s.ID}]
	r.beside(len(puts), func(i int) {
		if p := puts[i]; p.state.PutErr == nil {
			p.state.PutErr = ask(func() error { return r.target.Sinks[p.step.Sink].Put(ctx, s.ID, value) })
		}
	})
	return r.supplied(ctx, puts, begun)
}

// intendPuts begins to give sinks the key: the trail knows of each before it is called.
func (r *run) intendPuts(s Step) (puts []put) {
	v := r.view()
	for n, i := range append([]int{s.Sink}, v.besides(s)...) {
		step := s
		step.Sink = i
		p := put{step: step, state: &r.Sinks[i]}
		if p.state.Had == "" {
			p.state.Had = v.keyOf(*p.state)
		}
		p.state.Tried, p.state.GivenAt, p.state.PutErr = s.ID, 0, nil
		if n > 0 {
			p.told, p.state.PutErr = r.intend(step)
		}
		puts = append(puts, p)
	}
	return puts
}

// supplied notes which sinks took the key. What became of the step in hand is the caller's to
// tell.
func (r *run) supplied(ctx context.Context, puts []put, begun time.Time) error {
	at := r.tick()
	var failed error
	for _, p := range puts {
		err := sinkFailed(p.state.Name, p.state.PutErr)
		if err == nil {
			p.state.GivenAt = at
		}
		if p.told != nil {
			p.told(err)
			r.tell(p.step, r.now().Sub(begun), err)
		}
		if failed == nil {
			failed = err
		}
	}
	if failed == nil {
		return nil
	}
	if err := r.overtaken(ctx); err != nil {
		return err
	}
	return sinkFailed(puts[0].state.Name, puts[0].state.PutErr)
}

// overtaken tells a race that was lost meanwhile from a sink that fails: the sink may have
// taken the key all the same, after the winner gave it another one. A run that gave a key
// writes its receipt, and finds that out by it. What cannot be told is read before anything
// else is decided.
func (r *run) overtaken(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestSupplyInIncident)
	defer cancel()
	err := r.unchanged(ctx, 0)
	if errors.Is(err, secretstore.ErrConflict) {
		return err
	}
	if err != nil {
		r.Stores[0].Seen = 0
	}
	return nil
}

// unchanged reads a store once more: what is decided on a view that is out of date must not reach
// a place that cannot compare.
func (r *run) unchanged(ctx context.Context, i int) error {
	st := r.target.Stores[i]
	snap, err := st.Describe(ctx)
	if err == nil && snap.Revision != r.Stores[i].Revision {
		err = secretstore.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", st.Name, err)
	}
	return nil
}

// checkSink asks whether what uses a sink works with the key that it was given.
func (r *run) checkSink(ctx context.Context, s Step) error {
	state := &r.Sinks[s.Sink]
	checker, ok := r.target.Sinks[s.Sink].(sink.Checker)
	if !ok {
		return nil
	}
	var err error
	r.beside(1, func(int) { err = ask(func() error { return checker.Check(ctx, s.ID) }) })
	if err == nil {
		state.Works = s.ID
		return nil
	}
	if state.NotYet = err; errors.Is(err, sink.ErrNotYet) {
		return nil
	}
	return sinkFailed(state.Name, err)
}

// noteReceipt writes down which sinks have the key.
func (r *run) noteReceipt(ctx context.Context, s Step) error {
	v := r.view()
	notes := r.primary().Notes
	if notes.Receipt = (secretstore.Receipt{}); s.ID != "" {
		notes.Receipt = v.receipt(s.ID)
	}
	if err := r.annotate(ctx, notes); err != nil {
		return err
	}
	r.Receipted = r.tick()
	return nil
}
