package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	keysPath  = "/api/v2/api-keys"
	adminText = "the-admin-key-of-acme"
)

// acme is a workspace whose admin may do everything.
func acme() sandbox.Workspace {
	return sandbox.Workspace{
		ID: sandbox.DefaultWorkspaceID, Name: "Acme",
		AdminKey: secret.New(adminText), AdminScopes: []string{"all:all"},
	}
}

func unlimited() sandbox.RateLimit { return sandbox.RateLimit{PerSecond: -1, PerMinute: -1} }

// client calls a sandbox as one program would.
type client struct {
	t    *testing.T
	http *http.Client
	base string
	key  string
	head map[string]string
}

// inProcess gives a new sandbox with workspace acme and a client of its admin.
func inProcess(t *testing.T, o sandbox.Options) (*sandbox.Server, client) {
	t.Helper()
	if o.Workspaces == nil {
		o.Workspaces = []sandbox.Workspace{acme()}
	}
	srv := sandbox.New(o)
	return srv, clientOf(t, srv)
}

func clientOf(t *testing.T, srv *sandbox.Server) client {
	return client{t: t, http: &http.Client{Transport: sandbox.Transport(srv)}, base: "http://sandbox.test", key: adminText}
}

// overSocket gives the same sandbox's client over a real connection.
func overSocket(t *testing.T, srv *sandbox.Server) client {
	t.Helper()
	listener := httptest.NewServer(srv)
	t.Cleanup(listener.Close)
	return client{t: t, http: listener.Client(), base: listener.URL, key: adminText}
}

func (c client) as(key string) client { c.key = key; return c }

func (c client) with(name, value string) client {
	head := map[string]string{name: value}
	for n, v := range c.head {
		if n != name {
			head[n] = v
		}
	}
	c.head = head
	return c
}

// answer is what came back; err stands for a call that was not answered.
type answer struct {
	status int
	header http.Header
	text   string
	err    error
}

// send makes a call. A body goes out as JSON.
func (c client) send(method, path, body string) answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "sandbox-test/1.0")
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.head {
		r.Header.Set(name, value)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, text: string(text), err: err}
}

func (c client) get(path string) answer { c.t.Helper(); return c.send(http.MethodGet, path, "") }

func (c client) del(id string) answer {
	c.t.Helper()
	return c.send(http.MethodDelete, keysPath+"/"+id, "")
}

func (c client) post(body string) answer {
	c.t.Helper()
	return c.send(http.MethodPost, keysPath, body)
}

// create makes a key that has to succeed.
func (c client) create(name string, scopes ...string) apiKey {
	c.t.Helper()
	body, _ := json.Marshal(map[string]any{"name": name, "scopes": append([]string{}, scopes...)})
	a := c.post(string(body))
	wantStatus(c.t, a, http.StatusOK)
	return decode[apiKey](c.t, a)
}

// apiKey is a key as a client reads it.
type apiKey struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Scopes         []string  `json:"scopes"`
	Key            string    `json:"key"`
	OrganizationID string    `json:"organization_id"`
	Created        time.Time `json:"timestamp_created"`
}

// listPage is a page of any list.
type listPage[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_starting_after"`
}

// apiError is an error as a client reads it.
type apiError struct {
	StatusCode int    `json:"statusCode"`
	Code       string `json:"code"`
	Error      string `json:"error"`
	Message    string `json:"message"`
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		t.Fatalf("decode %q: %v", a.text, err)
	}
	return v
}

func wantStatus(t *testing.T, a answer, status int) {
	t.Helper()
	if a.err != nil || a.status != status {
		t.Fatalf("got status %d, error %v, body %s; want status %d", a.status, a.err, a.text, status)
	}
}

// wantError expects an error of the API with that text.
func wantError(t *testing.T, a answer, status int, message string) {
	t.Helper()
	wantStatus(t, a, status)
	got := decode[apiError](t, a)
	if got.StatusCode != status || got.Error != http.StatusText(status) || got.Message != message {
		t.Fatalf("got %+v; want status %d, message %q", got, status, message)
	}
}

// wantLost expects a call whose connection ended without an answer.
func wantLost(t *testing.T, a answer) {
	t.Helper()
	if !errors.Is(a.err, io.ErrUnexpectedEOF) && !errors.Is(a.err, io.EOF) {
		t.Fatalf("got status %d, error %v, body %s; want a lost connection", a.status, a.err, a.text)
	}
}

func names[T any](items []T, nameOf func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, nameOf(item))
	}
	return all
}

func keyName(k apiKey) string { return k.Name }
