package audit

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func key03() Check {
	return Check{
		ID: "KEY-03", Title: "Each integration has a key of its own",
		Why:   "Of a shared key nobody can tell who used it, and whoever loses it takes the others along.",
		judge: shared,
	}
}

// shared finds values that are current in the secrets of several targets.
func shared(f *Facts) []Finding {
	var all []Finding
	for _, u := range f.Unread {
		if f.judges(u.Workspace) {
			all = append(all, Finding{Severity: NotKnown, Workspace: u.Workspace, Subject: u.Of, Text: "its value could not be read: " + u.Err.Error(), Remedy: remedy.For(u.Err, "")})
		}
	}
	for _, same := range f.Set.Same() {
		var of []Stored
		for _, i := range same {
			v := f.Values[i]
			if v.Stage == secretstore.Current && (len(of) == 0 || of[len(of)-1].Of != v.Of) { // by name
				of = append(of, v)
			}
		}
		all = append(all, f.sharedBy(of)...)
	}
	return all
}

// sharedBy tells of each target that has what another one has. Workspaces may have one
// admin key.
func (f *Facts) sharedBy(of []Stored) []Finding {
	var all []Finding
	for i, v := range of {
		if v.Target == "" || !f.judges(v.Workspace) {
			continue
		}
		severity, others := Medium, []string{}
		for j, other := range of {
			if j == i {
				continue
			}
			others = append(others, other.Of)
			if other.Target == "" {
				severity = High
			}
		}
		if len(others) > 0 {
			all = append(all, Finding{Severity: severity, Workspace: v.Workspace, Subject: v.Of, ID: v.KeyID,
				Text: "its key is that of " + strings.Join(others, ", ") + ", too", Remedy: remedy.Program + " rotate " + v.Target + " gives it one of its own"})
		}
	}
	return all
}
