package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// blockBody is the schema BlockListEntry of the OpenAPI file.
type blockBody struct {
	ID             string    `json:"id"`
	Created        timestamp `json:"timestamp_created"`
	OrganizationID string    `json:"organization_id"`
	Value          string    `json:"bl_value"`
	IsDomain       bool      `json:"is_domain"`
}

// blockRoutes are the operations on the block list; the path is spelt so (OpenAPI file).
func blockRoutes() []Route {
	return []Route{
		read("block-lists-entries", "block_list_entries", listBlocked),
		{http.MethodPost, apiPrefix + "block-lists-entries", accepted("block_list_entries", "create"), addBlocked},
	}
}

// listBlocked answers GET /block-lists-entries.
func listBlocked(s *Server, c *call) reply {
	domains, _ := strconv.ParseBool(c.query.Get("domains_only"))
	search := strings.ToLower(c.query.Get("search"))
	var entries []blockBody
	for _, e := range c.workspace.blocked {
		if (e.IsDomain || !domains) && strings.Contains(strings.ToLower(e.Value), search) {
			entries = append(entries, e)
		}
	}
	return listOf(s, c, entries, func(e blockBody) string { return e.ID })
}

// addBlocked answers POST /block-lists-entries. What is blocked already is answered
// again; undocumented.
func addBlocked(s *Server, c *call) reply {
	fields, wrong := readFields(c.body, []string{"bl_value"}, []field{{"bl_value", isText}})
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	return s.saved(success(c.workspace.block(textIn(fields, "bl_value"), c.now)))
}

func (w *workspace) block(value string, now time.Time) blockBody {
	if at := slices.IndexFunc(w.blocked, func(e blockBody) bool { return e.Value == value }); at >= 0 {
		return w.blocked[at]
	}
	e := blockBody{newID(now), timestamp{now}, w.ID, value, !strings.Contains(value, "@")}
	w.blocked = append(w.blocked, e)
	return e
}

// Block puts addresses and domains on a workspace's block list, by hand. An unknown
// workspace is ErrNotFound.
func (s *Server) Block(workspaceID string, values ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return fmt.Errorf("block list of workspace %s: %w", workspaceID, ErrNotFound)
	}
	for _, v := range values {
		w.block(v, s.now())
	}
	return s.save()
}
