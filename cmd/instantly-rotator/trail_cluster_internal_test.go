package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// trailInCluster has a fixture's trail written to its output, its state in a ConfigMap.
func trailInCluster(t *testing.T) (d *kubernetesFixture, folder string) {
	t.Helper()
	d = newKubernetesFixture(t, ", create_missing: true")
	t.Setenv("KUBECONFIG", d.kubeconfig)
	folder = filepath.Dir(d.config)
	if code, public, stderr := d.run("trail", "make-key", "--dir", filepath.Join(folder, "made")); code != exitSettled || !strings.HasPrefix(public, "instantly-rotator-trail/cluster+") {
		t.Fatalf("make-key: exit %d: %s%s", code, public, stderr)
	}
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(d.config, string(text)+"trail: {config_map: rotator-trail, key_file: made/key}\n")
	return d, folder
}

func TestATrailWithoutADiskIsVerifiedAcrossRuns(t *testing.T) {
	d, folder := trailInCluster(t)
	d.server.Configure("growth", "rotator-trail")
	var collected strings.Builder
	for _, args := range [][]string{{"rotate"}, {"hold", "sending", "--reason", "the big campaign goes out"}, {"release", "sending"}, {"rotate", "sending"}} {
		code, stdout, stderr := d.run(args...)
		if code != exitSettled {
			t.Fatalf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
		collected.WriteString(stderr)
	}
	if first := d.server.Served("growth", "sending", "api-key"); first == "" || strings.Contains(collected.String(), first) {
		t.Error("no key, or it is in the output")
	}
	kept := d.server.Configured("growth", "rotator-trail")
	lines := filepath.Join(folder, "collected")
	d.write(filepath.Join(folder, "checkpoint"), kept["checkpoint"])
	d.write(filepath.Join(folder, "key.pub"), kept["public-key"])
	verify := func(text string) (int, string) {
		d.write(lines, text)
		code, stdout, stderr := d.run("trail", "verify", "--file", lines, "--public-key", filepath.Join(folder, "key.pub"), "--checkpoint", filepath.Join(folder, "checkpoint"))
		return code, stdout + stderr
	}
	code, said := verify(collected.String())
	if !regexp.MustCompile(`^collected: [2-9]\d entries, 0 to \d+, are as they were written\n$`).MatchString(said) || code != exitSettled {
		t.Errorf("exit %d: %s\n%s", code, said, collected.String())
	}
	for _, verb := range []string{"reserve", "issue", "promote", "hold", "release"} {
		if !strings.Contains(collected.String(), `"verb":"`+verb+`"`) {
			t.Errorf("there is no %s in it", verb)
		}
	}
	if code, said := verify(strings.Replace(collected.String(), "big campaign", "small campaign", 1)); code != exitFailed || !strings.Contains(said, "it was changed") {
		t.Errorf("an entry that was changed: exit %d: %s", code, said)
	}
	if code, said := verify(collected.String()[:strings.LastIndex(collected.String(), `{"head":`)]); code != exitFailed || !strings.Contains(said, "cut off") {
		t.Errorf("without the last run: exit %d: %s", code, said)
	}
	if code, _, stderr := d.run("trail", "show"); code != exitUsage || !strings.Contains(stderr, "--file") {
		t.Errorf("show: exit %d: %s", code, stderr)
	}
}

func TestNothingIsDoneWhereTheTrailsConfigMapCannotBeWritten(t *testing.T) {
	d, _ := trailInCluster(t)
	code, stdout, stderr := d.run("rotate")
	if code != exitFailed || !strings.Contains(stdout+stderr, "kubectl --namespace growth create configmap rotator-trail") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if d.server.Secret("growth", "sending") != nil {
		t.Error("the Secret was made")
	}
}
