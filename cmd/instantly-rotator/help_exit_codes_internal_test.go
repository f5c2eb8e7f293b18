package main

import (
	"os"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// Every state has the exit code that the README promises. What a person must see to
// never ends with 0.
func TestEveryStateHasTheExitCodeOfTheTable(t *testing.T) {
	want := map[status.State]int{
		status.Blocked: 1, status.DeadKey: 1, status.Refused: 1, status.Unanswered: 1, status.InIncident: 1, status.Unrevoked: 1, status.Failing: 1, status.KeyMissing: 1, status.Waiting: 1,
		status.OnHold: 0, status.NoKey: 0, status.Rotating: 0, status.Interrupted: 0, status.Due: 0,
		status.Quarantined: 0, status.InGrace: 0, status.OK: 0,
	}
	for _, s := range status.States() {
		code, known := want[s]
		if !known {
			t.Errorf("nobody has decided what %s ends with", s)
		}
		report := status.Report{Targets: []status.Target{{State: status.OK}, {State: s}}}
		if got := exitCode(statusOutcome(report)); got != code {
			t.Errorf("%s ends with %d, want %d", s, got, code)
		}
		if s.Meaning() == "" || s.Text() == "" {
			t.Errorf("%s is not explained", s)
		}
	}
	if got := exitCode(statusOutcome(status.Report{Targets: []status.Target{{State: "unheard-of"}}})); got != exitFailed {
		t.Errorf("a state that is not in the table ends with %d", got)
	}
}

func TestTheReadmeHasTheTableOfStates(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := exitCodesMarkdown(); !strings.Contains(string(readme), table) {
		t.Errorf("the README lacks this table:\n%s", table)
	}
	for _, e := range exitMeanings() {
		if !strings.Contains(string(readme), e.meaning) {
			t.Errorf("the README does not say %q", e.meaning)
		}
	}
}

func TestTheTopicFitsATerminal(t *testing.T) {
	for line := range strings.Lines((&app{}).exitCodesTopic().Long) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
