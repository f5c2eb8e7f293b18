package consumers_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// program is a gate that runs a part of this test binary.
func program(args ...string) *consumers.Command {
	return consumers.NewCommand("sending", os.Args[0], append([]string{os.Args[0]}, args...), []string{"ALSO=inherited"})
}

func TestExitCodeSaysWhetherConsumersHaveMoved(t *testing.T) {
	wantPassed(t, program("moved").Pass(t.Context(), rotator.Move{KeyID: "k1"}))
	wantOpen(t, program("not-yet").Pass(t.Context(), rotator.Move{KeyID: "k1"}), "exit code 75: 2 of 7 machines [31m have it")
	err := program("fails").Pass(t.Context(), rotator.Move{KeyID: "k1"})
	wantUnknown(t, err, "exit status 3: xxx")
	if len(err.Error()) > 300 {
		t.Errorf("the message has %d bytes", len(err.Error()))
	}
	wantUnknown(t, consumers.NewCommand("sending", "program", []string{"/no/such/program"}, nil).Pass(t.Context(), rotator.Move{KeyID: "k1"}), "/no/such/program")
}

func TestProgramThatHangsIsEnded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := program("hangs").Pass(ctx, rotator.Move{KeyID: "k1"})
	wantUnknown(t, err, "it was ended")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestProgramIsToldOnceOfEachKey(t *testing.T) {
	heard := filepath.Join(t.TempDir(), "heard")
	gate := program("records", heard)
	for _, key := range []string{"k1", "k1", "k2", "k2"} {
		wantPassed(t, gate.Pass(t.Context(), rotator.Move{KeyID: key}))
	}
	wantPassed(t, program("records", heard).Pass(t.Context(), rotator.Move{KeyID: "k2"}))    // another process
	again := rotator.Move{KeyID: "k2", Since: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} // a store had another one meanwhile
	wantPassed(t, gate.Pass(t.Context(), again))
	wantPassed(t, gate.Pass(t.Context(), again))
	got, err := os.ReadFile(heard)
	if err != nil {
		t.Fatal(err)
	}
	want := "sending k1  inherited\nsending k2  inherited\nsending k2  inherited\nsending k2 2026-11-01T12:00:00Z inherited\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("what it was told (-want +got):\n%s", diff)
	}
}

func TestNameOfACommandHasNoArgumentsInIt(t *testing.T) {
	if got := consumers.NewCommand("sending", "./restart", []string{"/usr/bin/restart", "canary"}, nil).Name(); strings.Contains(got, "canary") || got != "command ./restart" {
		t.Errorf("name %q", got)
	}
}
