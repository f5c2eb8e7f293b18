package awssecretsmanager_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// A hand is something that happens to a secret from outside, in the midst of a
// rotation.
type hand struct {
	name string
	does func(w *world)
}

func hands() []hand {
	return []hand{
		{"Terraform wipes the tags that it does not know", func(w *world) {
			w.server.DropTags(w.name, func(string) bool { return true })
		}},
		{"somebody takes AWSPENDING away", func(w *world) {
			w.server.DropLabels(w.name, func(l string) bool { return l == "AWSPENDING" })
		}},
		{"somebody takes all promotion times away", func(w *world) {
			w.server.DropLabels(w.name, isMarkOf("promoted"))
		}},
		{"AWS removes the versions without labels", func(w *world) { w.server.Purge() }},
		{"somebody puts a value of his own", func(w *world) {
			w.putByHand(strings.Repeat("h", 32), w.Instantly.Add("by hand").Value)
			w.Judge("a hand")
		}},
		{"somebody labels a version", func(w *world) {
			labels, _, _ := w.server.Inspect(w.name)
			for version := range labels {
				w.call("UpdateSecretVersionStage", map[string]any{"SecretId": w.name, "VersionStage": "mine", "MoveToVersionId": version})
				return
			}
		}},
	}
}

// TestAHandBetweenAnyTwoCalls lets something happen to the secret after each call
// of a first key's, a second one's and an old one's life. The rotation may be
// given up, never a key that is in use.
func TestAHandBetweenAnyTwoCalls(t *testing.T) {
	n := cleanCalls(t)
	for _, h := range hands() {
		for at := 1; at <= n; at += stride(at) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				injected := false
				s := rotatortest.Injector{Meanwhile: func(call int, _ string, when rotatortest.When) {
					if when == rotatortest.After && call == at && !injected {
						injected = true
						h.does(w)
					}
				}}
				s.Live(w.World)
				w.outlast(fmt.Sprintf("%s after call %d", h.name, at))
			})
		}
	}
	t.Logf("%d hands × %d calls: the rules hold", len(hands()), n)
}

// cleanCalls counts the calls of an undisturbed life.
func cleanCalls(t *testing.T) int {
	t.Helper()
	var s rotatortest.Injector
	synctest.Test(t, func(t *testing.T) { s.Live(newWorld(t).World) })
	return s.Calls()
}

// outlast runs on undisturbed through two more rotations: at the end there is
// one key of ours, and it is in use.
func (w *world) outlast(story string) {
	w.Helper()
	for range 3 {
		time.Sleep(due)
		w.Start().Run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(graceOver)
		w.Start().Run(rotator.Request{IgnoreBackoff: true})
	}
	w.Settle()
	w.Check(story)
}
