package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func outcomes() []struct {
	name string
	err  error
	code int
	says string // on standard error; empty: nothing at all
} {
	problem := config.Problems{{File: "c.yaml", Line: 3, Column: 1, Path: "owner", Message: "bad owner"}}
	return []struct {
		name string
		err  error
		code int
		says string
	}{
		{"settled", nil, 0, ""},
		{"a target failed, told already", errFailed, 1, ""},
		{"something is due, told already", fmt.Errorf("plan: %w", errDue), 2, ""},
		{"interrupted, told already", errInterrupted, 130, ""},
		{"interrupted in a call", fmt.Errorf("list: %w", context.Canceled), 130, ""},
		{"a timeout is no interrupt", context.DeadlineExceeded, 1, "error: context deadline exceeded\n"},
		{"wrong flag", usageError{errors.New("unknown flag: --x")}, 64, "error: unknown flag: --x\nhint:  instantly-rotator --help lists the commands and flags\n"},
		{"wrong flag, wrapped", fmt.Errorf("get: %w", usageError{errors.New("no")}), 64, "error: get: no\nhint:  instantly-rotator --help lists the commands and flags\n"},
		{"wrong command", errors.New(`unknown command "x" for "instantly-rotator"`), 64, "error: unknown command \"x\" for \"instantly-rotator\"\nhint:  instantly-rotator --help lists the commands and flags\n"},
		{"bad configuration", problem, 64, "c.yaml:3:1: owner: bad owner\n"},
		{"bad configuration, wrapped", fmt.Errorf("load: %w", problem), 64, "c.yaml:3:1: owner: bad owner\n"},
		{"a store", fmt.Errorf("store a: %w", secretstore.ErrUnavailable), 1, "error: store a: store unavailable\nhint:  run again when the store can be reached; all keys live on\n"},
		{"anything else", fs.ErrClosed, 1, "error: file already closed\n"},
	}
}

func TestEveryOutcomeHasItsExitCode(t *testing.T) {
	for _, o := range outcomes() {
		t.Run(o.name, func(t *testing.T) {
			if got := exitCode(o.err); got != o.code {
				t.Errorf("exit code %d, want %d", got, o.code)
			}
		})
	}
}

func TestComplaintsSayOnceWhatIsWrong(t *testing.T) {
	for _, o := range outcomes() {
		t.Run(o.name, func(t *testing.T) {
			var stderr bytes.Buffer
			(&app{stderr: &stderr}).complain(o.err, program)
			if stderr.String() != o.says {
				t.Errorf("says %q, want %q", &stderr, o.says)
			}
		})
	}
}

// The sum of many targets' results: the worst one counts.
func TestReportGivesTheWorstOutcome(t *testing.T) {
	ok := rotator.Result{Target: "ok", Rotated: true, KeyID: "k"}
	settled := rotator.Result{Target: "settled"}
	failed := rotator.Result{Target: "failed", Err: instantly.ErrPlan}
	backoff := rotator.Result{Target: "backoff", Failing: true}
	interrupted := rotator.Result{Target: "interrupted", Interrupted: true}
	lost := rotator.Result{Target: "lost", Err: fmt.Errorf("stage: %w", rotator.ErrLostRace)}
	for name, c := range map[string]struct {
		results []rotator.Result
		want    error
		sum     string
	}{
		"none":                         {nil, nil, ""},
		"one":                          {[]rotator.Result{ok}, nil, ""},
		"good ones":                    {[]rotator.Result{ok, settled}, nil, "2 targets: 1 rotated, 0 failed, 0 in backoff, 1 settled"},
		"one of them failed":           {[]rotator.Result{ok, failed}, errFailed, "2 targets: 1 rotated, 1 failed, 0 in backoff, 0 settled"},
		"one of them is in backoff":    {[]rotator.Result{backoff, settled}, errFailed, "2 targets: 0 rotated, 0 failed, 1 in backoff, 1 settled"},
		"one of them waits":            {[]rotator.Result{{Target: "due", Waiting: true, Delay: "in a freeze window"}, settled}, nil, "2 targets: 0 rotated, 0 failed, 0 in backoff, 1 waiting, 1 settled"},
		"leaked keys live on":          {[]rotator.Result{{Target: "leaked", Waiting: true, Status: rotator.TargetStatus{Incident: secretstore.Incident{ID: "INC-1", At: time.Now()}}}, settled}, errFailed, ""},
		"an interrupt counts for more": {[]rotator.Result{interrupted, failed}, errInterrupted, "2 targets: 0 rotated, 1 failed, 0 in backoff, 0 settled"},
		"a lost race is no failure":    {[]rotator.Result{lost, settled}, nil, "2 targets: 0 rotated, 0 failed, 0 in backoff, 2 settled"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout bytes.Buffer
			err := (&app{stdout: &stdout, now: time.Now}).report(c.results, rotateFlags{due: true, output: "table"}, time.Now())
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("outcome %v, want %v", err, c.want)
			}
			if sum := lastLine(stdout.String()); c.sum != "" && sum != c.sum {
				t.Errorf("sum %q, want %q", sum, c.sum)
			}
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
