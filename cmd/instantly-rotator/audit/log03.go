package audit

import (
	"fmt"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func log03() Check {
	return Check{
		ID: "LOG-03", Title: "No old key acts after its successor was promoted",
		Why:   "Whoever still has the old key when it is revoked stands still; plain reads are not logged, so silence proves nothing.",
		judge: stragglers,
	}
}

// stragglers finds who acts with a previous key.
func stragglers(f *Facts) []Finding {
	return f.eachLog(func(w *Workspace, entries []instantly.AuditLog) []Finding {
		var all []Finding
		for i := range f.Targets {
			t := &f.Targets[i]
			if t.Workspace != w.Name || len(t.Status.Stores) == 0 {
				continue
			}
			since := t.Status.Stores[0].Versions[secretstore.Current].Promoted
			old := slices.DeleteFunc(slices.Clone(entries), func(e instantly.AuditLog) bool {
				return e.KeyID == "" || !t.had(e.KeyID) || since.IsZero() || !e.At.After(since)
			})
			if len(old) == 0 {
				continue
			}
			last := newest(old)
			all = append(all, t.finding(Medium, fmt.Sprintf("its previous key %s acted %s since the new one was promoted at %s, last %s: %s", last.KeyID, humantime.Times(len(old)),
				humantime.Stamp(since), last.Activity, entryText(w, last)), "restart what runs there, so that it reads the new key; "+remedy.Program+" hold "+t.Name+" keeps the old one alive meanwhile"))
		}
		return all
	})
}

// had tells whether a key is a previous one of the target.
func (t *Target) had(id string) bool {
	for _, st := range t.Status.Stores {
		if v, ok := st.Versions[secretstore.Previous]; ok && v.ID == id {
			return true
		}
	}
	for _, old := range t.Status.Old {
		if old.ID == id {
			return true
		}
	}
	return false
}
