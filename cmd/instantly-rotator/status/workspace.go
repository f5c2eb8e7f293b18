package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Workspace is what is known of the keys of one workspace.
type Workspace struct {
	Workspace    string `json:"workspace"`
	Organization string `json:"organization,omitempty"`
	Keys         int    `json:"keys"`
	// AdminKeys may make and revoke keys: the one that the rotator uses is among them.
	AdminKeys []OtherKey `json:"admin_keys"`
	// UnknownStores are named as ours, after a store that is not configured.
	UnknownStores []OtherKey `json:"unknown_stores"`
	// LostStores are ours, of a target whose store is lost or not mounted: consumers may hold
	// them.
	LostStores []OtherKey `json:"lost_stores,omitempty"`
	// NotOurs are all others.
	NotOurs []OtherKey `json:"not_ours"`
	Error   string     `json:"error,omitempty"`
}

// OtherKey is a key that no target refers to: it is never touched.
type OtherKey struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// WorkspacesOf draws the picture of workspaces.
func WorkspacesOf(invs []rotator.Inventory) []Workspace {
	out := []Workspace{}
	for _, inv := range invs {
		w := Workspace{Workspace: inv.Workspace, Organization: inv.Account, Keys: inv.Keys,
			AdminKeys: []OtherKey{}, UnknownStores: []OtherKey{}, NotOurs: []OtherKey{}}
		for _, k := range inv.Lost {
			if !slices.ContainsFunc(inv.Away, func(away rotator.Key) bool { return away.ID == k.ID }) {
				w.UnknownStores = append(w.UnknownStores, OtherKey{k.ID, k.Name})
			}
		}
		for _, k := range inv.Away {
			w.LostStores = append(w.LostStores, OtherKey{k.ID, k.Name})
		}
		for _, k := range inv.Strangers {
			other := OtherKey{k.ID, k.Name}
			if administers(k) {
				w.AdminKeys = append(w.AdminKeys, other)
			} else {
				w.NotOurs = append(w.NotOurs, other)
			}
		}
		if inv.Err != nil {
			w.Error = inv.Err.Error()
		}
		out = append(out, w)
	}
	return out
}

// Inventoried adds the picture of workspaces. Where a key list has no admin key but those
// of targets, nobody is told any more to revoke one.
func (r *Report) Inventoried(ws []Workspace) {
	r.Workspaces = ws
	for _, w := range ws {
		if w.Error != "" || len(w.AdminKeys) > 0 {
			continue
		}
		for i := range r.Targets {
			if t := &r.Targets[i]; t.Workspace == w.Workspace {
				isPast := func(hint string) bool { return hint == handMadeHint }
				t.remarks, t.Hints = slices.DeleteFunc(t.remarks, isPast), slices.DeleteFunc(t.Hints, isPast)
			}
		}
	}
}

// administers tells whether a key may revoke keys.
func administers(k rotator.Key) bool {
	for scope := range strings.SplitSeq(string(k.Spec), ",") {
		switch scope {
		case "api_keys:delete", "api_keys:all", "all:delete", "all:all":
			return true
		}
	}
	return false
}

// Text says it in one line.
func (w Workspace) Text() string {
	if w.Error != "" {
		return "its keys are not known: " + w.Error
	}
	said := []string{humantime.Count(w.Keys, "key")}
	if n := len(w.AdminKeys); n > 0 {
		said = append(said, humantime.Count(n, "admin key"))
	}
	if n := len(w.LostStores); n > 0 {
		them := "them"
		if n == 1 {
			them = "it"
		}
		said = append(said, fmt.Sprintf("%d of ours whose store is lost or not mounted (%s): consumers may hold %[3]s, do not delete %[3]s", n, namesOf(w.LostStores), them))
	}
	if n := len(w.UnknownStores); n > 0 {
		said = append(said, fmt.Sprintf("%d named as ours but of no store that is configured (%s)", n, namesOf(w.UnknownStores)))
	}
	others := fmt.Sprintf("%d of others (never touched)", len(w.NotOurs))
	if len(w.NotOurs) > 0 {
		others += ": " + namesOf(w.NotOurs)
	}
	said = append(said, others)
	return strings.Join(said, ", ")
}

// namesOf names as many as one reads.
func namesOf(keys []OtherKey) string {
	const most = 3
	var names []string
	for _, k := range keys[:min(most, len(keys))] {
		names = append(names, k.Name)
	}
	if n := len(keys) - most; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}
