package instantly_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func TestKnownScopesAreTheVendors(t *testing.T) {
	known := instantly.KnownScopes()
	if len(known) != 178 {
		t.Errorf("%d scopes", len(known))
	}
	path := os.Getenv("INSTANTLY_SCOPES")
	if path == "" {
		t.Skip("INSTANTLY_SCOPES is not set: the scopes are counted, but not compared with the vendor's list")
	}
	list, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Fields(string(list)), known); diff != "" {
		t.Error(diff)
	}
}

func TestScopeSyntax(t *testing.T) {
	for _, s := range append(instantly.KnownScopes(), "new_thing:peek", "a1-b_c:d2") {
		if got, err := instantly.ParseScope(s); err != nil || got.String() != s {
			t.Errorf("%q: %v, error %v", s, got, err)
		}
	}
	for _, s := range []string{"", ":", "a", "a:", ":b", "a:b:c", "A:b", "a:B", " a:b", "a:b ", "a b:c", "a.b:c", "é:b", "*:*", "-a:b", "a:1"} {
		if got, err := instantly.ParseScope(s); err == nil {
			t.Errorf("%q is read as %+v", s, got)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		granted, wanted string
		want            bool
	}{
		{"campaigns:read", "campaigns:read", true},
		{"campaigns:all", "campaigns:read", true},
		{"all:read", "campaigns:read", true},
		{"all:all", "campaigns:read", true},
		{"all:all", "all:read", true},
		{"all:all", "campaigns:all", true},
		{"leads:read campaigns:all", "campaigns:delete", true},
		{"all:read", "campaigns:update", false},
		{"campaigns:read", "campaigns:all", false},
		{"campaigns:read", "all:read", false},
		{"campaigns:all", "all:all", false},
		{"campaigns:create campaigns:read campaigns:update campaigns:delete", "campaigns:all", false},
		{"leads:all", "lead_lists:read", false},
		{"", "leads:read", false},
		{"all:all", "nonsense", false},
		{"nonsense", "nonsense", true},
		{"nonsense", "leads:read", false},
	} {
		if got := instantly.Covers(strings.Fields(tc.granted), tc.wanted); got != tc.want {
			t.Errorf("%q covers %q: %v", tc.granted, tc.wanted, got)
		}
	}
}

func TestCoversAllWantsEveryOne(t *testing.T) {
	granted := []string{"leads:all", "all:read"}
	if !instantly.CoversAll(granted, []string{"leads:update", "campaigns:read"}) || !instantly.CoversAll(granted, nil) {
		t.Error("covered scopes are not seen so")
	}
	if instantly.CoversAll(granted, []string{"leads:update", "campaigns:update"}) {
		t.Error("a scope that is not covered is not noticed")
	}
}

func TestRiskTable(t *testing.T) {
	for _, tc := range []struct {
		scopes string
		want   instantly.Risk
	}{
		{"", instantly.Low},
		{"campaigns:read leads:read", instantly.Low},
		{"invented:read", instantly.Low},
		{"leads:update", instantly.Medium},
		{"leads:update leads:create leads:delete campaigns:read", instantly.Medium},
		{"invented:peek", instantly.Medium},
		{"leads:all", instantly.High},
		{"leads:all leads:update", instantly.High},
		{"leads:update campaigns:create", instantly.High},
		{"invented:all", instantly.High},
		{"all:read", instantly.Critical},
		{"leads:read all:create", instantly.Critical},
		{"all:all", instantly.Critical},
		{"api_keys:read", instantly.Critical},
		{"leads:all api_keys:delete", instantly.Critical},
		{"nonsense", instantly.Critical},
	} {
		if got := instantly.RiskOf(strings.Fields(tc.scopes)); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.scopes, got, tc.want)
		}
	}
}

func TestNearestScope(t *testing.T) {
	for s, want := range map[string]string{
		"campaigns:read":               "campaigns:read",
		"campaign:read":                "campaigns:read",
		"lead_labels:read":             "lead-labels:read",
		"background_jobs:all":          "background-jobs:all",
		"leads:raed":                   "leads:read",
		"inbox_tests:read":             "inbox_placement_tests:read",
		"inbox_tests:all":              "inbox_placement_tests:all",
		"analytics:read":               "", // a guide has it; what it stands for, nobody says
		"Campaigns.Read":               "campaigns:read",
		"ai_sdr:reply":                 "",
		"leads:write":                  "",
		"tags:read":                    "",
		"lead:delete":                  "leads:delete",
		"webhook:creat":                "webhooks:create",
		"supersearch_enrichments:read": "",
		"":                             "",
		"x":                            "",
	} {
		got, ok := instantly.NearestScope(s)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", s, got, ok, want)
		}
	}
}

func TestCheckScopes(t *testing.T) {
	warnings, err := instantly.CheckScopes([]string{"leads:read", "inbox_tests:read", "supersearch_enrichments:all", "leads:read"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`scope "inbox_tests:read" is not in the vendor's list of scopes; did you mean "inbox_placement_tests:read"?`,
		`scope "supersearch_enrichments:all" is not in the vendor's list of scopes`,
		`scope "leads:read" is named twice`,
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestCheckScopesNamesEveryWrongOne(t *testing.T) {
	_, err := instantly.CheckScopes([]string{"Leads:read", "leads:read", "leads"})
	want := "scope \"Leads:read\": not of the form resource:action in lower case\nscope \"leads\": not of the form resource:action in lower case"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
