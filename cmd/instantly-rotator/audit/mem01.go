package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func mem01() Check {
	return Check{
		ID: "MEM-01", Title: "Only those are members who should be, and few of them administer",
		Why:   "Every member can read what is there; an admin can make keys, and members.",
		judge: members,
	}
}

// invited is how long an invitation may be open.
const invited = 14 * day

func members(f *Facts) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		people, err := w.People.Get()
		if err != nil {
			all = append(all, w.unreadable("its members", "workspace_members:read", err))
			continue
		}
		var admins []string
		for _, m := range people {
			if m.Role == "owner" || m.Role == "admin" {
				admins = append(admins, m.Email)
			}
			all = append(all, f.member(w, m)...)
		}
		if most := f.Config.Audit.MaxAdmins; len(admins) > most {
			all = append(all, w.finding(Medium, fmt.Sprintf("%d owners and admins, want %d at most: %s", len(admins), most, strings.Join(admins, ", ")),
				"give those who need not administer a lesser role in Instantly (Settings > Workspace & Members); or raise audit.max_admins"))
		}
	}
	return all
}

func (f *Facts) member(w *Workspace, m instantly.Member) []Finding {
	finding := func(s Severity, text, remedy string) Finding {
		return Finding{Severity: s, Workspace: w.Name, Subject: "member " + m.Email, ID: m.ID, Text: text, Remedy: remedy}
	}
	var all []Finding
	if wanted := w.Members; wanted != nil && !slices.Contains(wanted, strings.ToLower(m.Email)) {
		all = append(all, finding(Medium, "is "+m.Role+", and not among the members of the workspace in the configuration", "remove them from the workspace in Instantly, or add them to the list"))
	}
	if m.Accepted {
		return all
	}
	switch age := f.Now.Sub(m.Created); {
	case m.Created.IsZero():
		all = append(all, finding(NotKnown, "the invitation is open; since when, Instantly does not say", ""))
	case age > invited:
		all = append(all, finding(Low, "the invitation as "+m.Role+" has been open for "+humantime.Span(age.Round(day)), "withdraw it in Instantly: whoever gets hold of the mail can take it up"))
	}
	return all
}
