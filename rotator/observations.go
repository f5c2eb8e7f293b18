package rotator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// takeStock reads the keys. Who asked for a rotation waits for it: then the stores
// are looked at meanwhile, and the admin key is checked. What is seen of the
// stores counts as older than the list, so that nothing is swept by it.
func (w *run) takeStock(ctx context.Context, _ Step) error {
	if !w.awaited() || w.opts.InTurn || w.Looking || w.Keys != nil {
		return w.list(ctx)
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	if v := (view{State: w.State}); !v.looked() {
		at := w.tick()
		beside.Go(func() { w.readStoresAsOf(ctx, at) })
	}
	w.prechecked = true
	beside.Go(func() {
		defer recovered(func(err error) { w.precheck = err })
		w.precheck = w.target.Workspace.check(ctx, w.now())
	})
	return w.list(ctx)
}

// awaited tells whether somebody asked for a rotation.
func (w *run) awaited() bool { return !w.req.RotateSince.IsZero() || w.req.Incident != "" }

func (w *run) list(ctx context.Context) error {
	at := w.tick()
	l, err := w.target.Workspace.listedSince(ctx, w.mark, w.now(), w.req.IgnoreBackoff)
	if err != nil {
		return err
	}
	w.mark = l.number // if another one is wanted, it must be newer
	w.Keys, w.Named, w.Organization, w.Listed = l.keys, l.named, l.organization, at
	return nil
}

// observe reads the stores: those that follow first, side by side, the primary
// after them. A key reaches the primary first, so in this order no follower is
// ever seen ahead of it, whatever another instance does meanwhile.
func (w *run) observe(ctx context.Context, _ Step) error {
	w.readStores(ctx)
	return nil
}

func (w *run) readStores(ctx context.Context) { w.readStoresAsOf(ctx, w.tick()) }

func (w *run) readStoresAsOf(ctx context.Context, at moment) {
	var wg sync.WaitGroup
	for i := 1; i < len(w.Stores); i++ {
		wg.Go(func() { w.readStore(ctx, i, at) })
		if w.opts.InTurn {
			wg.Wait()
		}
	}
	wg.Wait()
	w.readStore(ctx, 0, at)
	w.noteForeign()
}

// noteForeign remembers for this run that a value of unknown origin was current.
func (w *run) noteForeign() {
	for i := range w.Stores {
		if cur, ok := w.current(i); ok && cur.Foreign {
			w.Foreign = true
		}
	}
}

func (w *run) readStore(ctx context.Context, i int, at moment) {
	st := w.target.Stores[i]
	defer recovered(func(err error) { w.Stores[i] = StoreState{Name: st.Name, Err: err, Seen: at} })
	snap, err := st.Describe(ctx)
	w.Stores[i] = StoreState{Name: st.Name, Snapshot: snap, Err: err, Seen: at}
}

func (w *run) check(ctx context.Context, _ Step) error {
	err := w.precheck
	if !w.prechecked {
		err = w.target.Workspace.check(ctx, w.now())
	}
	if w.prechecked, w.precheck = false, nil; err != nil {
		return err
	}
	if w.Frozen = w.mayBegin(); w.Frozen == nil {
		w.Checked = true
	}
	return nil
}

func (w *run) try(ctx context.Context, _ Step) error {
	at, begun := w.tick(), w.now()
	probe := w.target.Workspace.api.Probe(ctx, w.value, scopesOf(w.primary().Notes.Intent.Spec))
	w.note(place{inMemory, w.InHand.ID}, probe, at, begun)
	return nil
}

// verify makes the test call with the value as the store gives it to consumers.
// A value that passed the same call a moment ago, from another store, need not
// be tried twice.
func (w *run) verify(ctx context.Context, s Step) error {
	at, begun := w.tick(), w.now()
	value, probe, err := w.readBack(ctx, s)
	if err != nil {
		return err
	}
	if !value.IsZero() {
		probe, begun = w.probeOnce(ctx, s, value)
	}
	w.note(place{s.Store, s.ID}, probe, at, begun)
	return nil
}

// prove makes the test call that must be refused. The key is not listed any more,
// so a value that cannot be read is no use to anybody either.
func (w *run) prove(ctx context.Context, s Step) error {
	at, begun := w.tick(), w.now()
	value, probe, err := w.readBack(ctx, s)
	if errors.Is(err, secretstore.ErrCorrupt) {
		probe, err = instantly.Probe{Verdict: instantly.Invalid, Err: err}, nil
	}
	if err != nil {
		return err
	}
	if !value.IsZero() {
		probe = w.target.Workspace.api.Probe(ctx, value, w.scopes(s))
	}
	w.note(place{s.Store, s.ID}, probe, at, begun)
	return nil
}

// readBack reads a version's value. One that is gone for good works for nobody:
// it counts as invalid.
func (w *run) readBack(ctx context.Context, s Step) (secret.Value, instantly.Probe, error) {
	st := w.target.Stores[s.Store]
	value, err := st.Read(ctx, s.ID)
	switch {
	case errors.Is(err, secretstore.ErrNotFound):
		return secret.Value{}, instantly.Probe{Verdict: instantly.Invalid, Err: fmt.Errorf("store %s: %w", st.Name, err)}, nil
	case err != nil:
		return secret.Value{}, instantly.Probe{}, fmt.Errorf("store %s: %w", st.Name, err)
	}
	w.read[place{s.Store, s.ID}] = value
	return value, instantly.Probe{}, nil
}

// probeOnce makes the test call with a value, or takes over the answer that the
// same value got just now as the version of another store. It tells when the
// call began.
func (w *run) probeOnce(ctx context.Context, s Step, value secret.Value) (instantly.Probe, time.Time) {
	for _, p := range w.probed {
		if s.Store > 0 && p.value.Equal(value) && w.now().Sub(p.at) < fresh/2 {
			return p.probe, p.at
		}
	}
	begun := w.now()
	probe := w.target.Workspace.api.Probe(ctx, value, w.scopes(s))
	if probe.Verdict == instantly.Valid {
		w.probed = append(w.probed, probed{value, probe, begun})
	}
	return probe, begun
}

// scopes gives what the key of a version was issued with, so that the test call
// is one it is allowed to make.
func (w *run) scopes(s Step) []string {
	ver, _, _ := w.Stores[s.Store].Find(s.ID)
	return scopesOf(ver.Intent.Spec)
}

// note keeps the outcome of a test call, as of when it began: what an answer says
// is not true of any later time.
func (w *run) note(p place, probe instantly.Probe, seq moment, begun time.Time) {
	t := w.Tests[p]
	if t.Tries == 0 {
		t.First = begun
	}
	if t.Refused++; probe.Verdict != instantly.Invalid {
		t.Refused = 0
	}
	t.Probe, t.At, t.Seq, t.Tries = probe, begun, seq, t.Tries+1
	w.Tests[p] = t
}
