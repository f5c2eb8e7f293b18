package azurekeyvault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// view is a secret as it was seen at one moment. It is never changed.
type view struct {
	identity string
	// stateAt is the version of the state that was read; empty if there is none.
	stateAt string
	state   state
	// top is the newest version: what consumers read.
	top sighting
	// now is the state's contents, brought into line with what is on top.
	now contents
}

// revision names what was seen.
func (v view) revision() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %t", v.stateAt, v.top.version, v.top.disabled))
	return hex.EncodeToString(sum[:8])
}

func (v view) snapshot() secretstore.Snapshot {
	return secretstore.Snapshot{
		Identity: v.identity, Revision: v.revision(), Versions: v.now.Shown(), Notes: v.now.Notes, Advice: v.advice(),
	}
}

// advice is for the person who has to put right what the next delivery cannot.
func (v view) advice() []string {
	if v.top.disabled {
		return []string{"the newest version is disabled, and consumers that read the newest one fail: enable it, or have the key delivered again"}
	}
	return nil
}

// pendingValue is the value of the pending version.
func (v view) pendingValue() secret.Value {
	if _, is := v.now.On(secretstore.Pending); is {
		return v.state.pending
	}
	return secret.Value{}
}

// maxReads is how often a secret is read that changes all the time.
const maxReads = 3

// observe reads both secrets, the state first: a promotion sets the value and then writes
// it down. What is on top and not on record is believed only if the state stood still.
func (s *Store) observe(ctx context.Context) (view, error) {
	if err := cancelled(ctx); err != nil {
		return view{}, err
	}
	at, err := s.read(ctx, s.stateName())
	if err != nil {
		return view{}, err
	}
	for range maxReads {
		top, err := s.read(ctx, s.o.Secret)
		if err != nil {
			return view{}, err
		}
		v, err := s.viewOf(at, top)
		if err != nil || v.isInOrder() {
			return v, err
		}
		again, err := s.read(ctx, s.stateName())
		if err != nil {
			return view{}, err
		}
		if again.version == at.version {
			return v, nil
		}
		at = again
	}
	return view{}, fmt.Errorf("the secret changes all the time: %w", secretstore.ErrUnavailable)
}

// isInOrder tells whether the top is what the state says.
func (v view) isInOrder() bool {
	current, _ := v.state.On(secretstore.Current)
	return current.Held.Version == v.top.version && !v.top.disabled
}

// read reads the newest version of a secret. One that is not there must not be one that
// was deleted.
func (s *Store) read(ctx context.Context, name string) (sighting, error) {
	got, err := s.client.newest(ctx, name)
	if err != nil || got.readable() || got.disabled {
		return got, err
	}
	gone, err := s.client.deleted(ctx, name)
	if gone {
		err = fmt.Errorf("%w: the secret %s was deleted; recover it with: az keyvault secret recover --id %s/deletedsecrets/%s",
			secretstore.ErrScheduledForDeletion, name, s.client.vault, name)
	}
	return got, err
}

// viewOf puts together what was seen.
func (s *Store) viewOf(at, top sighting) (view, error) {
	v := view{identity: "azure:" + s.place(), stateAt: at.version, state: newState(s.o.Owner), top: top}
	switch {
	case at.disabled:
		return view{}, fmt.Errorf("%w: the newest version of the secret %s is disabled: enable it", secretstore.ErrCorrupt, s.stateName())
	case at.readable():
		st, err := decodeState(at.value)
		if err != nil {
			return view{}, fmt.Errorf("secret %s: %w", s.stateName(), err)
		}
		v.state = st
	}
	if v.state.Owner != s.o.Owner {
		return view{}, fmt.Errorf("the secret belongs to the rotator with owner %q, this one is %q: %w: "+
			"if that one is gone, delete and purge the secret %s", v.state.Owner, s.o.Owner, secretstore.ErrDenied, s.stateName())
	}
	v.now = matched(v.state.contents, top, digest(v.identity, top.value))
	return v, nil
}

// matched brings the records into line with what is on top.
func matched(d contents, top sighting, digest string) contents {
	current, had := d.On(secretstore.Current)
	switch {
	case had && top.readable() && current.Held.Version == top.version:
		return d
	case !top.readable():
		return currentGone(d)
	}
	r, known := stored(d, top, digest)
	if !known {
		r = record{Version: secretstore.Version{ID: "by-hand-" + top.version, Foreign: true, Created: document.Time(top.created)}}
	}
	if known {
		d = d.Drop(r.Stage)
	}
	if had && r.ID != current.ID {
		current.Stage = secretstore.Previous
		d = d.Put(current)
	}
	if r.Stage != secretstore.Current {
		r.Promoted = promotedBy(top, r.ID)
	}
	r.Stage, r.Held = secretstore.Current, held{top.version, digest}
	return d.Put(r)
}

// currentGone is for a current version that consumers cannot read any more. It leaves the
// stage, so that the key is delivered again, but not the record: its key keeps its grace.
func currentGone(d contents) contents {
	current, had := d.On(secretstore.Current)
	if _, stands := d.On(secretstore.Previous); !had || stands {
		return d
	}
	current.Stage = secretstore.Previous
	return d.Put(current)
}

// stored finds the version whose value is on top: the one that was promoted and not yet
// written down, the current one, which somebody set once more, or another one.
func stored(d contents, top sighting, digest string) (record, bool) {
	pending, is := d.On(secretstore.Pending)
	if is && pending.Held.Digest == digest && top.tags[tagKey] == pending.ID {
		return pending, true
	}
	for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Pending, secretstore.Previous} {
		if r, held := d.On(stage); held && r.Held.Digest == digest {
			return r, true
		}
	}
	return record{}, false
}

// Tags of a version that the rotator made current.
const (
	tagOwner    = "instantly-rotator"
	tagKey      = "instantly-rotator-key"
	tagPromoted = "instantly-rotator-promoted"
	ourTags     = 3
	maxTags     = 15
)

// promotedBy reads since when the version with that id is on top; zero if it does not say.
func promotedBy(top sighting, id string) time.Time {
	if top.tags[tagKey] != id {
		return time.Time{}
	}
	at, _ := time.Parse(time.RFC3339Nano, top.tags[tagPromoted])
	return document.Time(at)
}
