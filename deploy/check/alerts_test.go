package check_test

import (
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const rules = root + "/deploy/prometheus/rules.yaml"

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool := needTool(t, "promtool")
	mustRun(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", rules)
	mustRun(t, promtool, "test", "rules", root+"/deploy/prometheus/rules_test.yaml")
}

func TestEveryAlertIsTestedFiring(t *testing.T) {
	tests := readFile(t, root+"/deploy/prometheus/rules_test.yaml")
	for _, alert := range alerts(t) {
		if !strings.Contains(tests, `alertname="`+alert.Alert+`"`) {
			t.Errorf("%s: no test in which it fires", alert.Alert)
		}
	}
}

// Whoever is woken by an alert is told what it means and what to type.
func TestEveryAlertSaysWhatToType(t *testing.T) {
	command := regexp.MustCompile(`(?m)^  (instantly-rotator|kubectl|systemctl|journalctl) `)
	for _, alert := range alerts(t) {
		if alert.Labels["severity"] == "" || alert.Annotations["summary"] == "" {
			t.Errorf("%s wants a severity and a summary", alert.Alert)
		}
		if !command.MatchString(alert.Annotations["description"]) {
			t.Errorf("%s: its description has no command on a line of its own", alert.Alert)
		}
	}
}

func TestTheChartHasTheSameAlerts(t *testing.T) {
	if readFile(t, rules) != readFile(t, chartDir+"/files/rules.yaml") {
		t.Error("differ: cp deploy/prometheus/rules.yaml deploy/helm/instantly-rotator/files/")
	}
}

// An alert is a rule of Prometheus, as it is written.
type alert struct {
	Alert               string
	Expr                string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	if err := yaml.Unmarshal([]byte(readFile(t, rules)), &file); err != nil {
		t.Fatalf("%s: %v", rules, err)
	}
	var out []alert
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) == 0 {
		t.Fatal("no alerts found")
	}
	return out
}
