package status

import "github.com/instantly-rotator/instantly-rotator/rotator"

// Workspace is what is known of the keys of one workspace.
type Workspace struct {
	Workspace    string     `json:"workspace"`
	Organization string     `json:"organization,omitempty"`
	Keys         int        `json:"keys"`
	NotOurs      []OtherKey `json:"not_ours"`
	Error        string     `json:"error,omitempty"`
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
		w := Workspace{Workspace: inv.Workspace, Organization: inv.Account, Keys: inv.Keys, NotOurs: []OtherKey{}}
		for _, k := range inv.Strangers {
			w.NotOurs = append(w.NotOurs, OtherKey{k.ID, k.Name})
		}
		if inv.Err != nil {
			w.Error = inv.Err.Error()
		}
		out = append(out, w)
	}
	return out
}
