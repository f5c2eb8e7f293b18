package audit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// files is where findings of a scan are said to be: an audit that scans nothing says
// nothing of them.
const files = "files"

// record tells the trail what an audit found, so that it can be shown when a finding was
// open: of each workspace, and of what is in none, all that it looked at; how much there was
// in all, if everything was judged; and who is a member. What is not found again counts as
// mended: so nothing is told of a workspace whose keys could not be listed, and nothing of
// the check that is made on request only.
func record(o Options, r Report) {
	names := map[string][]string{}
	for _, ws := range r.Workspaces {
		names[ws] = nil
	}
	if o.Workspace == "" {
		names[""] = nil
	}
	if o.Scan != nil {
		names[files] = nil
	}
	for _, f := range r.Findings {
		if f.Check == key01().ID && f.Severity == NotKnown {
			delete(names, f.Workspace)
		}
	}
	for _, f := range r.Findings {
		if f.Severity == Note || f.Check == hook03().ID {
			continue
		}
		at, severity := f.Workspace, string(f.Severity)
		if f.Check == "SRC-01" {
			at = files
		}
		if f.Accepted != nil {
			severity = "accepted"
		}
		if found, looked := names[at]; looked {
			names[at] = append(found, fmt.Sprintf("%s %s %s", f.Check, severity, f.Subject))
		}
	}
	c := fleet.Connect(o.Options)
	defer c.Close()
	for _, ws := range slices.Sorted(maps.Keys(names)) {
		found := names[ws]
		slices.Sort(found)
		c.Recorder().Event(trail.What{Verb: "audit", Workspace: ws}, fmt.Sprintf("%d findings", len(found)), found...)
	}
	if o.Workspace == "" {
		c.Recorder().Event(trail.What{Verb: wholeVerb}, r.Summary(), r.names()...)
	}
	for _, ws := range slices.Sorted(maps.Keys(r.people)) {
		c.Recorder().Event(trail.What{Verb: "members", Workspace: ws}, "", r.people[ws]...)
	}
}

// peopleOf gives the members of the workspaces that told them, as "EMAIL ROLE".
func (f *Facts) peopleOf() map[string][]string {
	all := map[string][]string{}
	for _, w := range f.Workspaces {
		people, err := w.People.Get()
		if err != nil {
			continue
		}
		all[w.Name] = []string{}
		for _, m := range people {
			if m.Accepted {
				all[w.Name] = append(all[w.Name], m.Email+" "+m.Role)
			}
		}
		slices.Sort(all[w.Name])
	}
	return all
}
