package instantly

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const routeWorkspace = "/workspaces/current"

// Workspace is the workspace that a key works in. The API calls it an
// organization too; that both have the same id is inferred.
type Workspace struct {
	ID      string
	Name    string
	Owner   string // user id
	Created time.Time
}

// Workspace gives the workspace of the admin key, or the one it acts for.
// Needs workspaces:read.
func (c *Client) Workspace(ctx context.Context) (Workspace, error) {
	r := c.admin(request{op: "read the workspace", method: http.MethodGet, route: routeWorkspace})
	got, err := c.withRetries(ctx, r, c.options.RetryBudget)
	if err != nil {
		return Workspace{}, err
	}
	w, err := decode[struct {
		ID      string      `json:"id"`
		Name    string      `json:"name"`
		Owner   string      `json:"owner"`
		Created lenientTime `json:"timestamp_created"`
	}](r.op, got)
	if err != nil {
		return Workspace{}, err
	}
	if !isID(w.ID) {
		return Workspace{}, malformed(r.op, got.status, "no id, or none that can be one")
	}
	return Workspace{ID: w.ID, Name: w.Name, Owner: w.Owner, Created: w.Created.Time}, nil
}

// Organization gives the id of the workspace that the admin key's calls work
// in. It is empty if the key may not ask: take it from Key.Organization of the
// key list then. (Lack of a scope was only seen as 401 "Invalid scope", but the
// vendor's quickstart says 403.)
func (c *Client) Organization(ctx context.Context) (string, error) {
	w, err := c.Workspace(ctx)
	if errors.Is(err, ErrScope) || errors.Is(err, ErrForbidden) {
		return "", nil
	}
	return w.ID, err
}

// SubWorkspace is a workspace that an agency's workspace may act for.
type SubWorkspace struct {
	// ID of the sub-workspace, for Options.AsWorkspace.
	ID   string
	Name string // may be empty
	// Admin is the id of the agency's workspace.
	Admin string
	// Status is pending, accepted or rejected; only accepted ones can be used.
	Status string
}

// SubWorkspaces lists the workspaces that the admin key's workspace has
// invited, whatever became of it. Needs workspace_group_members:read.
func (c *Client) SubWorkspaces(ctx context.Context) ([]SubWorkspace, error) {
	r := request{op: "list sub-workspaces", method: http.MethodGet, route: "/workspace-group-members"}
	answers, err := listAll[struct {
		ID     string `json:"sub_workspace_id"`
		Name   string `json:"sub_workspace_name"`
		Admin  string `json:"admin_workspace_id"`
		Status string `json:"status"`
	}](ctx, c, r, itemsPerPage)
	if err != nil {
		return nil, err
	}
	subs := make([]SubWorkspace, 0, len(answers))
	for _, s := range answers {
		subs = append(subs, SubWorkspace(s))
	}
	return subs, nil
}
