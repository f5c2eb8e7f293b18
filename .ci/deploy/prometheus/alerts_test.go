package prometheus_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", rules)
	promtool(t, "test", "rules", root+"/deploy/prometheus/rules_test.yaml")
}

func TestEveryAlertIsTestedFiring(t *testing.T) {
	tests, err := os.ReadFile(root + "/deploy/prometheus/rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range alerts(t) {
		if !strings.Contains(string(tests), `alertname="`+alert.Alert+`"`) {
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
	ours, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	charts, err := os.ReadFile(root + "/deploy/helm/instantly-rotator/files/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, charts) {
		t.Error("differ: cp deploy/prometheus/rules.yaml deploy/helm/instantly-rotator/files/")
	}
}

// promtool runs the program itself, without what it has for finding servers to
// scrape: that would be most of the build.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	run := exec.Command("go", append([]string{"run", "-tags=remove_all_sd", "github.com/prometheus/prometheus/cmd/promtool"}, args...)...)
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

type alert struct {
	Alert               string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	read(t, rules, &file, func(data []byte, into any) error { return yaml.Unmarshal(data, into) })
	var out []alert
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) == 0 {
		t.Fatal("no alerts found")
	}
	return out
}
