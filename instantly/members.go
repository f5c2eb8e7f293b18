package instantly

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

const (
	routeMembers = "/workspace-members"
	routeMember  = routeMembers + "/" + placeholder
)

// Member is a person in the workspace.
type Member struct {
	ID        string // of the membership
	Email     string
	UserID    string
	Name      string // first and last name; often empty
	Role      string // owner, admin, editor, view or client
	Workspace string
	Accepted  bool // false while the invitation is open
	Created   time.Time
	// IssuerID is the user who invited this one, where the API says.
	IssuerID string
	// Permissions restrict what is shown in the web application, where there are any.
	Permissions []string
}

// Members lists the people in the workspace, open invitations included. It is all
// pages or an error: a list with one id that cannot be an id is unreadable as a
// whole. Needs workspace_members:read.
func (c *Client) Members(ctx context.Context) ([]Member, error) {
	r := request{op: "list workspace members", method: http.MethodGet, route: routeMembers}
	answers, err := listAll[memberAnswer](ctx, c, r, itemsPerPage)
	if err != nil {
		return nil, err
	}
	members := make([]Member, 0, len(answers))
	seen := make(map[string]bool, len(answers))
	for _, m := range answers {
		if !isID(m.ID) {
			return nil, malformed(r.op, http.StatusOK, "a member without an id, or with none that can be one")
		}
		if !seen[m.ID] {
			members = append(members, m.toMember())
		}
		seen[m.ID] = true
	}
	return members, nil
}

// DeleteMember removes the member with that id (of the membership) from the
// workspace, or takes the invitation back. One that is not there, or no longer, is
// fine: repeating it is harmless. Needs workspace_members:delete.
func (c *Client) DeleteMember(ctx context.Context, id string) error {
	if !isID(id) {
		return &Error{Op: "remove workspace member", classes: []error{ErrBadRequest}, cause: errors.New("its id cannot be one")}
	}
	r := request{
		op: "remove workspace member " + id, method: http.MethodDelete, route: routeMember, value: id,
		ignoreAnswer: true,
	}
	_, err := c.withRetries(ctx, c.admin(r), c.options.RetryBudget)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// memberAnswer is the schema WorkspaceMember of the vendor's OpenAPI file.
type memberAnswer struct {
	ID     string `json:"id"`
	Email  string `json:"email"`
	UserID string `json:"user_id"`
	Name   struct {
		First string `json:"first"`
		Last  string `json:"last"`
	} `json:"name"`
	Role        string      `json:"role"`
	Workspace   string      `json:"workspace_id"`
	Accepted    bool        `json:"accepted"`
	Created     lenientTime `json:"timestamp_created"`
	IssuerID    string      `json:"issuer_id"`
	Permissions []string    `json:"permissions"`
}

func (m memberAnswer) toMember() Member {
	return Member{
		ID: m.ID, Email: m.Email, UserID: m.UserID, Name: strings.TrimSpace(m.Name.First + " " + m.Name.Last),
		Role: m.Role, Workspace: m.Workspace, Accepted: m.Accepted, Created: m.Created.Time,
		IssuerID: m.IssuerID, Permissions: m.Permissions,
	}
}
