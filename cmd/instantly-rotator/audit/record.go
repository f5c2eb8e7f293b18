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
// open: of each workspace, and of what is in none, all that it looked at.
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
}
