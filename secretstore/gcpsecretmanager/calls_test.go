package gcpsecretmanager_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// TestCallsOfACleanRotation compares the calls that the engine's runs cost with
// testdata/calls.golden, so that a change of them shows in review.
func TestCallsOfACleanRotation(t *testing.T) {
	var story strings.Builder
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, chapter := range []string{
			"first key", "nothing due", "rotation", "in the grace period", "end of the old key",
		} {
			story.WriteString(chapter + ":\n")
			for _, method := range callsOf(w, rotator.Request{}) {
				story.WriteString("  " + method + "\n")
			}
			switch chapter {
			case "first key":
				time.Sleep(time.Hour)
			case "nothing due":
				time.Sleep(due)
			case "rotation":
				time.Sleep(time.Hour)
			default:
				time.Sleep(graceOver)
			}
		}
	})
	golden := filepath.Join("testdata", "calls.golden")
	if *rewrite {
		if err := os.WriteFile(golden, []byte(story.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), story.String()); diff != "" {
		t.Errorf("calls (-golden +made; -rewrite takes them over):\n%s", diff)
	}
}

// callsOf lists the calls to the service that a run makes.
func callsOf(w *world, req rotator.Request) (methods []string) {
	in := w.Start()
	in.Hook = func(call string, when rotatortest.When) error {
		if method, ofStore := strings.CutSuffix(call, "@0"); ofStore && when == rotatortest.Before {
			methods = append(methods, method)
		}
		return nil
	}
	in.Run(req)
	return methods
}
