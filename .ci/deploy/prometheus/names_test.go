// Package prometheus_test checks the alert rules and the dashboard: that they say
// what they should, and that what they ask for exists.
package prometheus_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../../.."
	rules     = root + "/deploy/prometheus/rules.yaml"
	dashboard = root + "/deploy/grafana/dashboard.json"
)

// foreign are the metrics of others that rules may ask for, with their labels.
var foreign = map[string][]string{
	// kube-state-metrics, docs/metrics/workload/cronjob-metrics.md
	"kube_cronjob_created":                     {"namespace", "cronjob"},
	"kube_cronjob_status_last_successful_time": {"namespace", "cronjob"},
	"process_resident_memory_bytes":            {},
}

// given are the labels that Prometheus adds to what it scrapes.
var given = []string{"namespace", "job", "instance", model.MetricNameLabel}

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

// Somebody who adds a metric is to think of who looks at it.
func TestEveryMetricIsLookedAt(t *testing.T) {
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

// exposed gives the daemon's own metrics and their labels, from the daemon's code.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	run := exec.Command("go", "run", "./.ci/deploy/exposition")
	run.Dir, run.Stderr = root, os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	text := expfmt.NewTextParser(model.LegacyValidation)
	families, err := text.TextToMetricFamilies(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for name, family := range families {
		if !strings.HasPrefix(name, "instantly_rotator_") {
			continue
		}
		found[name] = []string{}
		for _, l := range family.Metric[0].Label {
			found[name] = append(found[name], l.GetName())
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
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s\n%v", expr, err)
	}
	var found []selector
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			s := selector{name: v.Name}
			for _, m := range v.LabelMatchers {
				s.labels = append(s.labels, m.Name)
			}
			found = append(found, s)
		}
		return nil
	})
	return found
}

func alertExprs(t *testing.T) []string {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Expr string }
		}
	}
	read(t, rules, &file, func(data []byte, into any) error { return yaml.Unmarshal(data, into) })
	var out []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			out = append(out, r.Expr)
		}
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
	read(t, dashboard, &file, json.Unmarshal)
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

func read(t *testing.T, path string, into any, decode func([]byte, any) error) {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
