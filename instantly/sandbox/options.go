package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// DefaultWorkspaceID is the id of the one workspace that a sandbox has if no
// other is asked for. It is fixed, so that a configuration can name it.
const DefaultWorkspaceID = "01980000-0000-7000-8000-00000000acee"

// Options say what a sandbox holds and how it behaves. The zero Options give a
// sandbox in memory with one workspace "Acme".
type Options struct {
	// Now tells the time for everything, delays of keys included; time.Now if nil.
	Now func() time.Time
	// Workspaces to start with; one workspace "Acme" if empty.
	Workspaces []Workspace
	// RateLimit of every workspace.
	RateLimit RateLimit
	// StateFile, if set, keeps workspaces, keys, audit logs and webhooks over a restart,
	// with their newest deliveries, but for those under way.
	// What it says of a workspace wins over Workspaces. Every change writes it
	// whole, so it is not for tens of thousands of keys. Faults, rules and
	// counters start afresh.
	StateFile string
	// ControlToken, if set, must be sent as bearer to everything below /_sandbox/.
	ControlToken secret.Value
	// Deliver sends events to webhooks; over the network if nil, to whatever URL they have.
	Deliver http.RoundTripper
}

// Workspace is an Instantly workspace, which the API also calls organization.
type Workspace struct {
	// ID is made up if empty.
	ID   string
	Name string
	// Parent is the id of the admin workspace of a sub-workspace, whose keys
	// reach this one with the header x-as-workspace. A workspace is never both
	// an admin and a sub-workspace (vendor's workspace group guide).
	Parent string
	// Invitation to the parent's group; InvitationAccepted if empty. Only an
	// accepted one opens the workspace to its parent.
	Invitation Invitation
	// AdminKey is the value of the workspace's first key; made up if zero.
	AdminKey secret.Value
	// AdminScopes of that key; DefaultAdminScopes if nil.
	AdminScopes []string
	// Members of the workspace; one owner if empty.
	Members []Member
}

// Invitation is the state of a sub-workspace in its admin workspace's group
// (status in the schema WorkspaceGroupMember of the OpenAPI file).
type Invitation string

// The states that the OpenAPI file names.
const (
	InvitationAccepted Invitation = "accepted"
	InvitationPending  Invitation = "pending"
	InvitationRejected Invitation = "rejected"
)

// Member is a person in a workspace.
type Member struct {
	// ID of the membership and UserID of the person are made up if empty.
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	Email  string `json:"email"`
	// Role is owner, admin, editor, view or client (OpenAPI file).
	Role string `json:"role"`
	// Nickname is for the owner's eyes.
	Nickname string `json:"nickname,omitempty"`
	// Pending is a member who has not accepted the invitation.
	Pending bool `json:"pending"`
	// Created is when the member came, or was invited; when the sandbox was made if zero.
	Created time.Time `json:"created,omitzero"`
}

// RateLimit is what the API allows a workspace, over all its keys. Zero means
// the documented limit, a negative number none.
type RateLimit struct {
	// PerSecond is 100 by default (vendor's rate limit page).
	PerSecond int
	// PerMinute is 6000 by default (vendor's rate limit page).
	PerMinute int
}

// DefaultAdminScopes are the scopes of an admin key: what rotating keys needs,
// and what reading needs.
func DefaultAdminScopes() []string {
	return []string{
		"api_keys:all", "workspaces:read", "audit_logs:read",
		"workspace_members:read", "workspace_group_members:read",
	}
}

// withDefaults fills in what was left empty.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RateLimit.PerSecond == 0 {
		o.RateLimit.PerSecond = 100
	}
	if o.RateLimit.PerMinute == 0 {
		o.RateLimit.PerMinute = 6000
	}
	workspaces := slices.Clone(o.Workspaces)
	if len(workspaces) == 0 {
		workspaces = []Workspace{{ID: DefaultWorkspaceID, Name: "Acme"}}
	}
	for i, w := range workspaces {
		workspaces[i] = w.withDefaults(o.Now())
	}
	o.Workspaces = workspaces
	return o
}

func (w Workspace) withDefaults(now time.Time) Workspace {
	if w.ID == "" {
		w.ID = newID(now)
	}
	if w.Parent != "" && w.Invitation == "" {
		w.Invitation = InvitationAccepted
	}
	if w.AdminKey.IsZero() {
		w.AdminKey = newValue(now)
	}
	if w.AdminScopes == nil {
		w.AdminScopes = DefaultAdminScopes()
	}
	members := slices.Clone(w.Members)
	if len(members) == 0 {
		members = []Member{{Email: "owner@acme.example", Role: "owner"}}
	}
	for i := range members {
		members[i] = members[i].withDefaults(now)
	}
	w.Members = members
	return w
}

// checkWorkspaces tells everything that is wrong with a set of workspaces.
func checkWorkspaces(workspaces []Workspace) error {
	parents := map[string]string{}
	values := map[digest]bool{}
	var wrong []error
	for _, w := range workspaces {
		if _, doubled := parents[w.ID]; doubled {
			wrong = append(wrong, fmt.Errorf("workspace %s is there twice", w.ID))
		}
		parents[w.ID] = w.Parent
		if values[digestOf(w.AdminKey)] {
			wrong = append(wrong, fmt.Errorf("workspace %s has the admin key of another one", w.ID))
		}
		values[digestOf(w.AdminKey)] = true
	}
	for _, w := range workspaces {
		grandparent, known := parents[w.Parent]
		if w.Parent != "" && !known {
			wrong = append(wrong, fmt.Errorf("workspace %s has an unknown parent %s", w.ID, w.Parent))
		}
		if w.Parent != "" && grandparent != "" {
			wrong = append(wrong, fmt.Errorf("workspace %s is both an admin and a sub-workspace", w.Parent))
		}
	}
	return errors.Join(wrong...)
}
