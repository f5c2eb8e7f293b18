package kubernetessecret

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// formatVersion is the form of the state that this package writes, and the only
// one that it reads.
const formatVersion = 1

// encode gives the annotation. Every call gives another one.
func (st state) encode() (string, error) {
	st.Format, st.Write = formatVersion, rand.Text()[:16]
	text, err := json.Marshal(st)
	if err != nil {
		return "", fmt.Errorf("encode the state: %w: %w", secretstore.ErrCorrupt, err)
	}
	return string(text), nil
}

// decodeState reads an annotation and believes nothing that is in it.
func decodeState(text string) (state, error) {
	// A newer form need not look like ours: the format comes before all else.
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return state{}, unreadable("%v", err)
	}
	switch {
	case head.Format > formatVersion:
		return state{}, fmt.Errorf("it was written by a newer release in format %d; this one knows format %d: upgrade the rotator: %w",
			head.Format, formatVersion, secretstore.ErrCorrupt)
	case head.Format != formatVersion:
		return state{}, unreadable("format %d is not known", head.Format)
	}
	var st state
	// A field that this release does not know would be lost at the next write.
	strict := json.NewDecoder(strings.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&st); err != nil {
		return state{}, unreadable("%v", err)
	}
	return st.checked()
}

// checked holds a state to its invariants: every version has an id of its own,
// and a stage has one version at most.
func (st state) checked() (state, error) {
	stages, ids := map[secretstore.Stage]bool{}, map[string]bool{}
	for _, r := range st.Versions {
		switch {
		case !slices.Contains(secretstore.Stages(), r.Stage):
			return state{}, unreadable("stage %q is not known", r.Stage)
		case stages[r.Stage]:
			return state{}, unreadable("two versions are %s", r.Stage)
		case r.ID == "" || ids[r.ID]:
			return state{}, unreadable("version id %q is empty or there twice", r.ID)
		}
		stages[r.Stage], ids[r.ID] = true, true
	}
	return st, nil
}

func unreadable(why string, args ...any) error {
	return fmt.Errorf("%s: restore it, or remove it, and every value there counts as put by hand: %w",
		fmt.Sprintf(why, args...), secretstore.ErrCorrupt)
}
