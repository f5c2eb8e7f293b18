package audit

import (
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func key04() Check {
	return Check{
		ID: "KEY-04", Title: "A key's scopes are known, and no more than its use needs",
		Why:   "A key that may make keys can make itself any other; what a scope is that nobody knows, nobody can judge.",
		judge: oddScopes,
	}
}

// oddScopes finds keys that may make or list keys besides what they are for, scopes that
// the vendor does not name, and keys that may do more than their target says.
func oddScopes(f *Facts) []Finding {
	return f.each(func(w *Workspace, k *Key) []Finding {
		var all []Finding
		if found, ok := mintsKeys(w, k); ok {
			all = append(all, found)
		}
		var unknown []string
		for _, s := range k.Scopes {
			if !slices.Contains(instantly.KnownScopes(), s) {
				unknown = append(unknown, s)
			}
		}
		if len(unknown) > 0 {
			all = append(all, k.finding(w, Low, "scopes that the vendor does not name: "+strings.Join(unknown, ", "), "leave them out unless a documented call needs them; "+narrower(k)))
		}
		if k.Class == Managed && k.Current {
			var more []string
			for _, s := range k.Scopes {
				if !instantly.Covers(k.Target.Scopes, s) {
					more = append(more, s)
				}
			}
			if len(more) > 0 {
				all = append(all, k.finding(w, Medium, "it has scopes that target "+k.Target.Name+" does not name: "+strings.Join(more, ", "),
					"instantly-rotator rotate "+k.Target.Name+" makes one with those that it names"))
			}
		}
		return all
	})
}

// administrative tells of what an admin key is for: the workspace itself, and what an
// audit reads.
func administrative(s instantly.Scope) bool {
	switch s.Resource {
	case "workspaces", "workspace_members", "workspace_group_members", "workspace_billing", "audit_logs":
		return true
	case "webhooks", "webhook_events", "block_list_entries":
		return s.Action == "read"
	default:
		return false
	}
}

// mintsKeys tells of a key that is for something else and may make or list keys. The admin
// key is judged by itself.
func mintsKeys(w *Workspace, k *Key) (Finding, bool) {
	var keys, others []string
	for _, text := range k.Scopes {
		switch s, err := instantly.ParseScope(text); {
		case err == nil && s.Resource == "api_keys":
			keys = append(keys, text)
		case err == nil && (s.Resource == "all" || administrative(s)): // KEY-01 judges the former
		default:
			others = append(others, text)
		}
	}
	admin := k.Class == Managed && k.Target.Admin
	if len(keys) == 0 || len(others) == 0 || admin {
		return Finding{}, false
	}
	text := "it has " + strings.Join(keys, ", ") + " beside " + strings.Join(others, ", ")
	if k.Class == Managed && k.Target.AllowCriticalScopes != "" {
		return k.finding(w, Note, text+", as target "+k.Target.Name+" says: "+k.Target.AllowCriticalScopes, ""), true
	}
	return k.finding(w, High, text, narrower(k)), true
}
