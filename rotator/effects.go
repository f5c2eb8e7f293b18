package rotator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// wrote keeps what a store says after a write; an error leaves it unknown.
func (r *run) wrote(i int, snap secretstore.Snapshot, at moment, err error) error {
	if err != nil {
		r.Stores[i].Seen = 0
		return fmt.Errorf("store %s: %w", r.Stores[i].Name, err)
	}
	r.Stores[i].Snapshot, r.Stores[i].Seen = snap, at
	r.noteForeign()
	return nil
}

func (r *run) annotate(ctx context.Context, notes secretstore.Notes) error {
	at := r.tick()
	snap, err := r.target.Stores[0].Annotate(ctx, r.primary().Snapshot, notes)
	return r.wrote(0, snap, at, err)
}

func (r *run) reserve(ctx context.Context, _ Step) error {
	v := r.view()
	r.result.FoundDead = r.result.FoundDead || v.dead() && !v.noKeyIn(0)
	notes := r.primary().Notes
	if cur, ok := r.current(0); !ok || notes.Waiver.KeyID != cur.ID {
		notes.Waiver = secretstore.Waiver{} // of a key that is not current any more
	}
	if !notes.Hold.On(r.now().Add(-clockMargin)) {
		notes.Hold = secretstore.Hold{}
	}
	at := r.now()
	if incident := notes.Incident.At; !at.After(incident) { // by another clock: it comes after it all the same
		at = incident.Add(time.Second)
	}
	notes.Intent = secretstore.Intent{
		Nonce: r.opts.Nonce(), At: at, Spec: r.target.Policy.Spec, Grace: r.grace(),
		Holder: r.opts.Instance,
	}
	if r.req.TakeOver {
		notes.Intent.Adopted = AdoptedByValue
	}
	if r.opts.Lease > 0 {
		notes.Intent.Until = r.now().Add(r.target.Policy.Activation + r.opts.Lease)
	}
	if err := notes.Intent.Spec.Check(); err != nil {
		return fmt.Errorf("keep what the key is wanted for: %w", err)
	}
	if err := r.replaceIntent(ctx, notes); err != nil {
		r.FailedReservation = notes.Intent.Nonce
		return err
	}
	r.Reserved, r.nonce = notes.Intent.Nonce, notes.Intent.Nonce
	return nil
}

// grace is how long the keys displaced by a new one will live. One that is in its
// grace period already was promised the old one's.
func (r *run) grace() time.Duration {
	grace := r.target.Policy.Grace
	_, stands := r.primary().Versions[secretstore.Previous]
	if cur, ok := r.current(0); ok && stands {
		grace = max(grace, cur.Intent.Grace)
	}
	return grace
}

// mostDiscarded is how many keys a run gives up before it issues no more: a guard
// against rules that undo each other.
const mostDiscarded = 3

// issue creates the key. Whatever the answer, this intent is used up: a second
// create needs a new one.
func (r *run) issue(ctx context.Context, _ Step) error {
	if n := len(r.result.Discarded); n >= mostDiscarded {
		return fmt.Errorf("%w: %d keys of this run had to be given up", ErrTooManySteps, n)
	}
	intent := r.primary().Notes.Intent
	r.Reserved = ""
	key, err := r.target.Workspace.issuer.Issue(ctx, r.keyName(intent), intent.Spec)
	if err != nil {
		return err
	}
	if err := r.acceptable(key, intent); err != nil {
		return errors.Join(err, r.deleteKey(ctx, key.ID))
	}
	r.tick()
	r.mark = r.target.Workspace.mark() // a list that is to have the key must be begun after this
	r.InHand = &InHand{ID: key.ID, Nonce: intent.Nonce, Issued: r.now()}
	r.value = key.Value
	r.Paired = r.target.Workspace.pairedSince(r.now().Add(-fresh))
	return nil
}

// keyName is what the key issued for an intent is called.
func (r *run) keyName(intent secretstore.Intent) string {
	return keyName{r.target.Policy.Owner, r.target.Name, fingerprint(r.primary().Identity), intent.Nonce}.String()
}

// acceptable refuses a key that is not what was asked for.
func (r *run) acceptable(key Key, intent secretstore.Intent) error {
	if r.Account != "" && key.Account != "" && key.Account != r.Account {
		return fmt.Errorf("key %s: %w: issued in %s instead of %s", key.ID, ErrOrganization, key.Account, r.Account)
	}
	if key.Spec != intent.Spec {
		return fmt.Errorf("key %s: %w: asked for %v, got %v", key.ID, ErrScopes, intent.Spec, key.Spec)
	}
	return nil
}

func (r *run) stage(ctx context.Context, s Step) error {
	ver, value, err := r.toStage(s)
	if err != nil {
		return err
	}
	if s.Store == 0 && r.InHand != nil {
		r.InHand.Offered = true
	}
	at := r.tick()
	snap, err := r.target.Stores[s.Store].Stage(ctx, r.Stores[s.Store].Snapshot, ver, value)
	if err := r.wrote(s.Store, snap, at, err); err != nil {
		return err
	}
	if s.Store == 0 {
		r.forgetInHand()
	}
	return nil
}

// toStage gives what a store is to take: the key in hand, or one that is adopted, or for
// a store that follows the primary's current one as it was read back and tested.
func (r *run) toStage(s Step) (secretstore.Version, secret.Value, error) {
	if a := r.req.Adopt; a != nil && s.Store == 0 {
		return r.toAdopt(*a)
	}
	if s.Store == 0 {
		intent := r.primary().Notes.Intent
		return secretstore.Version{ID: s.ID, Name: r.keyName(intent), Intent: intent, Account: r.Account}, r.value, nil
	}
	cur, _ := r.current(0)
	return secretstore.Version{ID: cur.ID, Name: r.nameOf(cur), Intent: cur.Intent, Account: cur.Account}, r.read[place{0, cur.ID}], nil
}

// forgetInHand forgets the key in hand: it is stored, or given up.
func (r *run) forgetInHand() { r.InHand, r.value = nil, secret.Value{} }

// revoke deletes the key at Instantly and asks for a new key list, which must
// show that it is gone.
func (r *run) revoke(ctx context.Context, s Step) error {
	if err := r.deleteKey(ctx, s.ID); err != nil {
		return err
	}
	r.result.Revoked = append(r.result.Revoked, s.ID)
	r.relist()
	return nil
}

// relist asks for a key list that is begun from now on.
func (r *run) relist() { r.Listed, r.mark = 0, r.target.Workspace.mark() }

// sweep revokes an orphan.
func (r *run) sweep(ctx context.Context, s Step) error {
	if err := r.deleteKey(ctx, s.ID); err != nil {
		return err
	}
	r.result.Swept = append(r.result.Swept, s.ID)
	return nil
}

// deleteKey revokes a key, but never one that the list has under somebody else's name,
// unless it was adopted.
func (r *run) deleteKey(ctx context.Context, id string) error {
	if k, listed := r.Keys[id]; listed && !r.isOurs(k) {
		return fmt.Errorf("key %s: %w: it is named %q, and is not ours to revoke", id, ErrUnlisted, k.Name)
	}
	if r.isByHand(id) {
		return fmt.Errorf("key %s: %w", id, ErrRevokeByHand)
	}
	if err := r.target.Workspace.issuer.Revoke(ctx, id); err != nil {
		return keyed(id, err)
	}
	r.Revoked[id] = r.now()
	return nil
}

// discard gives up a key: first no store refers to it any more, then it is
// revoked. In between it is an orphan, which the sweep would find.
func (r *run) discard(ctx context.Context, s Step) error {
	if s.Store != inMemory {
		if err := r.destroyVersion(ctx, s); err != nil {
			return err
		}
	}
	r.forgetInHand()
	if err := r.deleteKey(ctx, s.ID); err != nil {
		return errors.Join(s.Err, err)
	}
	r.result.Discarded = append(r.result.Discarded, s.ID)
	return made(s)
}

func (r *run) destroy(ctx context.Context, s Step) error {
	left, leaves := r.leftToHands(s)
	if err := r.destroyVersion(ctx, s); err != nil {
		return err
	}
	if leaves && !slices.ContainsFunc(r.result.Forgotten, withID(s.ID)) {
		r.result.Forgotten = append(r.result.Forgotten, left)
	}
	if s.Proven != (time.Time{}) && !slices.ContainsFunc(r.result.Dead, func(d Death) bool { return d.KeyID == s.ID }) {
		r.result.Dead = append(r.result.Dead, Death{s.ID, s.Proven})
	}
	return made(s)
}

// destroyVersion destroys a version. What is sent is not proven dead before: the store is read
// once more, since where a store has no compare-and-swap a promotion that somebody has written
// down meanwhile, to switch a sender, would not keep the previous value.
func (r *run) destroyVersion(ctx context.Context, s Step) error {
	if r.Sent {
		if err := r.unchanged(ctx, s.Store); err != nil {
			return err
		}
	}
	at := r.tick()
	snap, err := r.target.Stores[s.Store].Destroy(ctx, r.Stores[s.Store].Snapshot, s.ID)
	return r.wrote(s.Store, snap, at, err)
}

func (r *run) cancel(ctx context.Context, _ Step) error {
	notes := r.primary().Notes
	notes.Intent = secretstore.Intent{}
	return r.replaceIntent(ctx, notes)
}

// replaceIntent writes notes with another intent, or none. Storing a key clears the
// intent that it was issued for: that of one which stands until then is in no store.
func (r *run) replaceIntent(ctx context.Context, notes secretstore.Notes) error {
	stood := r.primary().Notes.Intent.Nonce
	if err := r.annotate(ctx, notes); err != nil {
		return err
	}
	if stood != "" {
		r.GivenUp[stood] = true
	}
	return nil
}

func (r *run) declare(ctx context.Context, _ Step) error {
	v := r.view()
	notes, noted := r.primary().Notes, r.incident()
	notes.Incident, _ = v.toDeclare()
	if err := r.annotate(ctx, notes); err != nil {
		return err
	}
	r.Declared = r.Declared || notes.Incident != noted
	for i := range r.Stores {
		r.Stores[i].Seen = 0 // keys are listed first, stores read after that
	}
	return nil
}

func (r *run) resolve(ctx context.Context, _ Step) error {
	notes := r.primary().Notes
	notes.Incident.Resolved = r.now()
	r.Declared = true // and done with: not to be declared once more
	return r.annotate(ctx, notes)
}

func (r *run) waive(ctx context.Context, s Step) error {
	notes := r.primary().Notes
	notes.Waiver = secretstore.Waiver{KeyID: s.ID, At: r.now(), Reason: shorten(r.req.SkipGates)}
	if err := r.annotate(ctx, notes); err != nil {
		return err
	}
	r.result.Waived = true
	return nil
}

func (r *run) clear(ctx context.Context, _ Step) error {
	v := r.view()
	if cur, ok := v.current(0); ok && v.promotedAllTheSame(cur) {
		r.Finished = true
	}
	notes := r.primary().Notes
	notes.Failure = secretstore.Failure{}
	return r.annotate(ctx, notes)
}
