package audit

import (
	"errors"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func log01() Check {
	return Check{
		ID: "LOG-01", Title: "The workspace has an audit log",
		Why:   "Without one nobody can tell who made a key, or who used one.",
		judge: hasLog,
	}
}

func hasLog(f *Facts) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		if found, unknown := f.Workspaces[i].logUnknown(); unknown {
			all = append(all, found)
		}
	}
	return all
}

// logUnknown says why nothing is known of what the audit log would tell.
func (w *Workspace) logUnknown() (Finding, bool) {
	const instead = "what depends on it is not known; accept that with an exception if the plan is to stay as it is: audit.accept"
	entries, err := w.Log.Get()
	switch {
	case errors.Is(err, instantly.ErrNoAuditLog):
		f := w.unknown("the plan does not have an audit log: " + err.Error())
		f.Remedy = instead
		return f, true
	case err != nil:
		return w.unreadable("its audit log", "audit_logs:read", err), true
	case len(entries) == 0:
		f := w.unknown("the audit log is empty, for 30 days: the plan seems not to have it")
		f.Remedy = instead
		return f, true
	default:
		return Finding{}, false
	}
}

// eachLog gives the audit logs that are known. Of others the first check says why.
func (f *Facts) eachLog(judge func(w *Workspace, entries []instantly.AuditLog) []Finding) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		if found, unknown := w.logUnknown(); unknown {
			found.Follows = "LOG-01"
			all = append(all, found)
			continue
		}
		entries, _ := w.Log.Get()
		all = append(all, judge(w, entries)...)
	}
	return all
}
