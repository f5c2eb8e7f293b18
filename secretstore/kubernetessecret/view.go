package kubernetessecret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// view is a secret as it was seen at one moment. It is never changed.
type view struct {
	// absent: the Secret is not there, and may be made.
	absent   bool
	identity string
	object   object
	// state is the annotation's, brought into line with the values.
	state state
	// values by the version's id.
	values map[string]secret.Value
}

// revision names what is ours in the Secret. Its resourceVersion changes also
// with an edit of a label, which is no concern of callers.
func (v view) revision() string {
	if v.absent {
		return "absent"
	}
	sum := sha256.New()
	for _, part := range []string{
		v.object.text, v.object.slots[secretstore.Pending].digest,
		v.object.slots[secretstore.Current].digest, v.object.slots[secretstore.Previous].digest,
	} {
		_, _ = fmt.Fprintf(sum, "%d %s ", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func (v view) snapshot() secretstore.Snapshot {
	return secretstore.Snapshot{
		Identity: v.identity, Revision: v.revision(), Versions: v.state.Shown(), Notes: v.state.Notes, Advice: v.advice(),
	}
}

// advice is for the person who has to put right what the next rotation cannot.
func (v view) advice() []string {
	var advice []string
	if r, held := v.state.On(secretstore.Current); held && v.values[r.ID].IsZero() {
		advice = append(advice, "somebody took the current key out of the Secret: put it back, or rotate")
	}
	if v.object.immutable {
		advice = append(advice, "the Secret is immutable: no rotation can begin until it is deleted and made anew")
	}
	return advice
}

// observe reads the Secret.
func (s *Store) observe(ctx context.Context) (view, error) {
	if err := cancelled(ctx); err != nil {
		return view{}, err
	}
	o, err := s.client.get(ctx)
	if errors.Is(err, secretstore.ErrNotFound) {
		return s.missing(err)
	}
	if err != nil {
		return view{}, err
	}
	return s.viewOf(o)
}

// missing is for a Secret that is not there, or whose namespace is not: the
// cluster does not say which.
func (s *Store) missing(cause error) (view, error) {
	if s.o.CreateMissing != nil {
		return view{absent: true, state: newState(s.o.Owner, "")}, nil
	}
	return view{}, fmt.Errorf("there is no such Secret; make it with: kubectl --namespace %s create secret generic %s, "+
		"or set create_missing: %w", s.o.Namespace, s.o.Secret, cause)
}

// viewOf puts together what was seen.
func (s *Store) viewOf(o object) (view, error) {
	st, err := s.stateOf(o)
	if err != nil {
		return view{}, err
	}
	v := view{object: o, identity: fmt.Sprintf("kubernetes:%s/%s/%s@%s", s.o.Namespace, s.o.Secret, s.o.Key, o.uid)}
	st.digests, v.values = matched(st.digests, o.slots)
	v.state = st
	return v, nil
}

// stateOf reads the annotation and refuses a Secret of somebody else's.
func (s *Store) stateOf(o object) (state, error) {
	blank := newState(s.o.Owner, o.uid)
	if o.text == "" {
		return blank, nil
	}
	st, err := decodeState(o.text)
	switch {
	case err != nil:
		return state{}, fmt.Errorf("annotation %s: %w", s.client.mark, err)
	case st.Owner != s.o.Owner:
		return state{}, fmt.Errorf("the Secret belongs to the rotator with owner %q, this one is %q: %w: "+
			"if that one is gone, remove the annotation %s", st.Owner, s.o.Owner, secretstore.ErrDenied, s.client.mark)
	case st.UID != o.uid:
		return blank, nil
	}
	return st, nil
}

// asSeen reads the Secret, which must be as it was.
func (s *Store) asSeen(ctx context.Context, identity, revision string) (view, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return view{}, err
	}
	if v.identity != identity || v.revision() != revision {
		return view{}, fmt.Errorf("the Secret is at revision %s, seen was %q: %w", v.revision(), revision, secretstore.ErrConflict)
	}
	return v, nil
}

// patchTo gives the patch that brings the Secret from this view to a state, in
// which a version may have a value that the view does not know. Values that stay
// where they are do not travel.
func (v view) patchTo(next digests, text string, more map[string]secret.Value) patch {
	values := maps.Clone(v.values)
	maps.Copy(values, more)
	p := patch{resourceVersion: v.object.resourceVersion, text: text, values: map[secretstore.Stage]secret.Value{}}
	for _, stage := range secretstore.Stages() {
		r, _ := next.On(stage)
		if !values[r.ID].Equal(v.object.slots[stage].value) {
			p.values[stage] = values[r.ID]
		}
	}
	return p
}
