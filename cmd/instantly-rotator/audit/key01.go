package audit

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func key01() Check {
	return Check{
		ID: "KEY-01", Title: "No key may do everything",
		Why:   "Whoever gets hold of such a key owns the workspace, and can make further keys.",
		judge: tooWide,
	}
}

// tooWide finds the keys that reach all resources. Of one that is managed somebody wrote
// down why.
func tooWide(f *Facts) []Finding {
	return f.each(func(w *Workspace, k *Key) []Finding {
		wide := widest(k.Scopes)
		switch {
		case len(wide) == 0:
			return nil
		case k.Class == Managed && k.Target.AllowCriticalScopes != "":
			return []Finding{k.finding(w, Note, "it has "+strings.Join(wide, ", ")+", as target "+k.Target.Name+" says: "+k.Target.AllowCriticalScopes, "")}
		default:
			return []Finding{k.finding(w, High, "it has "+strings.Join(wide, ", "), narrower(k))}
		}
	})
}

// widest are the scopes that reach all resources.
func widest(scopes []string) []string {
	var wide []string
	for _, text := range scopes {
		if s, err := instantly.ParseScope(text); err == nil && s.Resource == "all" {
			wide = append(wide, text)
		}
	}
	return wide
}

// narrower is how a key is replaced by one with fewer scopes.
func narrower(k *Key) string {
	if k.Class == Managed {
		return "write fewer scopes below target " + k.Target.Name + "; the next run replaces the key"
	}
	return "a key's scopes cannot be changed: add a target with the scopes that its user needs, give it that key, and delete this one in Instantly"
}
