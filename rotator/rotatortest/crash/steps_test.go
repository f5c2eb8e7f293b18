//go:build linux && amd64

package crash

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// A scene is a part of a key's life that one run of the binary brings about.
type scene struct {
	name string
	args []string
	// born gives the world what it begins with; nil: the target's first key.
	born func(*world)
	// before brings a world that was born to where the scene begins.
	before func(*world)
	// meanwhile is what another instance does while one is suspended in this scene.
	meanwhile [][]string
	// after comes after the fault, before the world is to settle; nil: nothing.
	after func(*world)
	// row is that of its calls; empty: each has the row of its step.
	row string
	// kinds of stores that the scene is played in; nil: all.
	kinds []string
	// chosen are the calls that meet faults; nil: all.
	chosen func([]call) []call
	// meets tells which faults, by their column, a call meets; nil: all.
	meets func(call, column) bool
	// code is what the run, undisturbed, exits with.
	code int
}

// playedIn tells whether the scene is played in stores of that kind.
func (sc scene) playedIn(k kind) bool {
	if sc.kinds == nil {
		return !follows(k) || sc.row == ""
	}
	return slices.Contains(sc.kinds, k.Kind)
}

// begin brings a new world to where the scene begins.
func (sc scene) begin(w *world) {
	w.Helper()
	if sc.born == nil {
		sc.born = (*world).firstKey
	}
	sc.born(w)
	if sc.before != nil {
		sc.before(w)
	}
}

// What most scenes run: what is due, after grace periods that end; and a rotation.
func dueNow() []string { return []string{"rotate", "--due", "--force"} }

func rotation() []string { return []string{"rotate", "--force"} }

// scenes are those of a key's life with consumers, of the admin key's, of an adoption, of the
// trail, of a secret that webhooks send, and of a key with sinks.
func scenes() []scene {
	return slices.Concat(scenesOfAKey(), scenesOfTheAdminKey(), scenesOfAnAdoption(), scenesOfTheTrail(), scenesOfAWebhook(), scenesOfSinks())
}

// scenesOfAKey are a rotation, and the end of the old key when its grace is over; and a
// rotation whose new key the key list has under another id than the answer to its
// create gave, and the run after that one, which sweeps it.
func scenesOfAKey() []scene {
	due, force := dueNow(), rotation()
	return []scene{
		{name: "rotation", args: force, meanwhile: [][]string{force, nil, due}},
		{name: "end of the old key", args: due, before: func(w *world) {
			w.mustRun(force...)
			w.passGrace()
		}, meanwhile: [][]string{due, force}},
		{
			name: "another id", args: force, before: (*world).misnameNext, meanwhile: [][]string{force, nil, due},
			row: "other id", chosen: fromIssueOn, code: exitFailed,
		},
		{name: "sweep of another id", args: due, before: func(w *world) {
			w.misnameNext()
			if code := w.run(force...); code != exitFailed {
				w.Fatalf("the list has the new key under another id, but it ends with %d", code)
			}
		}, meanwhile: [][]string{due, force}, row: "other id", chosen: fromIssueOn},
	}
}

// exitFailed is the exit code of a run that failed for a target.
const exitFailed = 1

// A call is an outside call of an undisturbed run, and the row it belongs to.
type call struct {
	point
	scene scene
	step  string
	began int64 // how much the process had written by then
}

// calls lists the outside calls of a scene in their order.
func calls(t *testing.T, s *shop, k kind, sc scene) []call {
	t.Helper()
	w := newWorld(t, s, k)
	sc.begin(w)
	var found []call
	w.acquire()
	defer w.release()
	said := w.nextSaid()
	w.interceptor.record(func(at point) {
		info, err := os.Stat(said)
		if err != nil {
			t.Error(err)
			return
		}
		found = append(found, call{point: at, scene: sc, began: info.Size()})
	})
	p := w.start(true, sc.args...)
	code := p.wait()
	for _, broken := range w.judge.verdict() {
		t.Errorf("%s, undisturbed: %s", p.args, broken)
	}
	if code != sc.code {
		t.Fatalf("%s, undisturbed, ends with %d: %s", p.args, code, p.text())
	}
	steps := stepsOf(t, p)
	for i := range found {
		found[i].step = stepAt(steps, found[i].began)
	}
	if sc.chosen != nil {
		found = sc.chosen(found)
	}
	for i := range found {
		if sc.row != "" {
			found[i].step = sc.row
		}
	}
	for _, c := range found {
		if c.step == "" {
			t.Errorf("%s belongs to no step", c)
		}
	}
	return found
}

// fromIssueOn gives those calls that other scenes have not: from the one on that issues or sweeps the key, without its trial and its way into the store. Left
// out, too, is the last list before a new key is given up as unlisted: a machine that
// is slow makes one less.
func fromIssueOn(all []call) (kept []call) {
	first := slices.IndexFunc(all, func(c call) bool { return c.step == "issue" || c.step == "sweep" })
	lists := 0
	for _, c := range all[max(first, 0):] {
		if c.label == "instantly GET "+routeKeys {
			lists++
		}
		again := c.step == "try" || c.step == "stage" || lists >= 3 && c.label == "instantly GET "+routeKeys
		if !again {
			kept = append(kept, c)
		}
	}
	return kept
}

// A told is a step that the binary has told of in its log, which it does at the
// step's end.
type told struct {
	Step, Store string
	end         int64 // of its line
}

func stepsOf(t *testing.T, p *process) []told {
	t.Helper()
	var steps []told
	at := int64(0)
	lines := bufio.NewScanner(strings.NewReader(p.text()))
	for lines.Scan() {
		at += int64(len(lines.Bytes())) + 1
		var s told
		if json.Unmarshal(lines.Bytes(), &s) != nil || s.Step == "" {
			continue // a warning, or a request
		}
		s.end = at
		steps = append(steps, s)
	}
	return steps
}

// stepAt gives the row of what was going on when so much had been written.
func stepAt(steps []told, written int64) string {
	revoking, revoked := false, false
	for _, s := range steps {
		row := s.Step
		switch {
		case s.Step == "list" && revoked:
			row = "prove" // the full list must lack the key
		case s.Step == "observe" && revoked:
			row = "prove"
		case s.Step == "list" || s.Step == "check" || s.Step == "observe" && !revoking:
			row = "observe"
		case s.Store == "b" && (s.Step == "stage" || s.Step == "verify" || s.Step == "promote"):
			row = "deliver"
		}
		if ending(steps) && !revoked && (s.Step == "verify" || s.Step == "observe" && revoking) {
			row, revoking = "revoke", true // never without a verification just before
		}
		if written < s.end {
			return row
		}
		revoked = revoked || s.Step == "revoke"
	}
	return ""
}

// ending tells whether the steps are those of the end of an old key.
func ending(steps []told) bool {
	for _, s := range steps {
		if s.Step == "revoke" {
			return true
		}
	}
	return false
}
