package consumers_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// TestMain makes the test binary the program that a gate runs, if it is called
// with a part to play.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play, ok := parts()[os.Args[1]]; ok {
			play(os.Args[2:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func parts() map[string]func(args []string) {
	return map[string]func([]string){
		"moved": func([]string) {},
		"not-yet": func([]string) {
			fmt.Fprintln(os.Stderr, "asking the fleet\n2 of 7 machines\x1b[31m have it")
			os.Exit(75)
		},
		"fails":   func([]string) { fmt.Fprint(os.Stderr, strings.Repeat("x", 100_000)); os.Exit(3) },
		"hangs":   func([]string) { time.Sleep(time.Hour) },
		"records": record,
	}
}

// record appends what the program was told to a file.
func record(args []string) {
	f, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprintf(f, "%s %s %s %s\n", os.Getenv("INSTANTLY_ROTATOR_TARGET"), os.Getenv("INSTANTLY_ROTATOR_KEY_ID"), os.Getenv("INSTANTLY_ROTATOR_SINCE"), os.Getenv("ALSO"))
	_ = f.Close()
}

// wantOpen wants a gate that is not passed yet and says so.
func wantOpen(t *testing.T, err error, texts ...string) {
	t.Helper()
	if !errors.Is(err, rotator.ErrGateOpen) {
		t.Errorf("got %v, want an open gate", err)
	}
	wantText(t, err, texts...)
}

// wantUnknown wants a gate that cannot tell.
func wantUnknown(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil || errors.Is(err, rotator.ErrGateOpen) {
		t.Errorf("got %v, want an error", err)
	}
	wantText(t, err, texts...)
}

func wantText(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want it to say %q", err, text)
		}
	}
}

func wantPassed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("not passed: %v", err)
	}
}
