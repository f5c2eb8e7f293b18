package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// faulty is a world with something of each severity, of which some is accepted.
func faulty(t *testing.T) *world {
	w := newWorld(t)
	w.addKey(time.Hour, "zapier", "all:all")
	w.addKey(100*day, "n8n|`x`", "leads:read")
	w.addKey(time.Hour, "new", "leads:read")
	w.source(true) // which is no repository
	w.write("source/a b/ü.txt", "\n"+w.value("sending").Reveal())
	w.more = `audit:
  accept:
    - {check: KEY-01, subject: key zapier, reason: "Zapier has no other", until: 2999-12-31}
    - {check: KEY-02, subject: key new, reason: "it was new", until: 2020-01-31}
    - {check: KEY-02, subject: key gone, reason: "it is gone", until: 2999-12-31}
    - {check: KEY-99, subject: "*", reason: "misspelt", until: 2999-12-31}
`
	return w
}

func find(r audit.Report, check, subject string) audit.Finding {
	i := slices.IndexFunc(r.Findings, func(f audit.Finding) bool { return f.Check == check && f.Subject == subject })
	if i < 0 {
		return audit.Finding{}
	}
	return r.Findings[i]
}

func TestAnExceptionAcceptsUntilItEnds(t *testing.T) {
	r := faulty(t).audit()
	zapier := find(r, "KEY-01", "key zapier")
	if zapier.Accepted == nil || zapier.Accepted.Reason != "Zapier has no other" || zapier.Counts() {
		t.Errorf("not accepted: %+v", zapier)
	}
	if found := find(r, "KEY-02", "key new"); found.Accepted != nil || !found.Counts() || !strings.Contains(found.Said(), "it was accepted until 2020-02-01 00:00Z: it was new") {
		t.Errorf("not back after its end: %s", found.Said())
	}
	if other := find(r, "KEY-02", "key zapier"); other.Accepted != nil {
		t.Errorf("another check's finding is accepted: %+v", other)
	}
	want := []string{"KEY-02: key gone: nothing is found that it could accept", "KEY-99: *: there is no such check"}
	if diff := cmp.Diff(want, r.Unused); diff != "" {
		t.Errorf("exceptions that accept nothing (-want +got):\n%s", diff)
	}
}

func TestFailOnGoesByTheWorstThatNobodyAccepted(t *testing.T) {
	for _, c := range []struct {
		finding audit.Finding
		fails   []audit.Severity
	}{
		{audit.Finding{Severity: audit.High}, []audit.Severity{audit.High, audit.Medium, audit.Low}},
		{audit.Finding{Severity: audit.Medium}, []audit.Severity{audit.Medium, audit.Low}},
		{audit.Finding{Severity: audit.Low}, []audit.Severity{audit.Low}},
		{audit.Finding{Severity: audit.NotKnown}, []audit.Severity{audit.High, audit.Medium, audit.Low}},
		{audit.Finding{Severity: audit.NotKnown, Follows: "KEY-01"}, nil},
		{audit.Finding{Severity: audit.Note}, nil},
		{audit.Finding{Severity: audit.High, Accepted: &audit.Accepted{}}, nil},
	} {
		r := audit.Report{Findings: []audit.Finding{c.finding}}
		for _, on := range []audit.Severity{audit.High, audit.Medium, audit.Low} {
			if got := r.Failed(on); got != slices.Contains(c.fails, on) {
				t.Errorf("%+v with --fail-on %s: %v", c.finding, on, got)
			}
		}
	}
}

func TestOnlyWhatIsNewIsNew(t *testing.T) {
	var m audit.Memory
	old := audit.Finding{Check: "KEY-02", Severity: audit.Low, Subject: "key n8n", Text: "it is 89d old"}
	step := func(why string, wantFirst bool, want []string, findings ...audit.Finding) {
		t.Helper()
		found, first := m.New(audit.Report{Findings: findings})
		var got []string
		for _, f := range found {
			got = append(got, f.Subject)
		}
		if first != wantFirst || !slices.Equal(got, want) {
			t.Errorf("%s: new is %q, want %q; first: %v", why, got, want, first)
		}
	}
	step("none before", true, []string{"key n8n"}, old)
	older := old
	older.Text = "it is 90d old"
	step("the same, a day later", false, nil, older)
	step("another one", false, []string{"key zapier"}, older, audit.Finding{Check: "KEY-02", Severity: audit.Low, Subject: "key zapier"})
	older.Severity = audit.Medium
	step("the same, but worse", false, []string{"key n8n"}, older)
	step("accepted and notes", false, nil, older, audit.Finding{Check: "KEY-01", Severity: audit.Note, Subject: "x"},
		audit.Finding{Check: "KEY-01", Severity: audit.High, Subject: "y", Accepted: &audit.Accepted{}})
	step("an outage", false, nil, audit.Finding{Check: "KEY-02", Severity: audit.NotKnown, Subject: "workspace main"})
	step("after the outage", false, nil, older)
	step("mended", false, nil)
	step("back", false, []string{"key n8n"}, older)
}

// The schema is the one that OASIS publishes for version 2.1.0, with errata 01.
func TestSarifIsValid(t *testing.T) {
	text, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]*world{"with findings": faulty(t), "with none": newWorld(t)} {
		out, err := json.Marshal(w.audit().Sarif("v1.0.0", "deploy/config.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		written, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(written); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "with findings" {
			for _, want := range []string{`"level":"error"`, `"kind":"open","level":"none"`, `"suppressions":[{"kind":"external","justification":"Zapier has no other"}]`, `/a%20b/%C3%BC.txt"},"region":{"startLine":2}`, `"uri":"deploy/config.yaml"`} {
				if !strings.Contains(string(out), want) {
					t.Errorf("%s is not in %s", want, out)
				}
			}
		}
	}
}

func TestMarkdownHasEveryFindingOnceAndNoNameBreaksIt(t *testing.T) {
	r := faulty(t).audit()
	var b strings.Builder
	if err := r.Markdown(&b, "v1.0.0", "config.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.ID != "" && !strings.Contains(b.String(), f.ID) {
			t.Errorf("%s is missing", f.Named())
		}
	}
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "n8n") && !strings.Contains(line, "n8n\\|\\`x\\`") {
			t.Errorf("a name breaks the table: %s", line)
		}
	}
	for _, want := range []string{"## High\n", "## Accepted\n", "| KEY-01 | key zapier", "Zapier has no other", "## Not known\n", "## Checks\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, &b)
		}
	}
}

func TestNoSecretIsInAReport(t *testing.T) {
	w := faulty(t)
	w.put("reporting", w.value("sending"))
	var secrets []string
	for _, k := range w.api.Keys(sandbox.DefaultWorkspaceID) {
		secrets = append(secrets, k.Value.Reveal())
	}
	secrets = append(secrets, w.value("sending").Reveal(), w.value("admin").Reveal())
	r := w.audit()
	var markdown strings.Builder
	w.must(r.Markdown(&markdown, "v1", "c"))
	asJSON, err := json.Marshal([]any{r, r.Sarif("v1", "c")})
	w.must(err)
	told := fmt.Sprintf("%+v %s %s", r, asJSON, &markdown)
	for _, s := range secrets {
		if strings.Contains(told, s) || strings.Contains(told, s[len(s)-8:]) {
			t.Error("the report has a secret")
		}
	}
	if !strings.Contains(told, "line 2 has the current key of target sending") {
		t.Errorf("nothing was found: %s", told)
	}
}

// kept gives what the trail was told by now, by verb and workspace: the last of each.
func (w *world) kept() map[string][]string {
	w.Helper()
	found := map[string][]string{}
	logs, err := trail.Logs(filepath.Join(w.dir, "trail"))
	w.must(err)
	for _, log := range logs {
		w.must(trail.Entries(log, func(e trail.Entry) error {
			if e.Kind == trail.Event && len(e.Names) > 0 {
				found[e.Verb+" "+e.Workspace] = e.Names
			}
			return nil
		}))
	}
	return found
}

func TestTheTrailKeepsWhatWasFoundAndWhoIsAMember(t *testing.T) {
	w := faulty(t)
	w.more += "trail: {dir: ./trail}\n"
	w.member(day, "ann@acme.example", "admin", false)
	w.member(day, "bob@acme.example", "view", true) // was only invited
	w.audit()
	want := map[string][]string{
		"audit main":   {"KEY-01 accepted key zapier", "KEY-02 low key new", "KEY-02 low key zapier", "KEY-02 medium key n8n|`x`", "MEM-01 medium member ann@acme.example", "MEM-01 medium member bob@acme.example"},
		"audit files":  {"SRC-01 high file a b/ü.txt", "SRC-01 not-known file the history"},
		"audited ":     {"high 1", "medium 3", "low 2", "not-known 1"}, // of all, for a glance
		"members main": {"ann@acme.example admin", "owner@acme.example owner"},
	}
	if diff := cmp.Diff(want, w.kept()); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	w.api.SetFaults(sandbox.Faults{Unavailable: true})
	_, err := audit.Make(t.Context(), audit.Options{Options: w.options(), Timeout: time.Second})
	w.must(err)
	want["audited "] = []string{"not-known 5"}
	if diff := cmp.Diff(want, w.kept()); diff != "" {
		t.Errorf("an outage is kept, as if all were mended (-want +got):\n%s", diff)
	}
}
