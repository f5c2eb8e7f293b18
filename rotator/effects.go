package rotator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// wrote keeps what a store says after a write; an error leaves it unknown.
func (w *run) wrote(i int, snap secretstore.Snapshot, at moment, err error) error {
	if err != nil {
		w.Stores[i].Seen = 0
		return fmt.Errorf("store %s: %w", w.Stores[i].Name, err)
	}
	w.Stores[i].Snapshot, w.Stores[i].Seen = snap, at
	w.noteForeign()
	return nil
}

func (w *run) annotate(ctx context.Context, notes secretstore.Notes) error {
	at := w.tick()
	snap, err := w.target.Stores[0].Annotate(ctx, w.primary().Snapshot, notes)
	return w.wrote(0, snap, at, err)
}

func (w *run) reserve(ctx context.Context, _ Step) error {
	v := &view{now: w.now(), State: w.State, policy: w.target.Policy, request: w.req}
	w.result.FoundDead = w.result.FoundDead || v.dead()
	notes := w.primary().Notes
	at := w.now()
	if incident := notes.Incident.At; !at.After(incident) { // by another clock: it comes after it all the same
		at = incident.Add(time.Second)
	}
	notes.Intent = secretstore.Intent{
		Nonce: w.opts.Nonce(), At: at, Spec: specOf(w.target.Policy.Scopes), Grace: w.grace(),
		Holder: w.opts.Instance,
	}
	if w.opts.Lease > 0 {
		notes.Intent.Until = w.now().Add(w.target.Policy.Activation + w.opts.Lease)
	}
	if err := notes.Intent.Spec.Check(); err != nil {
		return fmt.Errorf("keep what the key is wanted for: %w", err)
	}
	if err := w.annotate(ctx, notes); err != nil {
		w.Vain = notes.Intent.Nonce
		return err
	}
	w.Reserved, w.nonce = notes.Intent.Nonce, notes.Intent.Nonce
	return nil
}

// grace is how long the keys displaced by a new one will live. One that is in its
// grace period already was promised the old one's.
func (w *run) grace() time.Duration {
	grace := w.target.Policy.Grace
	_, stands := w.primary().Versions[secretstore.Previous]
	if cur, ok := w.current(0); ok && stands {
		grace = max(grace, cur.Intent.Grace)
	}
	return grace
}

// mostDiscarded is how many keys a run gives up before it issues no more: a guard
// against rules that undo each other.
const mostDiscarded = 3

// issue creates the key. Whatever the answer, this intent is used up: a second
// create needs a new one.
func (w *run) issue(ctx context.Context, _ Step) error {
	if n := len(w.result.Discarded); n >= mostDiscarded {
		return fmt.Errorf("%w: %d keys of this run had to be given up", ErrTooManySteps, n)
	}
	intent := w.primary().Notes.Intent
	w.Reserved = ""
	key, err := w.target.Workspace.api.CreateKey(ctx, w.keyName(intent), scopesOf(intent.Spec))
	if err != nil {
		return err
	}
	if err := w.acceptable(key, intent); err != nil {
		return errors.Join(err, keyed(key.ID, w.target.Workspace.api.DeleteKey(ctx, key.ID)))
	}
	w.tick()
	w.mark = w.target.Workspace.mark() // a list that is to have the key must be begun after this
	w.InHand = &InHand{ID: key.ID, Nonce: intent.Nonce, Issued: w.now()}
	w.value = key.Secret
	return nil
}

// keyName is what the key issued for an intent is called.
func (w *run) keyName(intent secretstore.Intent) string {
	return keyName{w.target.Policy.Owner, w.target.Name, fingerprint(w.primary().Identity), intent.Nonce}.String()
}

// acceptable refuses a key that is not what was asked for.
func (w *run) acceptable(key instantly.Key, intent secretstore.Intent) error {
	if w.Organization != "" && key.Organization != "" && key.Organization != w.Organization {
		return fmt.Errorf("key %s: %w: issued in %s instead of %s", key.ID, ErrOrganization, key.Organization, w.Organization)
	}
	if want := scopesOf(intent.Spec); !instantly.CoversAll(key.Scopes, want) || !instantly.CoversAll(want, key.Scopes) {
		return fmt.Errorf("key %s: %w: asked for %v, got %v", key.ID, ErrScopes, want, key.Scopes)
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
		intent := w.primary().Notes.Intent
		return secretstore.Version{ID: s.ID, Name: w.keyName(intent), Intent: intent, Account: w.Organization}, w.value
	}
	cur, _ := w.current(0)
	return secretstore.Version{ID: cur.ID, Name: w.keyName(cur.Intent), Intent: cur.Intent, Account: cur.Account}, w.read[place{0, cur.ID}]
}

// letGo forgets the key in hand: it is stored, or given up.
func (w *run) letGo() { w.InHand, w.value = nil, secret.Value{} }

func (w *run) promote(ctx context.Context, s Step) error {
	if err := w.promoteWithin(ctx, s); err != nil {
		return err
	}
	w.Displaced = true
	if s.Store == 0 {
		w.Rotated = true
	}
	if !w.primary().Notes.Incident.IsZero() && !w.listedAll() {
		w.relist() // the old key goes in this very run; the list may be of before it was issued
	}
	return nil
}

// listedAll tells whether the key list has all displaced keys.
func (w *run) listedAll() bool {
	v := &view{State: w.State}
	return !slices.ContainsFunc(v.old(), func(old secretstore.Version) bool {
		_, listed := w.Keys[old.ID]
		return !listed
	})
}

func (w *run) repair(ctx context.Context, s Step) error {
	if s.Store == 0 {
		w.Repaired = true
	}
	return w.promoteWithin(ctx, s)
}

// graceOf is the grace period that the version of a step was issued with.
func (w *run) graceOf(s Step) time.Duration {
	if ver, _, ok := w.Stores[s.Store].Find(s.ID); ok && !ver.Foreign {
		return ver.Intent.Grace
	}
	return w.target.Policy.Grace
}

// promoteWithin bounds the one write whose time is written down with it, and
// writes down the latest instant at which it can have happened: so the grace
// period that is counted from there is never too short.
func (w *run) promoteWithin(ctx context.Context, s Step) error {
	bound := promotionBound(w.graceOf(s))
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	at, begun := w.tick(), w.wallClock()
	snap, err := w.target.Stores[s.Store].Promote(ctx, w.Stores[s.Store].Snapshot, s.ID, begun.Add(bound))
	if w.wallClock().Sub(begun) > bound {
		snap, err = w.promoteLate(ctx, snap, s, bound, err)
	}
	return w.wrote(s.Store, snap, at, err)
}

// promoteLate writes down the time of a promotion once more: the process, or the
// machine, was stopped in the middle of it. One that failed may have been made all
// the same.
func (w *run) promoteLate(ctx context.Context, snap secretstore.Snapshot, s Step, bound time.Duration, failed error) (secretstore.Snapshot, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.opts.StepTimeout)
	defer cancel()
	st := w.target.Stores[s.Store]
	if failed != nil {
		var err error
		if snap, err = st.Describe(ctx); err != nil || snap.Versions[secretstore.Current].ID != s.ID {
			return snap, failed
		}
	}
	return st.Promote(ctx, snap, s.ID, w.wallClock().Add(bound))
}

// wallClock is the time without a monotonic reading, which may stand still while
// a machine sleeps.
func (w *run) wallClock() time.Time { return w.now().Round(0) }

// revoke deletes the key at Instantly and asks for a new key list, which must
// show that it is gone.
func (w *run) revoke(ctx context.Context, s Step) error {
	if err := w.deleteKey(ctx, s.ID); err != nil {
		return err
	}
	w.result.Revoked = append(w.result.Revoked, s.ID)
	w.relist()
	return nil
}

// relist asks for a key list that is begun from now on.
func (w *run) relist() { w.Listed, w.mark = 0, w.target.Workspace.mark() }

// sweep revokes an orphan.
func (w *run) sweep(ctx context.Context, s Step) error {
	if err := w.deleteKey(ctx, s.ID); err != nil {
		return err
	}
	w.result.Swept = append(w.result.Swept, s.ID)
	return nil
}

// deleteKey revokes a key, but never one that the list has under somebody else's name.
func (w *run) deleteKey(ctx context.Context, id string) error {
	if k, listed := w.Keys[id]; listed {
		if name, ok := parseKeyName(k.Name); !ok || name.Owner != w.target.Policy.Owner {
			return fmt.Errorf("key %s: %w: it is named %q, and is not ours to revoke", id, ErrUnlisted, k.Name)
		}
	}
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
	if err := w.deleteKey(ctx, s.ID); err != nil {
		return errors.Join(s.Err, err)
	}
	w.result.Discarded = append(w.result.Discarded, s.ID)
	return s.Err
}

func (w *run) destroy(ctx context.Context, s Step) error {
	if err := w.destroyVersion(ctx, s); err != nil {
		return err
	}
	if s.Proven != (time.Time{}) && !slices.ContainsFunc(w.result.Dead, func(d Death) bool { return d.KeyID == s.ID }) {
		w.result.Dead = append(w.result.Dead, Death{s.ID, s.Proven})
	}
	return s.Err
}

func (w *run) destroyVersion(ctx context.Context, s Step) error {
	at := w.tick()
	snap, err := w.target.Stores[s.Store].Destroy(ctx, w.Stores[s.Store].Snapshot, s.ID)
	return w.wrote(s.Store, snap, at, err)
}

func (w *run) cancel(ctx context.Context, _ Step) error {
	notes := w.primary().Notes
	notes.Intent = secretstore.Intent{}
	return w.annotate(ctx, notes)
}

func (w *run) declare(ctx context.Context, _ Step) error {
	notes := w.primary().Notes
	notes.Incident = secretstore.Incident{ID: shorten(w.req.Incident), At: w.afterAll()}
	if err := w.annotate(ctx, notes); err != nil {
		return err
	}
	w.Declared = true
	for i := range w.Stores {
		w.Stores[i].Seen = 0 // keys are listed first, stores looked at after that
	}
	return nil
}

// afterAll is now, or later where a key that the stores have was issued by a clock
// that is ahead: an incident comes after every key that is there.
func (w *run) afterAll() time.Time {
	at := w.now()
	if intent := w.primary().Notes.Intent; !intent.IsZero() && !at.After(intent.At) {
		at = intent.At.Add(time.Second)
	}
	for _, st := range w.Stores {
		for _, ver := range st.Versions {
			if b := born(ver); !at.After(b) {
				at = b.Add(time.Second)
			}
		}
	}
	return at
}

func (w *run) resolve(ctx context.Context, _ Step) error {
	notes := w.primary().Notes
	notes.Incident = secretstore.Incident{}
	w.Declared = true // and done with: not to be declared once more
	return w.annotate(ctx, notes)
}

func (w *run) clear(ctx context.Context, _ Step) error {
	notes := w.primary().Notes
	notes.Failure = secretstore.Failure{}
	return w.annotate(ctx, notes)
}
