package audit

import (
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func key05() Check {
	return Check{
		ID: "KEY-05", Title: "Every key of ours is in a store, and each target has one that is current",
		Why:   "A key that no store knows works on, and nobody will ever revoke it.",
		judge: astray,
	}
}

// astray finds keys that are ours by name and in no store, and targets whose stores do
// not agree.
func astray(f *Facts) []Finding {
	all := f.each(func(w *Workspace, k *Key) []Finding {
		switch k.Class {
		case Lost:
			return []Finding{k.finding(w, Medium, "it is named as ours, after a store that is not configured: nobody rotates or revokes it",
				"configure the store that it is of again, or delete it in Instantly if its consumers are gone")}
		case Away:
			return []Finding{k.finding(w, Medium, "it is ours, and its target's store, which must have held it, holds nothing: it is lost or not mounted, and consumers may have the key",
				"bring the store back: is it mounted, is its path or name right? Do not delete the key before its consumers have another")}
		case Orphan:
			return []Finding{k.finding(w, Low, "a key of target "+k.Target.Name+" that nothing refers to", remedy.Program+" rotate --due revokes it, at once or when its grace period is over")}
		default:
			return nil
		}
	})
	return append(all, f.eachTarget(func(t *Target) []Finding {
		if err := unreadable(t.Status); err != nil {
			return []Finding{t.finding(NotKnown, "its stores: "+err.Error(), remedy.For(err, t.Name))}
		}
		var held []string
		current := map[string]bool{}
		for _, st := range t.Status.Stores {
			id := st.Versions[secretstore.Current].ID
			current[id] = true
			if id == "" {
				id = "none"
			}
			held = append(held, fmt.Sprintf("store %s: %s", st.Name, id))
		}
		if len(current) < 2 {
			return nil
		}
		return []Finding{t.finding(Medium, "two keys are current: "+strings.Join(held, ", "), remedy.Program+" rotate --due brings its stores to one key")}
	})...)
}
