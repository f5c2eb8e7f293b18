package audit

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

const (
	day     = 24 * time.Hour
	quarter = 92 * day // the longest
	year    = 366 * day
)

func key02() Check {
	return Check{
		ID: "KEY-02", Title: "Every key is rotated",
		Why:   "A key never ends by itself: one that nobody rotates works for whoever ever saw it.",
		judge: unmanaged,
	}
}

// actingKey is the id of the admin key that is in use, if its scopes show which of the keys
// that are no target's it is: KEY-07 judges that one. Else it is empty.
func (w *Workspace) actingKey() string {
	scopes, err := w.Scopes.Get()
	keys, unlisted := w.Keys.Get()
	if err != nil || unlisted != nil || !scopes.Attested || w.AdminTarget != "" {
		return ""
	}
	id := ""
	for _, k := range keys {
		switch {
		case k.Class != Stranger || !slices.Equal(slices.Sorted(slices.Values(k.Scopes)), slices.Sorted(slices.Values(scopes.Scopes))):
		case id != "":
			return "" // two have them
		default:
			id = k.ID
		}
	}
	return id
}

// unmanaged finds the keys that nobody rotates, and how old they are.
func unmanaged(f *Facts) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		if w := &f.Workspaces[i]; w.Unsorted != nil {
			if _, err := w.Keys.Get(); err == nil {
				all = append(all, w.unknown("which keys are somebody else's: "+w.Unsorted.Error()))
			}
		}
	}
	return append(all, f.each(func(w *Workspace, k *Key) []Finding {
		if k.Class != Stranger || k.ID == w.actingKey() {
			return nil
		}
		const remedy = "add a target for it, and take it over: instantly-rotator adopt TARGET; or delete it in Instantly if nobody uses it"
		if k.Created.IsZero() {
			f := k.finding(w, NotKnown, "nobody rotates it, and Instantly does not say how old it is", remedy)
			return []Finding{f}
		}
		age := f.Now.Sub(k.Created)
		severity := Low
		switch {
		case age > year:
			severity = High
		case age > quarter:
			severity = Medium
		}
		return []Finding{k.finding(w, severity, "nobody rotates it; it is "+humantime.Span(max(age, 0).Round(time.Hour))+" old", remedy)}
	})...)
}
