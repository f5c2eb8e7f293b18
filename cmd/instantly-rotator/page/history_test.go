package page_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/page"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// year writes a trail of a year, in which the key of a target was replaced every 30 days,
// once in an incident, and was on hold once.
func year(t *testing.T, dir, target string) {
	t.Helper()
	at := now().Add(-360 * day)
	log := trail.New(trail.Options{Dir: filepath.Join(dir, "web-1"), Name: "web-1", Now: func() time.Time { return at }})
	who := trail.Who{Instance: "web-1/4711", User: "rotator", Command: "daemon"}
	act := func(what trail.What, why string, proof *trail.Proof) {
		what.Target, what.Workspace = target, "main"
		seq, err := log.Append(trail.Entry{Time: at, Kind: trail.Intent, Who: who, What: what, Why: why, Proof: proof}, false)
		if err == nil {
			err = log.Tell(trail.Entry{Time: at.Add(time.Second), Kind: trail.Outcome, Of: seq, Who: who, What: trail.What{Verb: what.Verb, Target: target, Key: what.Key}, Result: "ok"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	old := ""
	for n := range 12 {
		key := fmt.Sprintf("0192f3a%x-7c44-7000-8000-00000000%04d", n, n)
		incident, why := "", "the schedule says so"
		if n == 8 {
			incident, why = "INC-187 repository published", "an incident was declared"
			act(trail.What{Verb: "declare", Incident: incident, Exceptions: []string{"compromised"}}, incident, nil)
		}
		act(trail.What{Verb: "issue", Key: key, Previous: old, Incident: incident}, why, nil)
		act(trail.What{Verb: "promote", Key: key, Previous: old, Incident: incident}, "the pending key works as stored", nil)
		if old != "" {
			grace := 3 * day
			if incident != "" {
				grace = 10 * time.Minute
			}
			at = at.Add(grace)
			act(trail.What{Verb: "revoke", Key: old, Previous: key, Incident: incident}, "its grace period is over", nil)
			at = at.Add(time.Minute)
			act(trail.What{Verb: "destroy", Key: old, Previous: key}, "it is refused", &trail.Proof{Key: old, Verdict: "invalid", At: at, Answer: "401"})
			if incident != "" {
				act(trail.What{Verb: "resolve", Incident: incident}, "no key of before it works", nil)
			}
		}
		old = key
		at = at.Add(12 * day)
		if n == 4 {
			act(trail.What{Verb: "hold"}, "month-end close", nil)
			at = at.Add(9 * day)
			act(trail.What{Verb: "release"}, "", nil)
			at = at.Add(-9 * day)
		}
		at = at.Add(14 * day)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// audited is what an audit found.
func audited() *audit.Report {
	return &audit.Report{At: now().Add(-5 * time.Hour), Workspaces: []string{"main"}, Findings: []audit.Finding{
		{Check: "KEY-02", Severity: audit.High, Workspace: "main", Subject: "key old zap by hand", ID: "0170aaaa", Text: "nobody rotates it; it is 812d old"},
		{Check: "KEY-01", Severity: audit.Medium, Workspace: "main", Subject: "target sending", Text: "its scopes are wider than what it uses",
			Remedy: "instantly-rotator -c " + configFile + " rotate sending when the configuration has fewer"},
		{Check: "MEM-01", Severity: audit.NotKnown, Workspace: "main", Subject: "workspace main", Text: "its members could not be listed: 402"},
		{Check: "HOOK-01", Severity: audit.Low, Workspace: "main", Subject: "webhook =cmd|' /C calc'!A0", Text: "-1+1 without a secret",
			Accepted: &audit.Accepted{Reason: "@internal", Until: now().Add(30 * day)}},
	}}
}

// TestATimelineShowsWhatTheTrailTells: keys that were issued, current and revoked, an
// incident and a hold; and says where it is from.
func TestATimelineShowsWhatTheTrailTells(t *testing.T) {
	s := newScene("sending", "reporting")
	code, body := get(t, s.site(), "/target/sending")
	if code != http.StatusOK || !strings.Contains(body, "From the notes in the store, which know the last two keys only: no trail is configured") {
		t.Errorf("without a trail: %d, or it does not say so", code)
	}
	s.trail = page.Trail{Dir: t.TempDir()}
	year(t, s.trail.Dir, "sending")
	_, body = get(t, s.site(), "/target/sending")
	for _, text := range []string{
		"From the trail", `<svg class="timeline"`, "12 keys", "key 0192f3a3-7c44-7000-8000-000000000003: current, ",
		": still worked beside its successor", "proven dead", `class="band incident"`, "incident INC-187 repository published since", `class="band hold"`,
		"month-end close", "rotator daemon", "the schedule says so",
	} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	if n := strings.Count(body, `class="bar current"`); n != 12 {
		t.Errorf("%d keys are drawn", n)
	}
	if _, body = get(t, s.site(), "/target/reporting"); strings.Contains(body, "0192f3a3-7c44") || !strings.Contains(body, "Nothing is known of it") {
		t.Error("a target shows what the trail tells of another")
	}
	if err := os.RemoveAll(s.trail.Dir); err != nil {
		t.Fatal(err)
	}
	if _, body = get(t, s.site(), "/target/sending"); !strings.Contains(body, "the trail could not be read") || !strings.Contains(body, `class="bar current"`) {
		t.Error("a trail that cannot be read is not told, or takes the notes along")
	}
}

// TestAnAuditorFindsWhatIsAskedFor: keys with scopes, risk and age against the policy, keys
// of nobody by name, the last audit and the trail's checkpoint.
func TestAnAuditorFindsWhatIsAskedFor(t *testing.T) {
	s := newScene("sending", "reporting")
	s.policies[0].Risk, s.policies[0].Reason, s.policies[0].MaxAge = "critical", "it makes keys itself", 10*day
	_, body := get(t, s.site(), "/auditor")
	if !strings.Contains(body, "no audit was made yet") || !strings.Contains(body, "no trail is configured") {
		t.Error("it is not said that there is no audit, or no trail")
	}
	s.audit, s.trail = audited(), page.Trail{Dir: t.TempDir()}
	year(t, s.trail.Dir, "sending")
	_, body = get(t, s.site(), "/auditor")
	for _, text := range []string{
		"campaigns:read, leads:all", "critical", "because: it makes keys itself", "too old", "key old zap by hand", "812d old",
		"its scopes are wider", "<code>instantly-rotator -c " + configFile + " rotate sending</code>", "accepted until", "Open: 1 high, 1 medium",
		"instantly-rotator-trail/web-1", "trail verify",
	} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
	if _, body = get(t, s.site(), "/auditor?q=report"); strings.Contains(body, "/target/sending") || !strings.Contains(body, "/target/reporting") {
		t.Error("the list of keys cannot be searched")
	}
}

// TestDownloadsAreWhatIsShown: as JSON, and as CSV of which no cell is a formula.
func TestDownloadsAreWhatIsShown(t *testing.T) {
	s := newScene("sending", "reporting")
	if code, _ := get(t, s.site(), "/download/findings.csv"); code != http.StatusNotFound {
		t.Errorf("findings of no audit: %d", code)
	}
	s.policies[1].Reason = "=HYPERLINK(\"http://attacker.example\")"
	s.audit = audited()
	var keys struct {
		Keys []struct {
			Target string `json:"target"`
			KeyID  string `json:"key_id"`
		} `json:"keys"`
	}
	_, body := get(t, s.site(), "/download/keys.json")
	if err := json.Unmarshal([]byte(body), &keys); err != nil || len(keys.Keys) != 2 || keys.Keys[1].Target != "sending" || keys.Keys[1].KeyID == "" {
		t.Errorf("keys.json: %v: %s", err, body)
	}
	var report audit.Report
	_, body = get(t, s.site(), "/download/findings.json")
	if err := json.Unmarshal([]byte(body), &report); err != nil || len(report.Findings) != 4 {
		t.Errorf("findings.json: %v: %s", err, body)
	}
	for file, lines := range map[string]int{"keys.csv": 3, "findings.csv": 5} {
		_, body := get(t, s.site(), "/download/"+file)
		cells, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(cells) != lines {
			t.Errorf("%s: %v: %s", file, err, body)
		}
		for _, line := range cells {
			for _, cell := range line {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("%s: %q is a formula", file, cell)
				}
			}
		}
	}
	for _, file := range []string{"keys", "keys.xml", "..%2fkeys.csv", "findings.csv.exe"} {
		if code, _ := get(t, s.site(), "/download/"+file); code != http.StatusNotFound {
			t.Errorf("%s: %d", file, code)
		}
	}
}

// TestADownloadIsOfOneMoment: an audit may be forgotten meanwhile, when another instance
// takes over, and the picture of the keys may be drawn anew.
func TestADownloadIsOfOneMoment(t *testing.T) {
	for _, file := range []string{"findings.csv", "findings.json"} {
		h, last := newScene("sending").site(), audited()
		h.Audit = func() *audit.Report {
			r := last
			last = nil
			return r
		}
		if code, body := get(t, h, "/download/"+file); code != http.StatusOK || !strings.Contains(body, "KEY-") {
			t.Errorf("%s: %d: %s", file, code, body)
		}
	}

	clock := now()
	h := newScene("sending").siteAt(func() time.Time { return clock })
	drawn := h.Report
	h.Report = func() status.Report {
		r := drawn()
		clock = clock.Add(time.Hour)
		return r
	}
	var got struct {
		At   time.Time `json:"at"`
		Keys []struct {
			Since time.Time `json:"current_since"`
			Age   int64     `json:"age_seconds"`
		} `json:"keys"`
	}
	_, body := get(t, h, "/download/keys.json")
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Keys) != 1 {
		t.Fatalf("%v in %s", err, body)
	}
	if k := got.Keys[0]; got.At.Sub(k.Since) != time.Duration(k.Age)*time.Second {
		t.Errorf("a key of %s is told as %d s old at %s", k.Since, k.Age, got.At)
	}
}
