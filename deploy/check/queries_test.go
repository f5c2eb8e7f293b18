package check_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
)

const dashboard = root + "/deploy/grafana/dashboard.json"

// foreign are the metrics of others that rules may ask for, with their labels.
var foreign = map[string][]string{
	// kube-state-metrics, docs/metrics/workload/cronjob-metrics.md
	"kube_cronjob_created":                     {"namespace", "cronjob"},
	"kube_cronjob_status_last_successful_time": {"namespace", "cronjob"},
	"process_resident_memory_bytes":            {},
}

// given are the labels that Prometheus adds to what it scrapes.
var given = []string{"namespace", "job", "instance", "__name__"}

func TestAlertsAskForMetricsThatExist(t *testing.T) {
	exprs := alertExprs(t)
	if len(exprs) == 0 {
		t.Fatal("no alerts found")
	}
	checkNames(t, exprs)
}

func TestDashboardAsksForMetricsThatExist(t *testing.T) {
	exprs := dashboardExprs(t)
	if len(exprs) == 0 {
		t.Fatal("no panels found")
	}
	checkNames(t, exprs)
}

// The reader of queries that selectors uses knows more words than Prometheus does.
func TestPrometheusUnderstandsTheDashboard(t *testing.T) {
	promtool := needTool(t, "promtool")
	var b strings.Builder
	b.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, expr := range dashboardExprs(t) {
		fmt.Fprintf(&b, "  - {record: \"query:%d\", expr: %q}\n", i, expr)
	}
	path := filepath.Join(t.TempDir(), "dashboard.yaml")
	writeFile(t, path, b.String())
	mustRun(t, promtool, "check", "rules", "--lint=none", path)
}

// Somebody who adds a metric is to think of who reads it.
func TestEveryMetricIsRead(t *testing.T) {
	asked := map[string]bool{}
	for _, expr := range slices.Concat(alertExprs(t), dashboardExprs(t)) {
		for _, s := range selectors(t, expr) {
			asked[s.name] = true
		}
	}
	// When it was reloaded is there for those who ask why it did not.
	asked["instantly_rotator_config_last_reload_success_timestamp_seconds"] = true
	for name := range exposed(t) {
		if !asked[name] {
			t.Errorf("%s is in no alert and not on the dashboard", name)
		}
	}
}

func checkNames(t *testing.T, exprs []string) {
	t.Helper()
	known := exposed(t)
	maps.Copy(known, foreign)
	for _, expr := range exprs {
		for _, s := range selectors(t, expr) {
			have, ok := known[s.name]
			if !ok {
				t.Errorf("no metric %s, in: %s", s.name, expr)
				continue
			}
			for _, l := range s.labels {
				if !slices.Contains(have, l) && !slices.Contains(given, l) {
					t.Errorf("%s has no label %s (it has %v), in: %s", s.name, l, have, expr)
				}
			}
		}
	}
}

// exposed gives the daemon's own metrics and their labels: a test of package
// metrics keeps the list, a line each of name, type and labels.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for line := range strings.Lines(readFile(t, root+"/cmd/instantly-rotator/metrics/testdata/metrics.golden")) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[0], "instantly_rotator_") {
			found[fields[0]] = fields[2:]
		}
	}
	if len(found) == 0 {
		t.Fatal("the daemon shows no metrics")
	}
	return found
}

// A selector is one metric in an expression with the labels it is matched by.
type selector struct {
	name   string
	labels []string
}

func selectors(t *testing.T, expr string) []selector {
	t.Helper()
	parsed, err := metricsql.Parse(expr)
	if err != nil {
		t.Fatalf("%s\n%v", expr, err)
	}
	var found []selector
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		m, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, alternative := range m.LabelFilterss {
			var s selector
			for _, f := range alternative {
				if f.Label == "__name__" {
					s.name = f.Value
				} else {
					s.labels = append(s.labels, f.Label)
				}
			}
			found = append(found, s)
		}
	})
	return found
}

func alertExprs(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, a := range alerts(t) {
		out = append(out, a.Expr)
	}
	return out
}

// dashboardExprs gives the queries of panels and variables, with Grafana's own
// variables in them replaced by something that Prometheus understands.
func dashboardExprs(t *testing.T) []string {
	t.Helper()
	var file struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Definition string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, dashboard)), &file); err != nil {
		t.Fatalf("%s: %v", dashboard, err)
	}
	var out []string
	for _, p := range file.Panels {
		for _, q := range p.Targets {
			out = append(out, strings.ReplaceAll(q.Expr, "$__rate_interval", "5m"))
		}
	}
	values := regexp.MustCompile(`^label_values\((.*), \w+\)$`)
	for _, v := range file.Templating.List {
		if m := values.FindStringSubmatch(v.Definition); m != nil {
			out = append(out, m[1])
		} else if v.Definition != "" {
			t.Errorf("variable %q is not of the form label_values(METRIC, LABEL)", v.Definition)
		}
	}
	return out
}
