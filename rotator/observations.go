package rotator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// listKeys reads the keys. Who asked for a rotation waits for it: then the stores
// are read meanwhile, and the admin key is checked. What is seen of the
// stores counts as older than the list, so that nothing is swept by it.
func (r *run) listKeys(ctx context.Context, _ Step) error {
	if !r.awaited() || r.opts.InTurn || r.ReadOnly || r.Keys != nil {
		return r.listAgain(ctx)
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	if v := r.view(); !v.observed() {
		at := r.tick()
		beside.Go(func() { r.readStoresAsOf(ctx, at) })
	}
	r.prechecked = true
	beside.Go(func() {
		defer recovered(func(err error) { r.precheck = err })
		r.precheck = r.target.Workspace.check(ctx, r.now())
	})
	err := r.list(ctx)
	beside.Wait() // before anything of what was read is used
	r.noteForeign()
	return err
}

// awaited tells whether somebody asked for a rotation.
func (r *run) awaited() bool { return !r.req.RotateSince.IsZero() || r.req.Incident != "" }

func (r *run) list(ctx context.Context) error {
	at := r.tick()
	l, err := r.target.Workspace.listedSince(ctx, r.mark, r.now(), r.req.IgnoreBackoff)
	if err != nil {
		return err
	}
	r.mark = l.number // if another one is wanted, it must be newer
	r.Keys, r.Named, r.Issued, r.Account, r.Listed = l.keys, l.named, l.issued, l.account, at
	return nil
}

// listAgain reads the keys while nothing else is read.
func (r *run) listAgain(ctx context.Context) error {
	if err := r.list(ctx); err != nil {
		return err
	}
	r.notePaired()
	return nil
}

// notePaired notes that the list has the key that this run issued, by its id and name.
func (r *run) notePaired() {
	ver, ok := r.primary().Versions[secretstore.Pending]
	if !ok || r.view().bornAt(ver) == 0 {
		return
	}
	if name, ok := parseKeyName(r.Keys[ver.ID].Name); ok && name.Nonce == ver.Intent.Nonce {
		r.target.Workspace.paired(r.now())
	}
}

// observe reads the stores: those that follow first, side by side, the primary
// after them. A key reaches the primary first, so in this order no follower is
// ever seen ahead of it, whatever another instance does meanwhile.
func (r *run) observe(ctx context.Context, _ Step) error {
	r.readStores(ctx)
	return nil
}

func (r *run) readStores(ctx context.Context) {
	r.readStoresAsOf(ctx, r.tick())
	r.noteForeign()
}

func (r *run) readStoresAsOf(ctx context.Context, at moment) {
	var wg sync.WaitGroup
	for i := 1; i < len(r.Stores); i++ {
		wg.Go(func() { r.readStore(ctx, i, at) })
		if r.opts.InTurn {
			wg.Wait()
		}
	}
	wg.Wait()
	r.readStore(ctx, 0, at)
}

// noteForeign remembers for this run that a value of unknown origin was current.
func (r *run) noteForeign() {
	for i := range r.Stores {
		if cur, ok := r.current(i); ok && cur.Foreign {
			r.Foreign = true
		}
	}
}

func (r *run) readStore(ctx context.Context, i int, at moment) {
	st := r.target.Stores[i]
	defer recovered(func(err error) { r.Stores[i] = StoreState{Name: st.Name, Err: err, Seen: at} })
	snap, err := r.describeStore(ctx, st)
	r.Stores[i] = StoreState{Name: st.Name, Snapshot: snap, Err: err, Seen: at}
	if err == nil {
		r.Stores[i].HolderGone = r.opts.Gone(r.Stores[i].begun().Holder)
		r.inspect(ctx, i)
	}
}

// inspect asks a store that was read whether all is well with it.
func (r *run) inspect(ctx context.Context, i int) {
	if st, ok := r.target.Stores[i].Store.(secretstore.Inspector); ok {
		if !r.ReadOnly {
			r.Stores[i].Trouble = st.Inspect(ctx)
			return
		}
		_, r.Stores[i].Trouble = within(ctx, func() (struct{}, error) { return struct{}{}, st.Inspect(ctx) })
	}
}

// describeStore lets who only reads not wait for a store that ignores ctx: nothing is
// lost if it is still being read behind the back of who asked.
func (r *run) describeStore(ctx context.Context, st NamedStore) (secretstore.Snapshot, error) {
	if !r.ReadOnly {
		return st.Describe(ctx)
	}
	return within(ctx, func() (secretstore.Snapshot, error) { return st.Describe(ctx) })
}

func (r *run) check(ctx context.Context, _ Step) error {
	err := r.precheck
	if !r.prechecked {
		err = r.target.Workspace.check(ctx, r.now())
	}
	if r.prechecked, r.precheck = false, nil; err != nil {
		return err
	}
	if r.CircuitOpen = r.mayRotate(); r.CircuitOpen == nil {
		r.Checked = true
	}
	return nil
}

func (r *run) try(ctx context.Context, _ Step) error {
	at, begun := r.tick(), r.now()
	probe := r.target.Workspace.issuer.Test(ctx, r.value, r.primary().Notes.Intent.Spec)
	r.note(place{inMemory, r.InHand.ID}, probe, at, begun)
	return nil
}

// verify makes the test call with the value as the store gives it to consumers.
// A value that passed the same call a moment ago, from another store, need not
// be tried twice.
func (r *run) verify(ctx context.Context, s Step) error {
	at, begun := r.tick(), r.now()
	value, probe, err := r.readBack(ctx, s)
	if err != nil {
		return err
	}
	if !value.IsZero() {
		probe, begun = r.probeOnce(ctx, s, value)
	}
	if probe.Verdict == Valid {
		if probe, err = r.compare(ctx, s, value); err != nil {
			return err
		}
	}
	r.note(place{s.Store, s.ID}, probe, at, begun)
	return nil
}

// prove makes the test call that must be refused. The key is not listed any more,
// so a value that cannot be read is no use to anybody either.
func (r *run) prove(ctx context.Context, s Step) error {
	at, begun := r.tick(), r.now()
	value, probe, err := r.readBack(ctx, s)
	if errors.Is(err, secretstore.ErrCorrupt) {
		probe, err = TestCall{Verdict: Invalid, Err: err}, nil
	}
	if err != nil {
		return err
	}
	if !value.IsZero() {
		probe = r.target.Workspace.issuer.Test(ctx, value, r.spec(s))
	}
	r.note(place{s.Store, s.ID}, probe, at, begun)
	t := r.Tests[place{s.Store, s.ID}]
	t.Unasked = value.IsZero()
	r.Tests[place{s.Store, s.ID}] = t
	return nil
}

// readBack reads a version's value, and keeps it for this run.
func (r *run) readBack(ctx context.Context, s Step) (secret.Value, TestCall, error) {
	value, probe, err := r.readValue(ctx, s)
	if !value.IsZero() {
		r.read[place{s.Store, s.ID}] = value
	}
	return value, probe, err
}

// readValue reads a version's value. One that is gone for good works for nobody: it
// counts as invalid.
func (r *run) readValue(ctx context.Context, s Step) (secret.Value, TestCall, error) {
	st := r.target.Stores[s.Store]
	value, err := st.Read(ctx, s.ID)
	switch {
	case errors.Is(err, secretstore.ErrNotFound):
		return secret.Value{}, TestCall{Verdict: Invalid, Err: fmt.Errorf("store %s: %w", st.Name, err)}, nil
	case errors.Is(err, secretstore.ErrCorrupt) && r.foreign(s):
		return secret.Value{}, TestCall{Verdict: Invalid, Err: fmt.Errorf("store %s: %w: %w", st.Name, ErrNoKey, err)}, nil
	case err != nil:
		return secret.Value{}, TestCall{}, fmt.Errorf("store %s: %w", st.Name, err)
	}
	if value.IsZero() {
		return value, TestCall{Verdict: Invalid, Err: fmt.Errorf("store %s: %w: it is empty", st.Name, ErrNoKey)}, nil
	}
	return value, TestCall{}, nil
}

// foreign tells whether the rotator did not put the version of a step: what cannot be
// understood of it is not damage, but something else than a key.
func (r *run) foreign(s Step) bool {
	ver, _, ok := r.Stores[s.Store].Find(s.ID)
	return ok && ver.Foreign
}

// probeOnce makes the test call with a value, or takes over the answer that the
// same value got just now as the version of another store. It tells when the
// call began.
func (r *run) probeOnce(ctx context.Context, s Step, value secret.Value) (TestCall, time.Time) {
	for _, p := range r.probed {
		if s.Store > 0 && p.value.Equal(value) && r.now().Sub(p.at) < fresh/2 {
			return p.probe, p.at
		}
	}
	begun := r.now()
	probe := r.target.Workspace.issuer.Test(ctx, value, r.spec(s))
	if probe.Verdict == Valid {
		r.probed = append(r.probed, probed{value, probe, begun})
	}
	return probe, begun
}

// spec gives what the key of a version was issued for, so that the test call is one
// it is allowed to make.
func (r *run) spec(s Step) secretstore.Spec {
	ver, _, _ := r.Stores[s.Store].Find(s.ID)
	return ver.Intent.Spec
}

// note keeps the outcome of a test call, as of when it began: what an answer says
// is not true of any later time.
func (r *run) note(p place, probe TestCall, seq moment, begun time.Time) {
	t := r.Tests[p]
	if t.Tries == 0 {
		t.First = begun
	}
	if t.Refused++; probe.Verdict != Invalid {
		t.Refused = 0
	}
	t.TestCall, t.At, t.Seq, t.Tries = probe, begun, seq, t.Tries+1
	r.Tests[p] = t
}
