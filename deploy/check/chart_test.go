package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestTheChartIsLintFree(t *testing.T) {
	for _, file := range []string{"plain", "everything"} {
		mustRun(t, needTool(t, "helm"), "lint", "--strict", chartDir, "--namespace", namespace,
			"--kube-version", oldestKubernetes, "--values", "testdata/"+file+".yaml")
	}
}

// Somebody makes a mistake in the values, and is told what to do about it.
func TestBadValuesAreRefused(t *testing.T) {
	for _, c := range []struct{ mistake, set, says string }{
		{"a mode that there is not", "mode: deployment", "must be one of 'daemon', 'cronjob'"},
		{"a misspelt value", "replicas: 3", "additional properties 'replicas' not allowed"},
		{"a misspelt value further in", "daemon: {replica: 3}", "additional properties 'replica' not allowed"},
		{"the configuration as a text", "config: 'keys: []'", "got string, want object"},
		{"no keys", "config: {keys: []}", "config.keys is empty"},
		{"a key without stores", "config: {keys: [{name: a, scopes: [x:read]}]}", "missing property 'stores'"},
		{"replicas that would all rotate", "daemon: {leaderElection: false}", "set replicas to 1, or leaderElection to true"},
		{"a tag that moves", "image: {tag: latest}", "/image/tag"},
		{"the admin key itself", "adminKey: {value: secret}", "additional properties 'value' not allowed"},
		{"a schedule of six fields", `cronjob: {schedule: "0 */10 * * * *"}`, "/cronjob/schedule"},
		{"no shards", "cronjob: {shards: 0}", "/cronjob/shards"},
		{"a restart of nothing", "rbac: {restarts: [{namespace: shop}]}", "/rbac/restarts/0"},
	} {
		t.Run(c.mistake, func(t *testing.T) {
			_, err := chart(t, "plain", c.set)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v\nwant an error that says %q", err, c.says)
			}
		})
	}
}

// Alerts of the other mode would tell of a daemon that there is not.
func TestAlertsAreThoseOfTheMode(t *testing.T) {
	for _, mode := range []string{"daemon", "cronjob"} {
		objects, err := chart(t, "everything", "mode: "+mode)
		if err != nil {
			t.Fatal(err)
		}
		rules := all[*monitoring.PrometheusRule](objects)
		if len(rules) != 1 || len(rules[0].Spec.Groups) != 1 || rules[0].Spec.Groups[0].Name != "instantly-rotator-"+mode {
			t.Errorf("mode %s: %+v", mode, rules)
		}
	}
}

// helm writes them only when it installs; so a copy of the chart has them in an
// object.
func TestNotesSayWhatToType(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "chart")
	if err := os.CopyFS(dir, os.DirFS(chartDir)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "templates", "notes.yaml"), `
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data: {notes: {{ include (print .Template.BasePath "/NOTES.txt") . | toJson }}}
`)
	for mode, want := range map[string]string{
		"daemon":  "kubectl -n keys exec deploy/acme-instantly-rotator -- instantly-rotator status",
		"cronjob": "kubectl -n keys create job acme-instantly-rotator-now --from=cronjob/acme-instantly-rotator",
	} {
		rendered, err := render(t, dir, "plain", "mode: "+mode)
		if err != nil {
			t.Fatal(err)
		}
		notes := ""
		for _, m := range all[*corev1.ConfigMap](decode(t, rendered)) {
			notes += m.Data["notes"]
		}
		for _, line := range []string{want, "kubectl -n keys create secret generic instantly-admin-key", "kubectl -n keys get secret instantly-sending"} {
			if !strings.Contains(notes, line) {
				t.Errorf("mode %s: no %q in:\n%s", mode, line, notes)
			}
		}
	}
}
