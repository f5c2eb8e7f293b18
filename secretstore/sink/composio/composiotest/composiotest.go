// Package composiotest is a stand-in for Composio's connected accounts, with the shapes of
// its published API (v3, November 2026). It holds state: what is put into an account is
// what a tool uses that runs on it.
package composiotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// Key is the project's API key.
const Key = "ak_test_project"

// Server is one project.
type Server struct {
	Masking Masking
	Age     Age
	// Works says whether Instantly accepts a key, when a tool runs; nil: every one.
	Works func(key string) bool

	mu       sync.Mutex
	changes  int
	accounts map[string]*account
}

// Masking is how credentials are shown.
type Masking string

// Masked shows four bytes, as since December 2025; Full everything, by a setting of the
// project; Redacted nothing, as before.
const (
	Masked   Masking = ""
	Full     Masking = "full"
	Redacted Masking = "redacted"
)

// Age is what a deployment can do.
type Age string

// Current replaces credentials. Refuses answers 400 to it; Ignores says yes and does nothing.
const (
	Current Age = ""
	Refuses Age = "refuses"
	Ignores Age = "ignores"
)

type account struct {
	alias   *string
	scheme  string
	val     map[string]string
	updated int
}

// Connect makes an account.
func (s *Server) Connect(id, alias, scheme string, val map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts == nil {
		s.accounts = map[string]*account{}
	}
	a := &account{scheme: scheme, val: maps.Clone(val), updated: s.tick()}
	if alias != "" {
		a.alias = &alias
	}
	s.accounts[id] = a
}

// Credential gives a field of an account's credential.
func (s *Server) Credential(id, field string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[id].val[field]
}

// Alias gives that of an account.
func (s *Server) Alias(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[id].alias; a != nil {
		return *a
	}
	return ""
}

func (s *Server) tick() int { s.changes++; return s.changes }

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, isAccount := strings.CutPrefix(r.URL.Path, "/api/v3/connected_accounts/")
	tool, isTool := strings.CutPrefix(r.URL.Path, "/api/v3/tools/execute/")
	switch {
	case r.Header.Get("x-api-key") != Key:
		fail(w, http.StatusUnauthorized, "Invalid API key")
	case isTool && r.Method == http.MethodPost:
		s.execute(w, r, tool)
	case !isAccount:
		fail(w, http.StatusNotFound, "Not found")
	case s.accounts[id] == nil:
		fail(w, http.StatusNotFound, "Connected account not found")
	case r.Method == http.MethodGet:
		answer(w, http.StatusOK, s.picture(id, s.accounts[id]))
	case r.Method == http.MethodPatch:
		s.patch(w, r, id)
	default:
		fail(w, http.StatusMethodNotAllowed, "Method not allowed")
	}
}

// patchRequest is the body of a PATCH.
type patchRequest struct {
	Alias      *string `json:"alias"`
	Connection *struct {
		State struct {
			AuthScheme string             `json:"authScheme"`
			Val        map[string]*string `json:"val"`
		} `json:"state"`
	} `json:"connection"`
}

func (s *Server) patch(w http.ResponseWriter, r *http.Request, id string) {
	var in patchRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	a := s.accounts[id]
	switch err := d.Decode(&in); {
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
		return
	case in.Connection != nil && s.Age == Refuses, in.Alias == nil && in.Connection == nil:
		fail(w, http.StatusBadRequest, "Required: alias")
		return
	case in.Connection != nil && in.Connection.State.AuthScheme != a.scheme:
		fail(w, http.StatusBadRequest, "authScheme does not match")
		return
	case in.Alias != nil && s.taken(id, *in.Alias):
		fail(w, http.StatusBadRequest, "alias is taken")
		return
	}
	if in.Alias != nil {
		a.alias, a.updated = in.Alias, s.tick()
	}
	if in.Connection != nil && s.Age == Current {
		for field, text := range in.Connection.State.Val {
			if text == nil {
				delete(a.val, field)
			} else {
				a.val[field] = *text
			}
		}
		a.updated = s.tick()
	}
	answer(w, http.StatusOK, map[string]any{"success": true, "id": id, "status": "ACTIVE"})
}

func (s *Server) taken(id, alias string) bool {
	for other, a := range s.accounts {
		if other != id && a.alias != nil && *a.alias == alias {
			return true
		}
	}
	return false
}

func (s *Server) picture(id string, a *account) map[string]any {
	val := map[string]any{"status": "ACTIVE"}
	for field, text := range a.val {
		val[field] = s.show(text)
	}
	return map[string]any{
		"id": id, "status": "ACTIVE", "status_reason": nil, "is_disabled": false,
		"toolkit": map[string]any{"slug": "instantly"}, "auth_config": map[string]any{"id": "ac_1"},
		"state": map[string]any{"authScheme": a.scheme, "val": val}, "data": val,
		"created_at": "2026-01-01T00:00:00.000Z", "updated_at": fmt.Sprintf("2026-11-01T00:00:00.%03dZ", a.updated), "alias": a.alias,
	}
}

func (s *Server) show(text string) string {
	switch {
	case s.Masking == Redacted:
		return "REDACTED"
	case s.Masking == Full || len(text) < 4:
		return text
	default:
		return text[:4] + "..."
	}
}

func (s *Server) execute(w http.ResponseWriter, r *http.Request, tool string) {
	var in struct {
		Account   string         `json:"connected_account_id"`
		User      string         `json:"user_id"`
		Arguments map[string]any `json:"arguments"`
	}
	a := (*account)(nil)
	if err := json.NewDecoder(r.Body).Decode(&in); err == nil {
		a = s.accounts[in.Account]
	}
	switch {
	case tool != "INSTANTLY_LIST_CAMPAIGNS", a == nil:
		fail(w, http.StatusNotFound, "Tool or account not found")
	case s.Works != nil && !s.Works(a.val["token"]+a.val["api_key"]+a.val["generic_api_key"]):
		answer(w, http.StatusOK, map[string]any{"data": map[string]any{}, "error": "401 with " + a.val["token"], "successful": false, "log_id": "log_1"})
	default:
		answer(w, http.StatusOK, map[string]any{"data": map[string]any{"items": []any{}}, "error": nil, "successful": true, "log_id": "log_1"})
	}
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"error": map[string]any{
		"message": message, "code": status, "slug": "Error", "status": status, "request_id": "req_1", "suggested_fix": "", "errors": []any{},
	}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller went away
}
