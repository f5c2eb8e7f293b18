package gcpsecretmanager

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

const (
	// annotationKey is the annotation that holds the state.
	annotationKey = "instantly-rotator-state"
	// formatVersion is the form of the state that this package writes, and the
	// only one that it reads.
	formatVersion = 1
	// maxAnnotations is what the keys and values of all annotations of a secret
	// must have fewer bytes than (reference of the resource Secret).
	maxAnnotations = 16 * 1024
)

// newState is the state of a secret that has no annotation of ours.
func newState(owner string) state { return state{Format: formatVersion, Owner: owner} }

// encode gives the annotation. Every call gives another one.
func (st state) encode() (string, error) {
	st.Write = rand.Text()[:16]
	st = st.withSpecsApart()
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(st); err != nil {
		return "", fmt.Errorf("encode the state: %w: %w", secretstore.ErrCorrupt, err)
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// withSpecsApart moves the specs of all intents into one list.
func (st state) withSpecsApart() state {
	st.Specs = nil
	st.Versions = slices.Clone(st.Versions)
	intents := []*intent{&st.Intent}
	for i := range st.Versions {
		intents = append(intents, &st.Versions[i].Intent)
	}
	if st.Adding != nil {
		adding := *st.Adding
		st.Adding = &adding
		intents = append(intents, &adding.Version.Intent)
	}
	for _, in := range intents {
		st.Specs, in.SpecAt = numbered(st.Specs, in.Spec)
		in.Spec = ""
	}
	return st
}

// numbered gives the place of a spec in the list, counted from 1; 0 for none.
func numbered(specs []secretstore.Spec, spec secretstore.Spec) ([]secretstore.Spec, int) {
	if spec == "" {
		return specs, 0
	}
	if at := slices.Index(specs, spec); at >= 0 {
		return specs, at + 1
	}
	return append(specs, spec), len(specs) + 1
}

// decodeState reads an annotation and believes nothing that is in it. Its errors
// wrap ErrCorrupt and say what a person can do.
func decodeState(text string) (state, error) {
	if err := checkFormat(text); err != nil {
		return state{}, err
	}
	var st state
	// A field that this release does not know would be lost at the next write.
	strict := json.NewDecoder(strings.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&st); err != nil {
		return state{}, unreadable(err.Error())
	}
	return st.checked()
}

// checkFormat comes before all else: a newer form need not look like ours.
func checkFormat(text string) error {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return unreadable(err.Error())
	}
	if head.Format > formatVersion {
		return fmt.Errorf("annotation %s was written by a newer release in format %d; this one knows format %d: upgrade the rotator: %w",
			annotationKey, head.Format, formatVersion, secretstore.ErrCorrupt)
	}
	if head.Format != formatVersion {
		return unreadable(fmt.Sprintf("format %d is not known", head.Format))
	}
	return nil
}

// checked holds a state to its invariants: every version has an id and a number,
// and a stage has one version at most.
func (st state) checked() (state, error) {
	stages, ids, numbers := map[secretstore.Stage]bool{}, map[string]bool{}, map[int64]bool{}
	for i, r := range st.Versions {
		switch {
		case !slices.Contains(secretstore.Stages(), r.Stage):
			return state{}, unreadable(fmt.Sprintf("stage %q is not known", r.Stage))
		case stages[r.Stage]:
			return state{}, unreadable(fmt.Sprintf("two versions are %s", r.Stage))
		case r.ID == "" || ids[r.ID]:
			return state{}, unreadable(fmt.Sprintf("version id %q is empty or there twice", r.ID))
		case len(r.Numbers) == 0 || !slices.IsSorted(r.Numbers):
			return state{}, unreadable(fmt.Sprintf("version %s has no numbers in order", r.ID))
		}
		for _, n := range r.Numbers {
			if n < 1 || numbers[n] {
				return state{}, unreadable(fmt.Sprintf("version number %d is impossible or there twice", n))
			}
			numbers[n] = true
		}
		stages[r.Stage], ids[r.ID] = true, true
		if err := st.resolve(&st.Versions[i].Intent); err != nil {
			return state{}, err
		}
	}
	if st.Adding != nil {
		if err := st.resolve(&st.Adding.Version.Intent); err != nil {
			return state{}, err
		}
	}
	return st, st.resolve(&st.Intent)
}

// resolve gives an intent the spec that it refers to.
func (st state) resolve(in *intent) error {
	if in.SpecAt < 0 || in.SpecAt > len(st.Specs) {
		return unreadable(fmt.Sprintf("spec %d is not there", in.SpecAt))
	}
	if in.SpecAt > 0 {
		in.Spec = st.Specs[in.SpecAt-1]
	}
	in.SpecAt = 0
	return nil
}

func unreadable(why string) error {
	return fmt.Errorf("annotation %s: %s: restore it, or remove it, and every version there is counts as put by hand: %w",
		annotationKey, why, secretstore.ErrCorrupt)
}
