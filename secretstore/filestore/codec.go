package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// formatVersion is the form of state.json that this package writes, and the
// only one that it reads.
const formatVersion = 1

func encodeState(st state) ([]byte, error) {
	raw, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the state: %w: %w", secretstore.ErrCorrupt, err)
	}
	return append(raw, '\n'), nil
}

// decodeState reads a state.json and believes nothing that is in it. Its errors
// wrap ErrCorrupt and say what a person can do.
func decodeState(raw []byte) (state, error) {
	if err := checkFormat(raw); err != nil {
		return state{}, err
	}
	var st state
	// A field that this release does not know would be lost at the next write.
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&st); err != nil {
		return state{}, unreadable(err.Error())
	}
	if err := st.check(); err != nil {
		return state{}, err
	}
	st.sum = sha256.Sum256(raw)
	return st, nil
}

// checkFormat comes before all else: a newer form need not look like ours.
func checkFormat(raw []byte) error {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return unreadable(err.Error())
	}
	if head.Format > formatVersion {
		return fmt.Errorf("written by a newer release in format %d; this one knows format %d: upgrade the rotator: %w",
			head.Format, formatVersion, secretstore.ErrCorrupt)
	}
	if head.Format != formatVersion {
		return unreadable(fmt.Sprintf("format %d is not known", head.Format))
	}
	return nil
}

// check holds a state to its invariants: every version has an id and a file of
// its own, and a stage has one version at most.
func (st state) check() error {
	if st.Identity == "" {
		return unreadable("there is no identity")
	}
	stages, ids, files := map[secretstore.Stage]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range st.Versions {
		switch {
		case !slices.Contains(secretstore.Stages(), r.Stage):
			return unreadable(fmt.Sprintf("stage %q is not known", r.Stage))
		case stages[r.Stage]:
			return unreadable(fmt.Sprintf("two versions are %s", r.Stage))
		case r.ID == "" || ids[r.ID]:
			return unreadable(fmt.Sprintf("version id %q is empty or there twice", r.ID))
		case !isValueFile(r.File) || files[r.File]:
			return unreadable(fmt.Sprintf("value file %q is misnamed or there twice", r.File))
		}
		stages[r.Stage], ids[r.ID], files[r.File] = true, true, true
	}
	return nil
}

func unreadable(why string) error {
	return fmt.Errorf("%s: restore the file from a backup: %w", why, secretstore.ErrCorrupt)
}
