package all_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio/composiotest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/httpsink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

var update = flag.Bool("update", false, "write the table of calls down")

// scene is a sink on its stand-in, which has a key of ours already.
type scene struct {
	name     string
	service  http.Handler
	settings func(address string) sinkkind.Settings
	place    string
	secret   string
	// short makes a call's path shorter to read.
	short *strings.Replacer
	// why has the reason of each call, in their order: to learn what is there, to put a
	// key, to find out whether it works.
	holds, put, check []string
}

func scenes() []scene {
	account := &composiotest.Server{}
	account.Connect("ca_1", "Sales", "BEARER_TOKEN", map[string]string{"token": "old"})
	const readMark, unmark, mark = "the mark", "empties the mark: until the value is there, nothing is vouched for", "the mark, after the value"
	github := func(of string, marked bool) func(string) sinkkind.Settings {
		return func(address string) sinkkind.Settings {
			return &githubsecret.Settings{Address: address, For: of, Mark: marked, Visibility: "private"}
		}
	}
	public, write := "the key that the value is closed with", "the value"
	return []scene{
		{
			name: "composio", service: account, place: "ca_1", secret: composiotest.Key,
			settings: func(address string) sinkkind.Settings {
				return &composio.Settings{Address: address, Tool: "INSTANTLY_LIST_CAMPAIGNS", Arguments: `{"limit": 1}`}
			},
			short: strings.NewReplacer("/api/v3", ""),
			holds: []string{"the mark, in the alias"},
			put: []string{
				"the alias, and how the account is connected", unmark, "the time of the last change", "the value",
				"has it changed, and is no other value shown? Older deployments say yes and do nothing", mark,
			},
			check: []string{"the tool works with the key; once a key, since it is billed"},
		},
		{
			name: "github", service: githubtest.New(), place: "acme/web/KEY", secret: githubtest.Token, settings: github("actions", true),
			short: strings.NewReplacer("/repos/acme/web/actions", ""),
			holds: []string{readMark, "was the secret written by somebody else since?"},
			put:   []string{unmark, public, write, "the time at which it was written", mark},
		},
		{
			name: "github, of an organization", service: githubtest.New(), place: "acme/KEY", secret: githubtest.Token, settings: github("actions", true),
			short: strings.NewReplacer("/orgs/acme/actions", ""),
			holds: []string{readMark, "was the secret written by somebody else since?"},
			put:   []string{unmark, public, "who may read it: that stays", write, "the time at which it was written", mark},
		},
		{
			name: "github, without a mark", service: githubtest.New(), place: "acme/web/KEY", secret: githubtest.Token, settings: github("dependabot", false),
			short: strings.NewReplacer("/repos/acme/web/dependabot", ""),
			put:   []string{public, write},
		},
		{
			name: "http, with holds_url", service: &echo{}, place: "p1", secret: "token",
			settings: func(address string) sinkkind.Settings {
				return &httpsink.Settings{
					Method: http.MethodPatch, Address: address + "/{place}", Body: `{"value": "{key}", "comment": "key-id {id}"}`,
					HoldsAddress: address + "/{place}", HoldsAt: "/comment",
				}
			},
			short: strings.NewReplacer(),
			holds: []string{readMark}, put: []string{"the value and the mark"},
		},
	}
}

// echo keeps the one thing that it was sent.
type echo struct{ kept []byte }

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = w.Write(e.kept)
		return
	}
	e.kept = make([]byte, r.ContentLength)
	_, _ = r.Body.Read(e.kept)
}

// rows are the calls of a sink's scene, each with its reason.
func (s scene) rows(t *testing.T) []string {
	tap := &sinktest.Tap{Handler: s.service}
	server := httptest.NewServer(tap)
	defer server.Close()
	env := &storekind.Environment{}
	defer func() { _ = env.Close() }()
	opened, err := s.settings(server.URL).Open(t.Context(), env, sinkkind.Opening{
		Section: "s", Place: s.place, Target: "sending",
		Credential: func(context.Context, string) (secret.Value, error) { return secret.New(s.secret), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	put := func(id string) error { return opened.Put(t.Context(), id, secret.New("value of "+id)) }
	if err := put("k1"); err != nil {
		t.Fatal(err)
	}
	tap.Calls()
	var rows []string
	for _, step := range []struct {
		name string
		why  []string
		run  func() error
	}{
		{"holds", s.holds, func() error {
			if h, ok := opened.(sink.Holder); ok {
				_, err := h.Holds(t.Context())
				return err
			}
			return nil
		}},
		{"put", s.put, func() error { return put("k2") }},
		{"check", s.check, func() error {
			if c, ok := opened.(sink.Checker); ok {
				return c.Check(t.Context(), "k2")
			}
			return nil
		}},
	} {
		if err := step.run(); err != nil {
			t.Fatal(err)
		}
		calls := tap.Calls()
		if len(calls) != len(step.why) {
			t.Errorf("%s, %s: %d calls, %d reasons: %s", s.name, step.name, len(calls), len(step.why), strings.Join(calls, ", "))
			continue
		}
		for i, call := range calls {
			rows = append(rows, fmt.Sprintf("| `%s` | %s | `%s` | %s |", s.name, step.name, s.short.Replace(call), step.why[i]))
		}
	}
	return rows
}

// TestCallsOfARotationAtEachSink is the source of the table of calls: each has its reason.
func TestCallsOfARotationAtEachSink(t *testing.T) {
	lines := []string{"| sink | step | call | for |", "|---|---|---|---|"}
	for _, s := range scenes() {
		lines = append(lines, s.rows(t)...)
	}
	lines = append(lines, "| `program` | holds | `holds_command`, if there is one | the mark |", "| `program` | put | `command` | the value |")
	table := strings.Join(lines, "\n") + "\n"
	t.Log("\n" + table)
	path := filepath.Join("..", "calls.md")
	want := header + table
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("%s is not what is called; go test ./secretstore/sink/all -update writes it (-is +called)\n%s", path, diff)
	}
}

const header = `# What a rotation calls at each kind of sink

Written by a test, on stand-ins that hold state, of a second rotation: the first makes the mark. *put* is called once a
rotation and sink, *check* until it says yes, *holds* whenever the state of a target is read.

`

func TestEachKindIsWellFormed(t *testing.T) {
	taken := map[string]bool{}
	for _, k := range all.Kinds() {
		if k.Name == "" || k.Title == "" || taken[k.Name] {
			t.Errorf("kind %q, %q", k.Name, k.Title)
		}
		taken[k.Name] = true
		options := map[string]bool{"kind": true}
		s := k.Settings()
		for _, o := range s.Options() {
			if o.Doc == "" || o.Into == nil || options[o.Name] {
				t.Errorf("%s: option %q", k.Name, o.Name)
			}
			options[o.Name] = true
		}
		for _, c := range s.Credentials() {
			if c.Doc == "" || c.Word == "" || c.EnvExample == "" || c.FileExample == "" || options[c.Name] {
				t.Errorf("%s: credential %q", k.Name, c.Name)
			}
			options[c.Name] = true
		}
	}
}
