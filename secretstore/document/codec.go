package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// format is the form of the documents that this release writes, and the only one
// that it reads.
const format = 1

// Encode gives a document as JSON, with indent for each level; in one line without.
// S is a [Document], or a struct around one with what else the backend keeps.
func Encode[S any](s S, indent string) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("encode the state: %w: %w", secretstore.ErrCorrupt, err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// Decode reads what Encode wrote and believes nothing that is in it; see also
// [Document.Checked]. Its errors wrap ErrCorrupt and say what a person can do:
// remedy, if the text is damaged.
func Decode[S any](text []byte, remedy string) (S, error) {
	var s S
	// A newer form need not look like ours: the format comes before all else.
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return s, Unreadable(err.Error(), remedy)
	}
	switch {
	case head.Format > format:
		return s, fmt.Errorf("written by a newer release in format %d; this one knows format %d: upgrade the rotator: %w",
			head.Format, format, secretstore.ErrCorrupt)
	case head.Format != format:
		return s, Unreadable(fmt.Sprintf("format %d is not known", head.Format), remedy)
	}
	// A field that this release does not know would be lost at the next write.
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&s); err != nil {
		return s, Unreadable(err.Error(), remedy)
	}
	return s, nil
}

// Unreadable is the error for a text that says what cannot be.
func Unreadable(why, remedy string) error {
	return fmt.Errorf("%s: %s: %w", why, remedy, secretstore.ErrCorrupt)
}

// Checked holds a decoded document to its invariants: every version has an id of
// its own, a stage has one version at most, and times are in UTC.
func (d Document[T]) Checked(remedy string) (Document[T], error) {
	stages, ids := map[secretstore.Stage]bool{}, map[string]bool{}
	d.Notes, d.Versions = plainNotes(d.Notes), slices.Clone(d.Versions)
	for i := range d.Versions {
		v := &d.Versions[i]
		switch {
		case !slices.Contains(secretstore.Stages(), v.Stage):
			return d, Unreadable(fmt.Sprintf("stage %q is not known", v.Stage), remedy)
		case stages[v.Stage]:
			return d, Unreadable(fmt.Sprintf("two versions are %s", v.Stage), remedy)
		case v.ID == "" || ids[v.ID]:
			return d, Unreadable(fmt.Sprintf("version id %q is empty or there twice", v.ID), remedy)
		}
		stages[v.Stage], ids[v.ID] = true, true
		v.Intent, v.Created, v.Promoted = plainIntent(v.Intent), Time(v.Created), Time(v.Promoted)
	}
	return d, nil
}
