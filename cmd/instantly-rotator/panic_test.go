package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const panicCanary = "CANARY-4f1c9a7e2b8d6053-Zq7Xw9Lk"

// panicWith runs a process that panics with the canary in hand and gives what
// the Go runtime prints about it.
func panicWith(t *testing.T, how, traceback string) string {
	t.Helper()
	cmd := exec.Command("panicker", how)
	cmd.Env = append(os.Environ(), "CANARY="+panicCanary, "GOTRACEBACK="+traceback)
	report, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(report), "goroutine ") {
		t.Fatalf("no panic: %v: %s", err, report)
	}
	return string(report)
}

func TestPanicTellsNoSecret(t *testing.T) {
	for _, how := range []string{"value", "struct", "pointer", "wrapped", "nil"} {
		for _, traceback := range []string{"single", "all", "system"} {
			t.Run(how+" "+traceback, func(t *testing.T) {
				t.Parallel()
				report := panicWith(t, how, traceback)
				wantUntold(t, []canary{newCanary("the secret", panicCanary)}, "the crash report", report)
			})
		}
	}
}

// What tells the test above that it would find something.
func TestPanicWithAPlainStringTellsIt(t *testing.T) {
	t.Parallel()
	if report := panicWith(t, "plain", "single"); newCanary("the secret", panicCanary).in(report) == "" {
		t.Errorf("not found in %s", report)
	}
}
