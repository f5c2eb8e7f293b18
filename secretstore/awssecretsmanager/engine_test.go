package awssecretsmanager_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

const (
	due       = rotatortest.Interval + rotatortest.Late
	graceOver = rotatortest.Grace + rotatortest.Late
)

// world is Instantly and AWS.
type world struct {
	*rotatortest.World
	*bench
}

func newWorld(t testing.TB) *world {
	b := newBench(t)
	return &world{rotatortest.NewWorld(t, b.forEngine()), b}
}

func onAWS() rotatortest.Backend {
	return rotatortest.Backend{Name: "aws", Fresh: func(t testing.TB) rotatortest.Secret {
		return newBench(t).forEngine()
	}}
}

// forEngine leads the engine's tests to the bench's secret.
func (b *bench) forEngine() rotatortest.Secret {
	return rotatortest.Secret{
		Open: func(_ testing.TB, hook rotatortest.Hook) secretstore.Store {
			return b.openVia(func(c awstest.Call, when awstest.When) error {
				if hook(c.Action, rotatortest.When(when)) != nil {
					return awstest.ErrTorn
				}
				return nil
			})
		},
		Current: b.consumed,
	}
}

// consumed is what AWSCURRENT gives, unless it only is on the first value that
// ever was put, which AWS puts it on by itself.
func (b *bench) consumed() string {
	labels, _, _ := b.server.Inspect(b.name)
	for _, on := range labels {
		if slices.Contains(on, "AWSCURRENT") && slices.ContainsFunc(on, isMarkOf("first")) {
			return ""
		}
	}
	value, _ := b.server.Value(b.name, "AWSCURRENT")
	return value
}

func TestEveryCallFails(t *testing.T) { rotatortest.Matrix(t, onAWS()) }

func TestEveryCallFailsWithSinks(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on stores in memory")
	}
	rotatortest.SinkMatrix(t, onAWS())
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 1000
	if testing.Short() {
		draws = 150
	}
	rotatortest.Pairs(t, onAWS(), draws)
}

func TestTwoInstancesInterleaved(t *testing.T) {
	oneOf := 2
	if testing.Short() {
		oneOf = 31
	}
	rotatortest.Interleave(t, onAWS(), rotatortest.Meetings{OneOf: oneOf})
}

// TestCallsOfACleanRotation is the bill: a change shows in review.
func TestCallsOfACleanRotation(t *testing.T) {
	var got strings.Builder
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		scene := func(title string) {
			in := w.Start()
			var calls []string
			in.Hook = func(call string, when rotatortest.When) error {
				if action, ofStore := strings.CutSuffix(call, "@0"); ofStore && when == rotatortest.Before {
					calls = append(calls, action)
				}
				return nil
			}
			if res := in.Run(rotator.Request{}); res.Err != nil {
				t.Fatal(res.Err)
			}
			fmt.Fprintf(&got, "# %s: %d calls\n%s\n", title, len(calls), strings.Join(calls, "\n"))
		}
		scene("the first key of a secret")
		time.Sleep(due)
		scene("a rotation")
		time.Sleep(graceOver)
		scene("the end of the old key")
		scene("nothing to do")
	})
	path := filepath.Join("testdata", "calls.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
