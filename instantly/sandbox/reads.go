package sandbox

import (
	"math"
	"net/http"
	"slices"
)

// workspaceBody is the required part of the schema Workspace of the OpenAPI file.
type workspaceBody struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner"`
	Created timestamp `json:"timestamp_created"`
	Updated timestamp `json:"timestamp_updated"`
}

// showWorkspace answers GET /workspaces/current.
func showWorkspace(_ *Server, c *call) reply {
	w := c.workspace
	return success(workspaceBody{w.ID, w.Name, w.owner.UserID, timestamp{w.created}, timestamp{w.created}})
}

// groupBody is the schema WorkspaceGroupMember of the OpenAPI file.
type groupBody struct {
	ID        string     `json:"id"`
	AdminID   string     `json:"admin_workspace_id"`
	SubID     string     `json:"sub_workspace_id"`
	Status    Invitation `json:"status"`
	Created   timestamp  `json:"timestamp_created"`
	Updated   timestamp  `json:"timestamp_updated"`
	SubName   string     `json:"sub_workspace_name"`
	AdminName string     `json:"admin_workspace_name"`
}

// listGroup answers GET /workspace-group-members: the sub-workspaces of this
// one. A membership has the id of its sub-workspace; nothing says that it does
// at the vendor's.
func listGroup(s *Server, c *call) reply {
	var members []groupBody
	for _, sub := range s.registry.subsOf(c.workspace) {
		members = append(members, groupBody{
			sub.ID, c.workspace.ID, sub.ID, sub.Invitation,
			timestamp{sub.created}, timestamp{sub.created}, sub.Name, c.workspace.Name,
		})
	}
	return listOf(s, c, members, func(m groupBody) string { return m.ID })
}

// listOf answers with the page of a short list that the call asks for.
func listOf[T any](s *Server, c *call, items []T, idOf func(T) string) reply {
	limit, wrong := readLimit(c.query, s.faults.PageSize, 100)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	asked := c.query.Get("starting_after")
	if asked != "" {
		seen := slices.IndexFunc(items, func(item T) bool { return idOf(item) == asked })
		if seen < 0 {
			return success(listBody{Items: []T{}})
		}
		items = items[seen+1:]
	}
	page := append([]T{}, items[:min(limit, len(items))]...)
	last := ""
	if len(page) > 0 {
		last = idOf(page[len(page)-1])
	}
	return success(listBody{Items: page, Next: nextCursor(last, len(items) > len(page), asked, s.faults)})
}

// showPlan answers GET /workspace-billing/plan-details.
func showPlan(_ *Server, c *call) reply {
	return success(map[string]any{
		"organization_id":   c.workspace.ID,
		"organization_name": c.workspace.Name,
		"subscriptions":     map[string]any{"outreach": map[string]any{"plan_name": "Sandbox"}},
		"addons":            map[string]any{},
	})
}

// emptyList answers the list of something that the sandbox has none of.
func emptyList(s *Server, c *call) reply {
	return listOf(s, c, nil, func(string) string { return "" })
}

// listLeads answers POST /leads/list, which takes its limit in the body.
func listLeads(_ *Server, c *call) reply {
	fields, ok := c.body.(map[string]any)
	if !ok {
		return failure(http.StatusBadRequest, "body must be object")
	}
	if wrong := checkBodyLimit(fields); wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	return success(listBody{Items: []string{}})
}

// checkBodyLimit checks the optional limit, an integer from 1 to 100 (OpenAPI
// file), and says what is wrong with it.
func checkBodyLimit(fields map[string]any) (wrong string) {
	value, given := fields["limit"]
	limit, isNumber := value.(float64)
	switch {
	case !given:
		return ""
	case !isNumber || limit != math.Trunc(limit):
		return "body/limit must be integer"
	case limit < 1:
		return "body/limit must be >= 1"
	case limit > 100:
		return "body/limit must be <= 100"
	default:
		return ""
	}
}

// constant answers the same to everybody.
func constant(payload any) func(*Server, *call) reply {
	return func(*Server, *call) reply { return success(payload) }
}

// notFound answers a lookup by id.
func notFound(*Server, *call) reply { return failure(http.StatusNotFound, "Not found") }

// notFoundTest answers a lookup by the query parameter test_id, which is
// required (OpenAPI file).
func notFoundTest(s *Server, c *call) reply {
	if c.query.Get("test_id") == "" {
		return failure(http.StatusBadRequest, "querystring must have required property 'test_id'")
	}
	return notFound(s, c)
}
