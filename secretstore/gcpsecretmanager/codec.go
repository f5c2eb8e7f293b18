package gcpsecretmanager

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

const (
	// annotationKey is the annotation that holds the state.
	annotationKey = "instantly-rotator-state"
	// maxAnnotations is what the keys and values of all annotations of a secret
	// must have fewer bytes than (reference of the resource Secret).
	maxAnnotations = 16 * 1024
)

// newState is the state of a secret that has no annotation of ours.
func newState(owner string) state { return state{Owner: owner, numbered: document.New[place]()} }

// encode gives the annotation. Every call gives another one.
func (st state) encode() (string, error) {
	st.Write = rand.Text()[:16]
	text, err := document.Encode(st.withSpecsApart(), "")
	return string(text), err
}

// withSpecsApart moves the specs of all intents into one list. In an intent is the
// place in it then, counted from 1.
func (st state) withSpecsApart() state {
	st.Specs = nil
	_ = st.eachIntent(func(in *secretstore.Intent) error {
		at := slices.Index(st.Specs, in.Spec)
		if in.Spec != "" && at < 0 {
			st.Specs, at = append(st.Specs, in.Spec), len(st.Specs)
		}
		if in.Spec != "" {
			in.Spec = secretstore.Spec(strconv.Itoa(at + 1))
		}
		return nil
	})
	return st
}

// withSpecs gives intents back the specs that they refer to.
func (st state) withSpecs() (state, error) {
	err := st.eachIntent(func(in *secretstore.Intent) error {
		if in.Spec == "" {
			return nil
		}
		at, err := strconv.Atoi(string(in.Spec))
		if err != nil || at < 1 || at > len(st.Specs) {
			return unreadable(fmt.Sprintf("spec %q is not there", in.Spec))
		}
		in.Spec = st.Specs[at-1]
		return nil
	})
	return st, err
}

// eachIntent lets all intents of the state be changed, after it has copied them.
func (st *state) eachIntent(change func(*secretstore.Intent) error) error {
	err := change(&st.Intent)
	st.Versions = slices.Clone(st.Versions)
	for i := range st.Versions {
		err = errors.Join(err, change(&st.Versions[i].Intent))
	}
	if st.Adding != nil {
		adding := *st.Adding
		st.Adding = &adding
		err = errors.Join(err, change(&adding.Version.Intent))
	}
	return err
}

// remedy is for an annotation that cannot be read.
const remedy = "restore it, or remove it, and every version there counts as put by hand"

// decodeState reads an annotation and believes nothing that is in it. Its errors
// wrap ErrCorrupt and say what a person can do.
func decodeState(text string) (state, error) {
	st, err := document.Decode[state]([]byte(text), remedy)
	if err == nil {
		st.numbered, err = st.Checked(remedy)
	}
	if err != nil {
		return state{}, fmt.Errorf("annotation %s: %w", annotationKey, err)
	}
	if err := st.checkNumbers(); err != nil {
		return state{}, err
	}
	return st.withSpecs()
}

// checkNumbers holds a state to its invariant: every version has numbers, and none
// is there twice.
func (st state) checkNumbers() error {
	seen := map[int64]bool{}
	for _, r := range st.Versions {
		if len(r.Held.Numbers) == 0 || !slices.IsSorted(r.Held.Numbers) {
			return unreadable(fmt.Sprintf("version %s has no numbers in order", r.ID))
		}
		for _, n := range r.Held.Numbers {
			if n < 1 || seen[n] {
				return unreadable(fmt.Sprintf("version number %d is impossible or there twice", n))
			}
			seen[n] = true
		}
	}
	return nil
}

func unreadable(why string) error {
	return fmt.Errorf("annotation %s: %w", annotationKey, document.Unreadable(why, remedy))
}
