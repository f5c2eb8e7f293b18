package audit

import (
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func key07() Check {
	return Check{
		ID: "KEY-07", Title: "The admin key is rotated, is kept in a store, and may do no more than it must",
		Why:   "It makes all others: who has it needs none of them.",
		judge: adminKey,
	}
}

const keepInStore = "keep it in a store, and rotate it: admin_key: {store: NAME, secret: NAME, rotate: {}}"

// adminKey judges the key that makes the others.
func adminKey(f *Facts) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		switch {
		case w.AdminKey.Env != "":
			all = append(all, w.finding(Medium, "its admin key is in the environment variable "+w.AdminKey.Env+", which every program inherits, and nobody rotates it", keepInStore))
		case w.AdminKey.File != "":
			all = append(all, w.finding(Medium, "its admin key is in a file, and nobody rotates it", keepInStore))
		case w.AdminTarget == "":
			all = append(all, w.finding(Medium, "nobody rotates its admin key", "write rotate: {} beside its place: admin_key: {store: "+w.AdminKey.Store+", secret: "+w.AdminKey.Secret+", rotate: {}}"))
		}
		all = append(all, adminScopes(w)...)
	}
	return all
}

// adminScopes judges what the API attests.
func adminScopes(w *Workspace) []Finding {
	scopes, err := w.Scopes.Get()
	if err != nil {
		return []Finding{w.unreadable("what its admin key may do", "a scope", err)}
	}
	const remedy = "make one with the scopes api_keys:create, api_keys:read, api_keys:delete and what reads, in Instantly (Settings > Integrations > API Keys)"
	if !scopes.Attested {
		return []Finding{w.finding(High, "its admin key may read whatever was tried: it seems to have all:read or all:all", remedy)}
	}
	if wide := widest(scopes.Scopes); len(wide) > 0 {
		return []Finding{w.finding(High, "its admin key has "+strings.Join(wide, ", "), remedy)}
	}
	more := slices.DeleteFunc(slices.Clone(scopes.Scopes), func(s string) bool {
		return strings.HasPrefix(s, "api_keys:") || instantly.RiskOf([]string{s}) == instantly.Low
	})
	if len(more) > 0 {
		return []Finding{w.finding(Medium, "its admin key may do more than it must: "+strings.Join(more, ", "), remedy)}
	}
	return nil
}
