package sandbox

import (
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"
)

// keyBody is a key as the API shows it (schema APIKey of the OpenAPI file: all
// fields required, no others).
type keyBody struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Scopes         []string  `json:"scopes"`
	Key            string    `json:"key"`
	OrganizationID string    `json:"organization_id"`
	Created        timestamp `json:"timestamp_created"`
	Updated        timestamp `json:"timestamp_updated"`
}

func showKey(k *key, form KeyForm) keyBody {
	return keyBody{
		ID: k.ID, Name: k.Name, Scopes: k.Scopes, Key: valueText(k.Value, form),
		OrganizationID: k.WorkspaceID, Created: timestamp{k.Created}, Updated: timestamp{k.Created},
	}
}

// create makes a key with the activation delay of the moment.
func (s *Server) create(w *workspace, name string, scopes []string, now time.Time) *key {
	return s.registry.add(KeyRecord{
		ID: newID(now), Name: name, WorkspaceID: w.ID, Scopes: append([]string{}, scopes...),
		Value: newValue(now), Created: now, ActiveFrom: now.Add(s.faults.ActivationDelay),
	})
}

// createKey answers POST /api-keys. Names may repeat, and a key may create one
// with more scopes than it has itself: nothing that is documented forbids it.
func createKey(s *Server, c *call) reply {
	var allowed map[string]bool
	if s.faults.StrictScopes {
		allowed = s.published
	}
	name, scopes, wrong := readCreate(c.body, allowed)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	if most := s.faults.LongestName; most > 0 && utf8.RuneCountInString(name) > most {
		return failure(http.StatusBadRequest, fmt.Sprintf("body/name must NOT have more than %d characters", most))
	}
	k := s.create(c.workspace, name, scopes, c.now)
	c.workspace.log(entryByKey(c, activityKeyCreated))
	if err := s.save(); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	shown := showKey(k, KeyFull)
	shown.ID = answeredID(s.faults.CreateAnswerID, k.ID, c.now)
	answer := success(shown)
	answer.dropped = s.faults.LostCreateResponse
	return answer
}

// answeredID is the id that a create answers with.
func answeredID(wanted, id string, now time.Time) string {
	switch wanted {
	case "":
		return id
	case OtherID:
		return newID(now)
	default:
		return wanted
	}
}

// readCreate checks the body of a create as Ajv does, with its texts; wrong is
// empty if it is right. Scopes are free where allowed is nil.
func readCreate(body any, allowed map[string]bool) (name string, scopes []string, wrong string) {
	fields, ok := body.(map[string]any)
	if !ok {
		return "", nil, "body must be object"
	}
	for _, field := range []string{"name", "scopes"} {
		if _, ok := fields[field]; !ok {
			return "", nil, fmt.Sprintf("body must have required property '%s'", field)
		}
	}
	if len(fields) > 2 {
		return "", nil, "body must NOT have additional properties"
	}
	if name, ok = fields["name"].(string); !ok {
		return "", nil, "body/name must be string"
	}
	list, ok := fields["scopes"].([]any)
	if !ok {
		return "", nil, "body/scopes must be array"
	}
	for i, item := range list {
		scope, ok := item.(string)
		if !ok {
			return "", nil, fmt.Sprintf("body/scopes/%d must be string", i)
		}
		if allowed != nil && !allowed[scope] {
			return "", nil, fmt.Sprintf("body/scopes/%d must be equal to one of the allowed values", i)
		}
		scopes = append(scopes, scope)
	}
	return name, scopes, ""
}

// listKeys answers GET /api-keys. A cursor that is not a key of the workspace
// gives an empty page; undocumented.
func listKeys(s *Server, c *call) reply {
	limit, wrong := readLimit(c.query, s.faults.PageSize, 100)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	if s.faults.EndlessList {
		id := newID(c.now)
		return success(listBody{Items: []keyBody{{ID: id, Name: "no end", Scopes: []string{}, OrganizationID: c.workspace.ID}}, Next: id})
	}
	w := walk{after: -1, limit: limit, newest: s.faults.ListOrder == NewestFirst}
	asked := c.query.Get("starting_after")
	if asked != "" {
		seen, known := s.registry.keysByID[asked]
		if !known || seen.WorkspaceID != c.workspace.ID {
			return success(listBody{Items: []keyBody{}})
		}
		w.after = seen.seq
	}
	all := func(*key) bool { return true }
	page, more := pageOf(c.workspace.living, func(k *key) int { return k.seq }, all, w)
	items := make([]keyBody, 0, len(page))
	last := ""
	for _, k := range page {
		items = append(items, showKey(k, s.faults.ListKey))
		last = k.ID
	}
	return success(listBody{Items: items, Next: nextCursor(last, more, asked, s.faults)})
}

// deleteKey answers DELETE /api-keys/{id}. A key may delete itself: no rule
// against it is documented. An id that is not a UUID is a 404 like any other
// that is not there: the OpenAPI file gives this operation no 400.
func deleteKey(s *Server, c *call) reply {
	if c.body != nil {
		return failure(http.StatusBadRequest, "body must be null")
	}
	if s.faults.DeleteNotFound {
		return failure(http.StatusNotFound, "API key not found")
	}
	k, err := s.registry.remove(c.workspace, c.id, c.now, s.faults.RevocationDelay)
	if err != nil {
		return failure(http.StatusNotFound, "API key not found")
	}
	c.workspace.log(entryByKey(c, activityKeyDeleted))
	if err := s.save(); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	if s.faults.DeleteBody == DeleteEmpty {
		return reply{status: http.StatusOK}
	}
	return success(showKey(k, s.faults.ListKey))
}
