package rotator

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// take does one step and keeps State true to what is known after it.
func (w *run) take(ctx context.Context, s Step) error {
	switch s.Verb {
	case List:
		return w.list(ctx)
	case Look:
		w.look(ctx)
		return nil
	case Check:
		return w.check(ctx)
	case Reserve:
		return w.reserve(ctx)
	case Issue:
		return w.issue(ctx)
	case Try:
		w.try(ctx)
		return nil
	case Stage:
		return w.stage(ctx, s)
	case Verify:
		return w.verify(ctx, s)
	case Prove:
		return w.prove(ctx, s)
	case Promote:
		return w.promote(ctx, s)
	case Repair:
		return w.repair(ctx, s)
	case Revoke:
		return w.revoke(ctx, s)
	case Sweep:
		return w.sweep(ctx, s)
	case Discard:
		return w.discard(ctx, s)
	case Destroy:
		return w.destroy(ctx, s)
	case Cancel:
		return w.cancel(ctx)
	case Clear:
		return w.clear(ctx)
	default:
		return fmt.Errorf("no such step: %s", s.Verb)
	}
}

// Observations.

func (w *run) list(ctx context.Context) error {
	at := w.tick()
	l, err := w.target.Workspace.listedSince(ctx, w.mark)
	if err != nil {
		return err
	}
	w.Keys, w.Organization, w.Listed = l.keys, l.organization, at
	return nil
}

// look reads all stores side by side.
func (w *run) look(ctx context.Context) {
	at := w.tick()
	var wg sync.WaitGroup
	for i, st := range w.target.Stores {
		wg.Go(func() {
			snap, err := st.Describe(ctx)
			w.Stores[i] = StoreState{Name: st.Name, Snapshot: snap, Err: err, Seen: at}
		})
	}
	wg.Wait()
}

func (w *run) check(ctx context.Context) error {
	if err := w.target.Workspace.check(ctx, w.now()); err != nil {
		return err
	}
	w.Checked = true
	return nil
}

func (w *run) try(ctx context.Context) {
	at := w.tick()
	probe := w.target.Workspace.api.Probe(ctx, w.value, w.primary().Notes.Intent.Scopes)
	w.note(place{inMemory, w.InHand.ID}, probe, at)
}

// verify makes the test call with the value as the store gives it to consumers.
// A value that passed the same call a moment ago, from another store, need not
// be tried twice.
func (w *run) verify(ctx context.Context, s Step) error {
	at := w.tick()
	value, probe, err := w.readBack(ctx, s)
	if err != nil {
		return err
	}
	if !value.IsZero() {
		probe = w.probeOnce(ctx, s, value)
	}
	w.note(place{s.Store, s.ID}, probe, at)
	return nil
}

// prove makes the test call that must be refused.
func (w *run) prove(ctx context.Context, s Step) error {
	at := w.tick()
	value, probe, err := w.readBack(ctx, s)
	if err != nil {
		return err
	}
	if !value.IsZero() {
		probe = w.target.Workspace.api.Probe(ctx, value, w.scopes(s))
	}
	w.note(place{s.Store, s.ID}, probe, at)
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
// same value just got as the current or pending one of another store.
func (w *run) probeOnce(ctx context.Context, s Step, value secret.Value) instantly.Probe {
	for _, p := range w.probed {
		if s.Store > 0 && p.value.Equal(value) && w.now().Sub(p.at) < fresh/2 {
			return p.probe
		}
	}
	probe := w.target.Workspace.api.Probe(ctx, value, w.scopes(s))
	if probe.Verdict == instantly.Valid {
		w.probed = append(w.probed, probed{value, probe, w.now()})
	}
	return probe
}

// scopes gives what the key of a version was issued with, so that the test call
// is one it is allowed to make.
func (w *run) scopes(s Step) []string {
	ver, _, _ := w.Stores[s.Store].Find(s.ID)
	return ver.Intent.Scopes
}

// note keeps the outcome of a test call.
func (w *run) note(p place, probe instantly.Probe, seq moment) {
	t := w.Tests[p]
	if t.Tries == 0 {
		t.First = w.now()
	}
	t.Probe, t.At, t.Seq, t.Tries = probe, w.now(), seq, t.Tries+1
	w.Tests[p] = t
}

// Effects.

// wrote keeps what a store says after a write; an error leaves it unknown.
func (w *run) wrote(i int, snap secretstore.Snapshot, at moment, err error) error {
	if err != nil {
		w.Stores[i].Seen = 0
		return fmt.Errorf("store %s: %w", w.Stores[i].Name, err)
	}
	w.Stores[i].Snapshot, w.Stores[i].Seen = snap, at
	return nil
}

func (w *run) annotate(ctx context.Context, notes secretstore.Notes) error {
	at := w.tick()
	snap, err := w.target.Stores[0].Annotate(ctx, w.primary().Snapshot, notes)
	return w.wrote(0, snap, at, err)
}

func (w *run) reserve(ctx context.Context) error {
	notes := w.primary().Notes
	notes.Intent = secretstore.Intent{
		Nonce: w.opts.Nonce(), At: w.now(), Scopes: w.target.Policy.Scopes, Grace: w.target.Policy.Grace,
	}
	if err := w.annotate(ctx, notes); err != nil {
		return err
	}
	w.Reserved = notes.Intent.Nonce
	return nil
}

// issue creates the key. Whatever the answer, this intent is used up: a second
// create needs a new one.
func (w *run) issue(ctx context.Context) error {
	intent := w.primary().Notes.Intent
	w.Reserved = ""
	name := keyName{w.target.Policy.Owner, w.target.Name, fingerprint(w.primary().Identity), intent.Nonce}
	key, err := w.target.Workspace.api.CreateKey(ctx, name.String(), intent.Scopes)
	if err != nil {
		return err
	}
	if err := w.acceptable(key, intent); err != nil {
		return errors.Join(err, keyed(key.ID, w.target.Workspace.api.DeleteKey(ctx, key.ID)))
	}
	w.tick()
	w.InHand = &InHand{ID: key.ID, Nonce: intent.Nonce, Issued: w.now()}
	w.value = key.Secret
	return nil
}

// acceptable refuses a key that is not what was asked for.
func (w *run) acceptable(key instantly.Key, intent secretstore.Intent) error {
	if w.Organization != "" && key.Organization != "" && key.Organization != w.Organization {
		return fmt.Errorf("key %s: %w: issued in %s instead of %s", key.ID, ErrOrganization, key.Organization, w.Organization)
	}
	if wanting(key, intent.Scopes) {
		return fmt.Errorf("key %s: %w: asked for %v, got %v", key.ID, ErrScopes, intent.Scopes, key.Scopes)
	}
	return nil
}

func (w *run) stage(ctx context.Context, s Step) error {
	ver, value := w.toStage(s)
	at := w.tick()
	snap, err := w.target.Stores[s.Store].Stage(ctx, w.Stores[s.Store].Snapshot, ver, value)
	if err := w.wrote(s.Store, snap, at, err); err != nil {
		return err
	}
	if s.Store == 0 {
		w.letGo()
	}
	return nil
}

// toStage gives what a store is to take: the key in hand, or for a store that
// follows the primary's current one as it was read back and tested.
func (w *run) toStage(s Step) (secretstore.Version, secret.Value) {
	if s.Store == 0 {
		return secretstore.Version{ID: s.ID, Intent: w.primary().Notes.Intent, Organization: w.Organization}, w.value
	}
	cur, _ := w.current(0)
	return secretstore.Version{ID: cur.ID, Intent: cur.Intent, Organization: cur.Organization}, w.read[place{0, cur.ID}]
}

// letGo forgets the key in hand: it is stored, or given up.
func (w *run) letGo() { w.InHand, w.value = nil, secret.Value{} }

func (w *run) promote(ctx context.Context, s Step) error {
	if err := w.promoteAt(ctx, s); err != nil {
		return err
	}
	if s.Store == 0 {
		w.Rotated = true
	}
	return nil
}

func (w *run) repair(ctx context.Context, s Step) error { return w.promoteAt(ctx, s) }

func (w *run) promoteAt(ctx context.Context, s Step) error {
	at := w.tick()
	snap, err := w.target.Stores[s.Store].Promote(ctx, w.Stores[s.Store].Snapshot, s.ID, w.now())
	return w.wrote(s.Store, snap, at, err)
}

// revoke deletes the key at Instantly and asks for a new key list, which must
// show that it is gone.
func (w *run) revoke(ctx context.Context, s Step) error {
	if err := w.deleteKey(ctx, s.ID); err != nil {
		return err
	}
	w.result.Revoked = append(w.result.Revoked, s.ID)
	w.Listed, w.mark = 0, w.target.Workspace.mark()
	return nil
}

func (w *run) sweep(ctx context.Context, s Step) error {
	if err := w.deleteKey(ctx, s.ID); err != nil {
		return err
	}
	w.result.Swept = append(w.result.Swept, s.ID)
	return nil
}

func (w *run) deleteKey(ctx context.Context, id string) error {
	if err := w.target.Workspace.api.DeleteKey(ctx, id); err != nil {
		return keyed(id, err)
	}
	w.Revoked[id] = w.now()
	return nil
}

// discard gives up a key: first no store refers to it any more, then it is
// revoked. In between it is an orphan, which the sweep would find.
func (w *run) discard(ctx context.Context, s Step) error {
	if s.Store != inMemory {
		if err := w.destroyVersion(ctx, s); err != nil {
			return err
		}
	}
	w.letGo()
	if err := w.sweep(ctx, s); err != nil {
		return errors.Join(s.Err, err)
	}
	return s.Err
}

func (w *run) destroy(ctx context.Context, s Step) error {
	if err := w.destroyVersion(ctx, s); err != nil {
		return err
	}
	return s.Err
}

func (w *run) destroyVersion(ctx context.Context, s Step) error {
	at := w.tick()
	snap, err := w.target.Stores[s.Store].Destroy(ctx, w.Stores[s.Store].Snapshot, s.ID)
	return w.wrote(s.Store, snap, at, err)
}

func (w *run) cancel(ctx context.Context) error {
	notes := w.primary().Notes
	notes.Intent = secretstore.Intent{}
	return w.annotate(ctx, notes)
}

func (w *run) clear(ctx context.Context) error {
	notes := w.primary().Notes
	notes.Failure = secretstore.Failure{}
	return w.annotate(ctx, notes)
}
