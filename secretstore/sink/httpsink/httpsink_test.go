package httpsink_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/httpsink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

var value = secret.New(`Zq8L"new\key` + "-0000-1111-wK4v")

const token = "their-own-token"

// service keeps objects under its paths, as many interfaces do.
type service struct {
	mu      sync.Mutex
	objects map[string]map[string]any
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	object, there := s.objects[r.URL.Path]
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodGet && !there:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []any{object}})
	default:
		changed := map[string]any{}
		if json.NewDecoder(r.Body).Decode(&changed) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.objects[r.URL.Path] = changed
		_ = json.NewEncoder(w).Encode(changed) // it repeats the value
	}
}

func (s *service) text(path, field string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := s.objects[path][field].(string)
	return text
}

func open(t *testing.T, s httpsink.Settings, place string) sink.Sink {
	t.Helper()
	env := &storekind.Environment{}
	t.Cleanup(func() { _ = env.Close() })
	opened, err := s.Open(t.Context(), env, sinkkind.Opening{
		Section: "push", Place: place, Target: "sending",
		Credential: func(context.Context, string) (secret.Value, error) { return secret.New(token), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func settings(base string) httpsink.Settings {
	return httpsink.Settings{
		Method: http.MethodPut, Address: base + "/credentials/{place}", HoldsAddress: base + "/credentials/{place}", HoldsAt: "/items/0/comment",
		Headers: map[string]string{"Authorization": "Bearer {credential}"},
		Body:    `{"value": "{key}", "comment": "of {target}, key-id {id}"}`,
	}
}

func TestRequestKeepsTheContractOfSinks(t *testing.T) {
	for _, tells := range []bool{true, false} {
		sinktest.Run(t, func(t *testing.T) *sinktest.Place {
			there := &service{objects: map[string]map[string]any{}}
			tap := &sinktest.Tap{Handler: there}
			server := httptest.NewServer(tap)
			t.Cleanup(server.Close)
			s := settings(server.URL)
			if !tells {
				s.HoldsAddress, s.HoldsAt = "", ""
			}
			return &sinktest.Place{
				Open:  func(t *testing.T) sink.Sink { return open(t, s, "a/b") },
				Has:   func() secret.Value { return secret.New(there.text("/credentials/a/b", "value")) },
				Spoil: tap.Spoil,
			}
		})
	}
}

func TestRedirectIsNotFollowedWithAKey(t *testing.T) {
	var followed bool
	mux := http.NewServeMux()
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed = true })
	mux.HandleFunc("/credentials/secret-path", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	err := open(t, settings(server.URL), "secret-path").Put(t.Context(), "k1", value)
	if followed || !errors.Is(err, secretstore.ErrUnfit) || !strings.Contains(err.Error(), "redirect") {
		t.Errorf("followed %t: %v", followed, err)
	}
	if strings.Contains(err.Error(), "/credentials/") {
		t.Errorf("the path is told: %v", err)
	}
}

// TestHeadersArriveAsTheyAreWritten: a gateway on this machine goes by the host, a firewall
// lets only those through who say who they are.
func TestHeadersArriveAsTheyAreWritten(t *testing.T) {
	for written, want := range map[string]string{"": "127.0.0.1 instantly-rotator ", "x": "crm.internal acme-bot/2 7"} {
		var got []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, _, _ := strings.Cut(r.Host, ":")
			got = append(got, host+" "+r.UserAgent()+" "+r.Header.Get("X-Team"))
			_, _ = w.Write([]byte("{}"))
		}))
		s := settings(server.URL)
		if written != "" {
			s.Headers = map[string]string{"host": "crm.internal", "User-Agent": "acme-bot/2", "x-team": "7"}
		}
		opened := open(t, s, "p")
		if err := opened.Put(t.Context(), "k1", value); err != nil {
			t.Fatal(err)
		}
		if _, err := opened.(sink.Holder).Holds(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("what arrived was %q, want %q twice", got, want)
		}
		server.Close()
	}
}

func TestMarkIsTheEndOfAText(t *testing.T) {
	for comment, want := range map[string]string{
		"k1": "", "of sending, key-id k1": "k1", "key-id k1": "k1", "": "", "somebody's own comment": "", "key-id k1 (old)": "",
	} {
		there := &service{objects: map[string]map[string]any{"/credentials/p": {"comment": comment}}}
		server := httptest.NewServer(there)
		held, err := open(t, settings(server.URL), "p").(sink.Holder).Holds(t.Context())
		if held != want || err != nil {
			t.Errorf("%q: holds %q, %v", comment, held, err)
		}
		server.Close()
	}
}

// checker notes what is wrong.
type checker struct {
	written []string
	failed  []string
}

func (c *checker) Written(option string) bool {
	for _, w := range c.written {
		if w == option {
			return true
		}
	}
	return false
}
func (c *checker) Failed(string) bool                 { return false }
func (c *checker) Fail(option, _, _ string, _ ...any) { c.failed = append(c.failed, option) }
func (c *checker) Quote(text string) string           { return text }
func (c *checker) LooksSecret(text string) bool {
	return strings.HasPrefix(text, "sk_live") || strings.HasPrefix(text, "Bearer ")
}

func TestSettingsThatWouldLoseAKeyAreRefused(t *testing.T) {
	all := []string{"url", "body", "headers", "credential"}
	for what, c := range map[string]struct {
		change  func(*httpsink.Settings)
		written []string
		want    string
	}{
		"plain http":            {func(s *httpsink.Settings) { s.Address = "http://example.com/x" }, all, "url"},
		"key in the address":    {func(s *httpsink.Settings) { s.Address = "https://example.com/?key={key}" }, all, "url"},
		"host from a place":     {func(s *httpsink.Settings) { s.Address = "https://{place}/x" }, all, "url"},
		"user in the address":   {func(s *httpsink.Settings) { s.Address = "https://u:p@example.com/x" }, all, "url"},
		"no key":                {func(s *httpsink.Settings) { s.Body = `{"value": ""}` }, all, "body"},
		"key without quotes":    {func(s *httpsink.Settings) { s.Body = `{"value": {key}}` }, all, "body"},
		"no JSON":               {func(s *httpsink.Settings) { s.Body = `value={key}` }, all, "body"},
		"secret in a header":    {func(s *httpsink.Settings) { s.Headers = map[string]string{"X": "sk_live", "Y": "{credential}"} }, all, "headers"},
		"credential not used":   {func(s *httpsink.Settings) { s.Headers = nil }, all, "credential"},
		"credential not there":  {func(*httpsink.Settings) {}, all[:3], "credential"},
		"mark not written":      {func(s *httpsink.Settings) { s.Body = `{"value": "{key}"}` }, append([]string{"holds_url", "holds_at"}, all...), "holds_at"},
		"mark without its path": {func(*httpsink.Settings) {}, append([]string{"holds_at"}, all...), "holds_url"},
		"another host":          {func(s *httpsink.Settings) { s.HoldsAddress = "https://example.org/x" }, append([]string{"holds_url", "holds_at"}, all...), "holds_url"},
		"nothing":               {func(*httpsink.Settings) {}, all, ""},
	} {
		s := settings("https://example.com")
		c.change(&s)
		found := &checker{written: c.written}
		s.Check(found)
		if got := strings.Join(found.failed, " "); got != c.want {
			t.Errorf("%s: failed %q, want %q", what, got, c.want)
		}
	}
}
