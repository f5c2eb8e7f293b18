package members

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Departure is that people are no longer in a workspace although the configuration says
// so. What the list was before is what the configuration has: nothing else remembers it.
type Departure struct {
	Workspace string
	// Gone are their addresses.
	Gone []string
	// Known is what they could know, by target, and Loose the keys that they made and that
	// no target has.
	Known map[string][]string
	Loose []Loose
	// Unknown is what could not be found out. Where that is who is there, nobody is gone.
	Unknown []string
}

// Left compares who is in a workspace with who is expected there. It changes nothing.
func (c Crew) Left(ctx context.Context, workspace string, expected []string) Departure {
	d := Departure{Workspace: workspace, Known: map[string][]string{}}
	all, err := c.members(ctx, workspace)
	if err != nil {
		d.Unknown = []string{fmt.Sprintf("who is in workspace %s is not known: %v", workspace, err)}
		return d
	}
	for _, address := range expected {
		here := func(m instantly.Member) bool { return strings.EqualFold(m.Email, address) }
		if !slices.ContainsFunc(all, here) {
			d.Gone = append(d.Gone, address)
		}
	}
	if len(d.Gone) == len(expected) { // a list that has nobody of them is of something else
		d.Gone, d.Unknown = nil, []string{fmt.Sprintf("nobody of members is in workspace %s: is the list, or the admin key, another workspace's?", workspace)}
		return d
	}
	here := c.within(workspace)
	for _, address := range d.Gone {
		k := here.couldKnow(ctx, Person{Address: address})
		for _, known := range k.Known {
			d.Known[known.Target] = append(d.Known[known.Target], address)
		}
		for _, u := range k.Unknown {
			d.Unknown = append(d.Unknown, address+": "+u)
		}
		d.Loose = append(d.Loose, k.Loose...)
	}
	return d
}

// within is the crew of one workspace, and of the admin key that opens it.
func (c Crew) within(workspace string) Crew {
	one := c
	one.Workspaces = map[string]Workspace{workspace: c.Workspaces[workspace]}
	one.Unreached = nil
	one.Targets = slices.DeleteFunc(slices.Clone(c.Targets), func(k Kept) bool {
		return k.Workspace != workspace && !slices.Contains(k.Opens, workspace)
	})
	return one
}

// ReplaceFor replaces what those who left could know, softly. Each target is replaced once
// for all who left: their names together are the incident's, so that the list getting
// shorter is no new one.
func (c Crew) ReplaceFor(ctx context.Context, d Departure, done func(rotator.Result)) {
	for _, target := range slices.Sorted(maps.Keys(d.Known)) {
		c.Engine.ReconcileAll(ctx, c.targets([]Known{{Target: target}}, false), rotator.Request{Incident: together(d.Known[target]), Soft: true}, done)
	}
}

// together names the leaving of several people.
func together(addresses []string) string {
	names := make([]string, len(addresses))
	for i, address := range slices.Sorted(slices.Values(addresses)) {
		names[i] = IncidentOf(address)
	}
	all := strings.Join(names, ", ")
	if len(all) <= secretstore.MaxReason {
		return all
	}
	return fmt.Sprintf("left: %d people (%.8x)", len(names), sha256.Sum256([]byte(all)))
}
