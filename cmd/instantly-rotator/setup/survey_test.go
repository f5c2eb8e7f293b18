package setup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/setup"
)

const file = "/etc/rotator/config.yaml"

// hostile texts are typed where a name, a path or a reason is asked for.
func hostile() []string {
	return []string{
		"no", "true", "null", "~", "1e3", "0x1f", "2026-11-28", "12:30", "-", "*a", "&a", "!x", "a: b", "a #b", "#", "'", `"`, `\`, "a'b\"c",
		"{a", "[a", "%x", "@x", "`x`", "|", ">", "? x", ": x", "a:", " a", "a\nb", "a\n  evil: true", "a\u2028b", "a\u0085b", "\x00", "\x1b[2J",
		"é", "日本", "😀", "\xff", strings.Repeat("x", 300), "---", "...", "<<", "=",
	}
}

// drawn gives one of the good texts, or seldom a hostile one.
func drawn(t *rapid.T, label string, good ...string) (text string, isGood bool) {
	if rapid.IntRange(0, 7).Draw(t, label+" hostile?") == 0 {
		return rapid.SampledFrom(hostile()).Draw(t, label), false
	}
	return rapid.SampledFrom(good).Draw(t, label), true
}

// survey takes flags only, and calls nobody.
func survey(given setup.Given) setup.Survey {
	given.Offline = true
	return setup.Survey{File: file, Given: given, Getenv: func(string) string { return "" }, Now: time.Now}
}

// TestEveryFileIsAcceptedAndSaysWhatWasAnswered: whatever is answered, the answer is
// refused, or the file is accepted and means it.
func TestEveryFileIsAcceptedAndSaysWhatWasAnswered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		allGood := true
		one := func(label string, good ...string) string {
			text, isGood := drawn(t, label, good...)
			allGood = allGood && isGood
			return text
		}
		kind := rapid.SampledFrom(setup.KindNames()).Draw(t, "kind")
		options := map[string][][2]string{
			"file":       {{"path", one("path", "./store", "/var/lib/rotator", "a b/ünïcode", "it's #1", "no", "2026-11-28")}},
			"aws":        {{"region", "eu-west-1"}, {"profile", one("profile", "default", "no", "it's: #1")}, {"create_missing", one("create", "yes", "true")}, {"tags", "team=sales,no=yes"}},
			"gcp":        {{"project", one("project", "my-project-123", "123456789012")}, {"replication", one("replication", "automatic", "europe-west1,europe-west3")}, {"keep_versions", one("keep", "0", "7")}},
			"kubernetes": {{"namespace", one("namespace", "growth", "no", "123")}, {"context", one("context", "production", "true", "a: b")}},
			"vault":      {{"address", one("address", "https://vault.example.com:8200", "http://127.0.0.1:8200")}, {"mount", one("mount", "secret", "no", "123")}},
		}[kind]
		if kind == "aws" {
			options = append(options, [2]string{"assume_role.arn", "arn:aws:iam::111122223333:role/rotator"}, [2]string{"assume_role.external_id", one("external id", "acme", "0123")})
		}
		name, scopes := one("key", "sending", "no", "123", "1e3"), one("scopes", "campaigns:read", "leads:update,campaigns:all", "analytics", "webhook-handler", "api_keys:read")
		secret := one("secret", "prod", "sending-1")
		adminPlace := rapid.SampledFrom([]string{"env", "file", "store"}).Draw(t, "place")
		admin := one("admin key", map[string][]string{
			"env": {"INSTANTLY_ADMIN_KEY", "no"}, "file": {"/run/secrets/key", "a b", "it's #1", "no"}, "store": {"admin", "123"},
		}[adminPlace]...)
		given := setup.Given{
			Store: kind, AdminKey: adminPlace + ":" + admin,
			Keys: []string{name + "=" + scopes}, Secrets: []string{name + "=" + secret},
			Workspace: one("workspace", "main", "no", "2026-11-28", "123"), Organization: one("organization", "01980000-0000-7000-8000-00000000acee", "123"),
			AsWorkspace: one("sub workspace", "0198", "true"), BaseURL: one("base url", "https://api.instantly.ai", "http://127.0.0.1:8086"),
		}
		given.RotateAdminKey = adminPlace == "store" && rapid.Bool().Draw(t, "rotated")
		reason := one("reason", "it copies everything: #1", "no", "\"yes\"")
		if scopes == "api_keys:read" {
			given.Reasons = []string{name + "=" + reason}
		}
		for _, o := range options {
			given.Options = append(given.Options, o[0]+"="+o[1])
		}
		s := survey(given)
		got, err := s.Run(t.Context())
		if err != nil {
			if allGood {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		text, err := got.Answers.Text()
		if err != nil {
			t.Fatal(err)
		}
		cfg, _, err := config.Parse(file, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		wantMeaning(t, cfg, given, options, adminPlace, admin, name, scopes, secret, reason)
	})
}

func wantMeaning(t *rapid.T, cfg *config.Config, given setup.Given, options [][2]string, adminPlace, admin, name, scopes, secret, reason string) {
	t.Helper()
	store := given.Store
	if store == "file" {
		store = "local"
	}
	targets := 1
	if given.RotateAdminKey {
		targets++
	}
	if len(cfg.Workspaces) != 1 || len(cfg.Stores) != 1 || len(cfg.Keys) != targets {
		t.Fatalf("more or less than was answered: %+v", cfg)
	}
	w := cfg.Workspaces[given.Workspace]
	ref := map[string]config.SecretRef{"env": {Env: admin}, "file": {File: w.AdminKey.File}, "store": {Store: store, Secret: admin}}[adminPlace]
	if w.AdminKey != ref || adminPlace == "file" && !strings.HasSuffix(w.AdminKey.File, strings.TrimPrefix(admin, "./")) {
		t.Errorf("admin key: %+v, want %s %q", w.AdminKey, adminPlace, admin)
	}
	if w.OrganizationID != given.Organization || w.AsWorkspace != given.AsWorkspace || w.BaseURL != given.BaseURL {
		t.Errorf("workspace: %+v, want %+v", w, given)
	}
	k := cfg.Keys[targets-1] // the admin key is the first
	want := config.StoreRef{Store: store, Secret: secret}
	if k.Name != name || k.Workspace != given.Workspace || !slices.Equal(k.Stores, []config.StoreRef{want}) {
		t.Errorf("key: %+v, want %s in %+v", k, name, want)
	}
	wanted := strings.Split(scopes, ",")
	for _, u := range setup.UseCases() {
		if u.Name == scopes {
			wanted = u.Scopes
		}
	}
	if !slices.Equal(k.Scopes, wanted) || k.AllowCriticalScopes != "" && k.AllowCriticalScopes != reason {
		t.Errorf("scopes: %q because %q, want %q because %q", k.Scopes, k.AllowCriticalScopes, wanted, reason)
	}
	said := fmt.Sprintf("%+v", cfg.Stores[store].Settings)
	for _, o := range options {
		if literal := o[0] != "create_missing" && o[0] != "tags" && o[0] != "replication"; literal && !strings.Contains(said, o[1]) && !strings.Contains(said, strings.TrimPrefix(o[1], "./")) {
			t.Errorf("store: %s lacks %s: %s", said, o[0], o[1])
		}
	}
}

// TestWhatOthersWroteStaysInItsComment: names of workspaces and keys come from Instantly.
func TestWhatOthersWroteStaysInItsComment(t *testing.T) {
	for _, name := range hostile() {
		a := setup.Answers{
			Workspace: setup.Workspace{Name: "main", AdminKey: config.SecretRef{Env: "KEY"}, OrganizationID: "0198", About: "Workspace " + name, Subs: []string{name}},
			Store:     setup.Store{Kind: "file", Settings: []setup.Setting{{"path", "./store"}}},
			Keys:      []setup.Key{{Name: "sending", Scopes: []string{"leads:read"}, For: name}},
		}
		cfg, warnings, err := a.Config(file)
		if err != nil || len(warnings) > 0 || len(cfg.Workspaces) != 1 || len(cfg.Keys) != 1 {
			t.Errorf("%q: %v, %v", name, err, warnings)
		}
		text, _ := a.Text()
		if strings.ContainsAny(string(text), "\x00\x1b\u2028\u0085") {
			t.Errorf("%q is in the file as it is", name)
		}
	}
}

// typed are the answers of a person, a line each.
func typed(lines ...string) *setup.Person {
	return setup.At(strings.NewReader(strings.Join(lines, "\n")+"\n"), io.Discard)
}

func TestQuestionsAndFlagsMakeTheSameFile(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		given setup.Given
	}{
		"all defaults": {
			lines: []string{"", "", "", "", "", "", ""},
			given: setup.Given{Store: "file", AdminKey: "env:INSTANTLY_ADMIN_KEY", Keys: []string{"analytics=analytics"}},
		},
		"a wrong answer is asked for again": {
			lines: []string{"redis", "aws", "Europe", "eu-west-1", "perhaps", "y", "sk-4711", "store:admin", "y", "Main", "acme", "campaign:read!", "leads:update", "Sending", "sending", "a b", "prod/sending", "-"},
			given: setup.Given{
				Store: "aws", Options: []string{"region=eu-west-1", "create_missing=y"}, AdminKey: "store:admin", RotateAdminKey: true, Workspace: "acme",
				Keys: []string{"sending=leads:update"}, Secrets: []string{"sending=prod/sending"},
			},
		},
		"a critical key needs its reason": {
			lines: []string{"gcp", "my-project-123", "", "file:/run/key", "", "all:read", "it copies everything", "copy", "copy", "webhook-handler", "", "", "-"},
			given: setup.Given{
				Store: "gcp", Options: []string{"project=my-project-123"}, AdminKey: "file:/run/key",
				Keys: []string{"copy=all:read", "webhook-handler=webhook-handler"}, Reasons: []string{"copy=it copies everything"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := survey(setup.Given{})
			asked.Person = typed(c.lines...)
			said := survey(c.given)
			byQuestions, err := asked.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			byFlags, err := said.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(textOf(t, byFlags.Answers), textOf(t, byQuestions.Answers)); d != "" {
				t.Errorf("flags and questions differ: %s", d)
			}
		})
	}
}

func textOf(t *testing.T, a setup.Answers) string {
	t.Helper()
	text, err := a.Text()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhoEndsBeforeTheLastQuestionIsToldSo(t *testing.T) {
	s := survey(setup.Given{})
	s.Person = typed("file", "")
	if _, err := s.Run(t.Context()); !errors.Is(err, setup.ErrEnded) {
		t.Errorf("error %v", err)
	}
}

func TestAPersonWhoInterruptsIsNotAskedOn(t *testing.T) {
	s := survey(setup.Given{})
	in, _ := io.Pipe() // nobody ever types
	s.Person = setup.At(in, io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
