package httpsink_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/httpsink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
)

// example reads the one sink of a file in deploy/examples, at another address.
func example(t *testing.T, file, host, address string) httpsink.Settings {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "examples", file))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), host, address)
	if text == string(raw) {
		t.Fatalf("%s does not have %s", file, host)
	}
	var read struct {
		Sinks map[string]map[string]yaml.Node `yaml:"sinks"`
	}
	if err := yaml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	var s httpsink.Settings
	for _, section := range read.Sinks {
		c := &checker{}
		for _, o := range s.Options() {
			if node, ok := section[o.Name]; ok {
				if err := node.Decode(o.Into); err != nil {
					t.Fatal(err)
				}
				delete(section, o.Name)
				c.written = append(c.written, o.Name)
			}
		}
		delete(section, "kind")
		if _, ok := section["credential"]; ok {
			delete(section, "credential")
			c.written = append(c.written, "credential")
		}
		s.Check(c)
		if len(section) > 0 || len(c.failed) > 0 {
			t.Errorf("%s: unknown %v, wrong %v", file, section, c.failed)
		}
	}
	return s
}

// n8n has one credential. It merges what is sent as a part, and never shows the data.
type n8n struct {
	mu   sync.Mutex
	name string
	data map[string]string
}

func (n *n8n) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case r.Header.Get("X-N8N-API-KEY") != token:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path != "/api/v1/credentials/p1":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPatch:
		var in struct {
			Name    string            `json:"name"`
			Type    string            `json:"type"`
			Data    map[string]string `json:"data"`
			Partial bool              `json:"isPartialData"`
		}
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if d.Decode(&in) != nil || !in.Partial {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		n.name = in.Name
		for field, text := range in.Data {
			n.data[field] = text
		}
		fallthrough
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "p1", "name": n.name, "type": "httpHeaderAuth"})
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (n *n8n) has() secret.Value {
	n.mu.Lock()
	defer n.mu.Unlock()
	return secret.New(strings.TrimPrefix(n.data["value"], "Bearer "))
}

func TestExampleOfN8N(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) *sinktest.Place {
		there := &n8n{name: "Instantly", data: map[string]string{"name": "Authorization", "allowedHttpRequestDomains": "all"}}
		tap := &sinktest.Tap{Handler: there}
		server := httptest.NewServer(tap)
		t.Cleanup(server.Close)
		s := example(t, "sink-n8n.yaml", "https://n8n.example.com", server.URL)
		return &sinktest.Place{Open: func(t *testing.T) sink.Sink { return open(t, s, "p1") }, Has: there.has, Spoil: tap.Spoil}
	})
}

// vercel has one variable, which it shows with its value.
type vercel struct {
	mu   sync.Mutex
	vars map[string]string
}

func (v *vercel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path != "/v9/projects/my-project/env/p1":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPatch:
		in := map[string]string{}
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for field, text := range in {
			if field != "value" && field != "comment" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			v.vars[field] = text
		}
		fallthrough
	case r.Method == http.MethodGet:
		_, _ = fmt.Fprintf(w, `{"id": "p1", "key": "INSTANTLY_API_KEY", "type": "encrypted", "decrypted": true, "value": %q, "comment": %q}`, v.vars["value"], v.vars["comment"])
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (v *vercel) has() secret.Value {
	v.mu.Lock()
	defer v.mu.Unlock()
	return secret.New(v.vars["value"])
}

func TestExampleOfVercel(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) *sinktest.Place {
		there := &vercel{vars: map[string]string{"comment": "made by hand"}}
		tap := &sinktest.Tap{Handler: there}
		server := httptest.NewServer(tap)
		t.Cleanup(server.Close)
		s := example(t, "sink-vercel.yaml", "https://api.vercel.com", server.URL)
		return &sinktest.Place{Open: func(t *testing.T) sink.Sink { return open(t, s, "p1") }, Has: there.has, Spoil: tap.Spoil}
	})
}
