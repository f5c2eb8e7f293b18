// Package githubtest is a stand-in for what GitHub's API has of secrets and variables, with
// the shapes of its published description (2022-11-28). It holds state, and opens what it is sent
// with the private key that it made: what it has is what a workflow would.
package githubtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/nacl/box"
)

// Token is the one that it takes, beside those that it gives to an App.
const Token = "github_pat_test" //nolint:gosec // of a stand-in

// Server is one GitHub. Every path of secrets that is asked for is there.
type Server struct {
	// NoVariables: the token has no right to them.
	NoVariables bool
	// Limit answers 403 as a limit of requests does, with these headers, while it is not empty.
	Limit map[string]string
	// App is a GitHub App that may have tokens; nil: there is none.
	App *App

	mu        sync.Mutex
	clock     time.Time
	public    *[32]byte
	private   *[32]byte
	keyID     int
	secrets   map[string]*Secret
	variables map[string]string
	issued    []string
}

// Secret is one that is kept.
type Secret struct {
	Value      string
	Created    time.Time
	Updated    time.Time
	Visibility string
	Selected   []int64
}

// New makes one.
func New() *Server {
	s := &Server{clock: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), secrets: map[string]*Secret{}, variables: map[string]string{}}
	s.ReplaceKey()
	return s
}

// ReplaceKey has the public key be another one.
func (s *Server) ReplaceKey() {
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public, s.private = public, private
	s.keyID++
}

// Secret gives a secret by its path, "/repos/o/r/actions/secrets/NAME"; nil if there is none.
func (s *Server) Secret(path string) *Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.secrets[path]
	if !ok {
		return nil
	}
	copied := *found
	return &copied
}

// Put has a secret be something, as a person does.
func (s *Server) Put(path string, secret Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret.Created, secret.Updated = s.tick(), s.tick()
	s.secrets[path] = &secret
}

// Variable gives a variable by its path.
func (s *Server) Variable(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.variables[path]
}

// tick is a second later: the times that GitHub shows have whole ones.
func (s *Server) tick() time.Time {
	s.clock = s.clock.Add(time.Second)
	return s.clock
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	path := r.URL.EscapedPath()
	kind, name := kindOf(path)
	switch {
	case len(s.Limit) > 0:
		for header, text := range s.Limit {
			w.Header().Set(header, text)
		}
		fail(w, http.StatusForbidden, "API rate limit exceeded")
	case strings.HasPrefix(path, "/app/installations/"):
		s.giveToken(w, path, token)
	case token != Token && !slices.Contains(s.issued, token):
		fail(w, http.StatusUnauthorized, "Bad credentials")
	case r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || r.Header.Get("User-Agent") == "":
		fail(w, http.StatusBadRequest, "headers")
	case kind == "variables" && s.NoVariables:
		fail(w, http.StatusForbidden, "Resource not accessible by personal access token")
	case kind == "secrets" && name == "public-key" && r.Method == http.MethodGet:
		answer(w, http.StatusOK, map[string]any{"key_id": strconv.Itoa(s.keyID), "key": base64.StdEncoding.EncodeToString(s.public[:])})
	case kind == "secrets" && strings.HasSuffix(name, "/repositories") && r.Method == http.MethodGet:
		s.listSelected(w, r, strings.TrimSuffix(path, "/repositories"))
	case kind == "secrets" && r.Method == http.MethodGet:
		s.showSecret(w, path, name)
	case kind == "secrets" && r.Method == http.MethodPut:
		s.putSecret(w, r, path)
	case kind == "variables":
		s.variable(w, r, path, name)
	default:
		fail(w, http.StatusNotFound, "Not Found")
	}
}

// kindOf says what a path is of, and what follows.
func kindOf(path string) (kind, name string) {
	for _, kind := range []string{"secrets", "variables"} {
		if before, after, ok := strings.Cut(path, "/"+kind); ok && known(before, kind) {
			return kind, strings.TrimPrefix(after, "/")
		}
	}
	return "", ""
}

// known says whether there are such paths in the API.
func known(before, kind string) bool {
	parts := strings.Split(strings.TrimPrefix(before, "/"), "/")
	last := parts[len(parts)-1]
	user := last == "actions" || kind == "secrets" && (last == "dependabot" || last == "codespaces")
	switch parts[0] {
	case "orgs":
		return len(parts) == 3 && user
	case "repos":
		return len(parts) == 4 && user || len(parts) == 5 && parts[3] == "environments"
	default:
		return false
	}
}

func (s *Server) showSecret(w http.ResponseWriter, path, name string) {
	found, ok := s.secrets[path]
	if !ok {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	body := map[string]any{"name": name, "created_at": found.Created.Format(time.RFC3339), "updated_at": found.Updated.Format(time.RFC3339)}
	if strings.HasPrefix(path, "/orgs/") {
		body["visibility"] = found.Visibility
	}
	answer(w, http.StatusOK, body)
}

func (s *Server) listSelected(w http.ResponseWriter, r *http.Request, path string) {
	found, ok := s.secrets[path]
	if !ok || found.Visibility != "selected" {
		fail(w, http.StatusConflict, "not selected")
		return
	}
	per, page := 30, 1
	_, _ = fmt.Sscan(r.URL.Query().Get("per_page"), &per)
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
	repositories := []map[string]any{}
	for i := (page - 1) * per; i < page*per && i < len(found.Selected); i++ {
		repositories = append(repositories, map[string]any{"id": found.Selected[i], "name": "r"})
	}
	answer(w, http.StatusOK, map[string]any{"total_count": len(found.Selected), "repositories": repositories})
}

func (s *Server) putSecret(w http.ResponseWriter, r *http.Request, path string) {
	var in struct {
		Sealed     string            `json:"encrypted_value"`
		KeyID      string            `json:"key_id"`
		Visibility string            `json:"visibility"`
		Selected   []json.RawMessage `json:"selected_repository_ids"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	sealed, broken := base64.StdEncoding.DecodeString(in.Sealed)
	plain, opened := box.OpenAnonymous(nil, sealed, s.public, s.private)
	ids, fine := selected(in.Selected, strings.Contains(path, "/dependabot/"))
	switch {
	case err != nil, broken != nil, in.KeyID != strconv.Itoa(s.keyID), !opened, !fine:
		fail(w, http.StatusUnprocessableEntity, "not taken")
		return
	case strings.HasPrefix(path, "/orgs/") && !slices.Contains([]string{"all", "private", "selected"}, in.Visibility):
		fail(w, http.StatusUnprocessableEntity, "visibility")
		return
	}
	now, status := s.tick(), http.StatusNoContent
	found, there := s.secrets[path]
	if !there {
		found, status = &Secret{Created: now}, http.StatusCreated
		s.secrets[path] = found
	}
	found.Value, found.Updated, found.Visibility, found.Selected = string(plain), now, in.Visibility, ids
	w.WriteHeader(status)
}

// selected reads ids: numbers, or texts for Dependabot.
func selected(raw []json.RawMessage, texts bool) (ids []int64, ok bool) {
	for _, one := range raw {
		if quoted := one[0] == '"'; quoted != texts {
			return nil, false
		}
		var id int64
		if _, err := fmt.Sscan(strings.Trim(string(one), `"`), &id); err != nil {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

func (s *Server) variable(w http.ResponseWriter, r *http.Request, path, name string) {
	var in struct {
		Name       string `json:"name"`
		Value      string `json:"value"`
		Visibility string `json:"visibility"`
	}
	if r.Method != http.MethodGet {
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			fail(w, http.StatusUnprocessableEntity, "body")
			return
		}
	}
	_, there := s.variables[path]
	switch {
	case r.Method == http.MethodPost && name == "":
		made := path + "/" + in.Name
		if _, taken := s.variables[made]; taken || strings.HasPrefix(path, "/orgs/") && in.Visibility == "" {
			fail(w, http.StatusConflict, "Already exists")
			return
		}
		s.variables[made] = in.Value
		answer(w, http.StatusCreated, map[string]any{})
	case !there:
		fail(w, http.StatusNotFound, "Not Found")
	case r.Method == http.MethodPatch:
		s.variables[path] = in.Value
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet:
		answer(w, http.StatusOK, map[string]any{"name": name, "value": s.variables[path]})
	default:
		fail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller went away
}
