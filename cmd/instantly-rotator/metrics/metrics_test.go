package metrics_test

import (
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/metrics"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

var update = flag.Bool("update", false, "write testdata/metrics.golden anew")

// eventful gives metrics after everything that they count has happened.
func eventful() *metrics.Metrics {
	now := time.Unix(1_000_000, 0)
	seen := rotator.TargetStatus{
		Target: "sending", Workspace: "main", Since: now.Add(-time.Hour), NextDue: now.Add(time.Hour),
		Sinks: []rotator.SinkStatus{{Name: "composio:ca_1"}},
		Old:   []rotator.OldKey{{ID: "old", Until: now.Add(time.Minute)}},
	}
	m := metrics.New("v1.2.3", "abc", metrics.Source{
		Targets: func() []status.Target {
			seen := status.Of(seen, now)
			seen.SettledAt = &now
			return []status.Target{seen}
		},
		MaxAge:      func(string) time.Duration { return 24 * time.Hour },
		CircuitOpen: func() map[string]bool { return map[string]bool{"main": true} },
		Now:         func() time.Time { return now },
	})
	m.Step(rotator.Event{Workspace: "main", Verb: rotator.Verify, Verdict: "valid"})
	m.Ended(rotator.Result{Target: "sending", Rotated: true, Status: seen})
	m.Ended(rotator.Result{Target: "sending", Err: errors.New("x"), Step: rotator.Issue, Status: seen})
	m.Request("main", instantly.Call{Method: "GET", Route: "/api/v2/api-keys", Status: 429})
	m.Notified("sent")
	m.Verified("sending", "local", true)
	m.Leading(true)
	m.Audited(audit.Report{At: now, Checks: []audit.Outcome{{ID: "KEY-01", State: audit.Found, Open: map[audit.Severity]int{audit.High: 2}}, {ID: "SRC-01", State: audit.Skipped}}})
	m.Reloaded(true, now)
	return m
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return answer.Body.String()
}

// TestNamesOfMetrics lists what dashboards and alerts may name, with the labels,
// in testdata/metrics.golden. A change of it breaks those of users.
func TestNamesOfMetrics(t *testing.T) {
	const path = "testdata/metrics.golden"
	got := strings.Join(listing(scrape(t, eventful())), "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the metrics changed (-%s +now; -update writes it anew):\n%s", path, diff)
	}
}

// listing gives our own metrics as "name type labels".
func listing(exposition string) []string {
	types, labels := map[string]string{}, map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (instantly_rotator_\S+) (\S+)$`).FindAllStringSubmatch(exposition, -1) {
		types[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`(?m)^(instantly_rotator_[a-z_]+)(?:\{(.*)\})? `).FindAllStringSubmatch(exposition, -1) {
		labels[m[1]] = strings.Join(regexp.MustCompile(`[a-z]+=`).FindAllString(m[2], -1), " ")
	}
	var out []string
	for name, kind := range types {
		out = append(out, strings.TrimSpace(strings.Join([]string{name, kind, strings.ReplaceAll(labels[name], "=", "")}, " ")))
	}
	slices.Sort(out)
	return out
}

// TestEveryMetricInTheCodeIsShown: the list above leaves none out.
func TestEveryMetricInTheCodeIsShown(t *testing.T) {
	shown := scrape(t, eventful())
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:counter\(|gauge\(|of\(|Name: |namespace ?\+ ?)"_?([a-z][a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			if named++; !strings.Contains(shown, "\n# TYPE instantly_rotator_"+m[1]+" ") {
				t.Errorf("%s: the metric %s is not shown after everything has happened", file, m[1])
			}
		}
	}
	if n := len(listing(shown)); named != n {
		t.Errorf("the code names %d metrics, %d are shown", named, n)
	}
}
