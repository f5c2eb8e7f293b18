// Package vaulttest is a stand-in for HashiCorp Vault or OpenBao: the HTTP API as far as
// package vaultkv uses it, in front of an engine, which may be the real one.
package vaulttest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mount is where the engine is.
const Mount = "secret"

// RootToken may do everything.
const RootToken = "s.root"

// Login is what a login gives a token for.
type Login struct {
	// Body is what must be sent.
	Body map[string]string
	// Token is given, and Lease is how long it is good; 0 for ever.
	Token string
	Lease time.Duration
	// Status, if not 0, is what is answered instead, and Text its error, if not empty.
	Status int
	Text   string
}

// Server answers requests. Its fields are set before it is used, or between calls.
type Server struct {
	engine Engine

	// Namespace that requests must name.
	Namespace string
	// Policy gives the capabilities at each path of tokens other than the root's.
	Policy map[string][]string
	// Logins by path: auth/approle/login.
	Logins map[string]Login
	// Period is for how long a renewal makes a token good; 0 for an hour. Unrenewable: it
	// is refused.
	Period      time.Duration
	Unrenewable bool
	// Status, if not 0, is what every request but a login gets, and Text its error.
	Status int
	Text   string
	// Down: every request, a login too, gets 503.
	Down bool
	// Page, if not empty, is the whole body instead, as of a proxy.
	Page string

	mu     sync.Mutex
	tokens map[string]time.Time // when they expire; zero for never
	calls  []string
	// Renewed counts renewals.
	renewed int
}

// New gives a server in front of an engine.
func New(e Engine) *Server {
	return &Server{engine: e, tokens: map[string]time.Time{RootToken: {}}}
}

// Admit takes a token that [Server.Policy] rules.
func (s *Server) Admit(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = time.Time{}
}

// AdmitFor takes a token that expires unless it is renewed.
func (s *Server) AdmitFor(token string, period time.Duration) {
	s.Admit(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Period, s.tokens[token] = period, time.Now().Add(period)
}

// Revoke ends a token.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// Calls lists the requests so far, as "PUT secret/data/x".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Renewed counts the renewals of tokens.
func (s *Server) Renewed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewed
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+path)
	s.mu.Unlock()
	body := map[string]any{}
	if d := json.NewDecoder(r.Body); r.Method == http.MethodPut || r.Method == http.MethodPost {
		d.UseNumber()
		if d.Decode(&body) != nil {
			fail(w, http.StatusBadRequest, "failed to parse JSON input")
			return
		}
	}
	for name, texts := range r.URL.Query() {
		body[name] = texts[0]
	}
	if s.Down {
		fail(w, http.StatusServiceUnavailable, "Vault is sealed")
		return
	}
	if login, ok := s.Logins[path]; ok {
		s.logIn(w, login, body)
		return
	}
	switch token := r.Header.Get("X-Vault-Token"); {
	case s.Page != "":
		w.WriteHeader(s.Status)
		_, _ = io.WriteString(w, s.Page)
	case s.Status != 0:
		fail(w, s.Status, s.Text)
	case r.Header.Get("X-Vault-Namespace") != s.Namespace:
		fail(w, http.StatusNotFound, "no handler for route \""+path+"\". route entry not found.")
	case !s.good(token):
		fail(w, http.StatusForbidden, "permission denied")
	case path == "auth/token/renew-self":
		s.renew(w, token)
	case path == "sys/capabilities-self":
		s.tell(w, token, body)
	case strings.HasPrefix(path, Mount+"/"):
		s.serve(w, r.Method, token, path, body)
	default:
		fail(w, http.StatusNotFound, "no handler for route \""+path+"\". route entry not found.")
	}
}

func (s *Server) good(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ends, known := s.tokens[token]
	return known && (ends.IsZero() || time.Now().Before(ends))
}

func (s *Server) logIn(w http.ResponseWriter, l Login, body map[string]any) {
	if l.Status != 0 {
		fail(w, l.Status, slices.DeleteFunc([]string{l.Text}, func(text string) bool { return text == "" })...)
		return
	}
	for name, want := range l.Body {
		if body[name] != want {
			fail(w, http.StatusBadRequest, "invalid role or secret ID")
			return
		}
	}
	ends := time.Time{}
	if l.Lease > 0 {
		ends = time.Now().Add(l.Lease)
	}
	s.mu.Lock()
	s.tokens[l.Token] = ends
	s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"auth": map[string]any{"client_token": l.Token, "lease_duration": int(l.Lease.Seconds()), "renewable": true}})
}

// renew makes a token that expires good for another period.
func (s *Server) renew(w http.ResponseWriter, token string) {
	period := cmp.Or(s.Period, time.Hour)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed++
	if s.Unrenewable {
		fail(w, http.StatusBadRequest, "lease is not renewable")
		return
	}
	if !s.tokens[token].IsZero() {
		s.tokens[token] = time.Now().Add(period)
	}
	reply(w, http.StatusOK, map[string]any{"auth": map[string]any{"client_token": token, "lease_duration": int(period.Seconds()), "renewable": true}})
}

// capabilities of a token at a path.
func (s *Server) capabilities(token, path string) []string {
	if token == RootToken {
		return []string{"root"}
	}
	if granted := s.Policy[path]; len(granted) > 0 {
		return granted
	}
	return []string{"deny"}
}

func (s *Server) tell(w http.ResponseWriter, token string, body map[string]any) {
	data := map[string]any{}
	paths, _ := body["paths"].([]any)
	for _, p := range paths {
		data[p.(string)] = s.capabilities(token, p.(string))
	}
	reply(w, http.StatusOK, map[string]any{"data": data})
}

func (s *Server) serve(w http.ResponseWriter, method, token, path string, body map[string]any) {
	below := strings.TrimPrefix(path, Mount+"/")
	operation := map[string]string{http.MethodGet: "read", http.MethodPut: "update", http.MethodPost: "update", http.MethodDelete: "delete"}[method]
	if operation == "update" && s.isNew(below) {
		operation = "create"
	}
	if may := s.capabilities(token, path); !slices.Contains(may, operation) && !slices.Contains(may, "root") {
		fail(w, http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
		return
	}
	status, data, errs := s.engine.Do(Request{Operation: operation, Path: below, Data: body})
	switch {
	case len(errs) > 0:
		fail(w, status, errs...)
	case data == nil && status == http.StatusNotFound:
		fail(w, status)
	case data == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		reply(w, status, map[string]any{"request_id": "r", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data})
	}
}

// isNew tells whether a write makes a path: that needs another capability. Only the
// engine's own paths data and metadata tell the two apart.
func (s *Server) isNew(below string) bool {
	part, name, _ := strings.Cut(below, "/")
	if part != "data" && part != "metadata" {
		return false
	}
	return !s.exists(name)
}

func (s *Server) exists(name string) bool {
	if kv, ours := s.engine.(*KV); ours {
		kv.mu.Lock()
		defer kv.mu.Unlock()
		return kv.paths[name] != nil
	}
	status, data, _ := s.engine.Do(Request{Operation: "read", Path: "metadata/" + name})
	return status == http.StatusOK && data != nil
}

func fail(w http.ResponseWriter, status int, errs ...string) {
	if errs == nil {
		errs = []string{}
	}
	reply(w, status, map[string]any{"errors": errs})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Object is what the newest version of a path holds, as a consumer with the right to
// reads it; nil if nothing.
func (s *Server) Object(name string) map[string]any {
	_, data, _ := s.engine.Do(Request{Operation: "read", Path: "data/" + name})
	object, _ := data["data"].(map[string]any)
	return object
}

// Field is a field of it; empty if there is none.
func (s *Server) Field(name, field string) string {
	text, _ := s.Object(name)[field].(string)
	return text
}

// Put is what a person does with kv put.
func (s *Server) Put(name string, object map[string]any) {
	s.Do(Request{Operation: "update", Path: "data/" + name, Data: map[string]any{"data": object}})
}

// Do makes a request as somebody who may do everything.
func (s *Server) Do(r Request) (int, map[string]any, []string) { return s.engine.Do(r) }
