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
	// before brings a world that has its first key to where the scene begins.
	before func(*world)
	// meanwhile is what another instance does while one is suspended in this scene.
	meanwhile [][]string
	// row is that of its calls, see inOneRow; empty: each has the row of its step.
	row string
	// code is what the run, undisturbed, exits with.
	code int
}

// scenes are a rotation, and the end of the old key when its grace is over; and a
// rotation whose new key the key list has under another id than the answer to its
// create gave, and the run after that one, which sweeps it.
func scenes() []scene {
	due, force := []string{"rotate", "--due", "--force"}, []string{"rotate", "--force"}
	return []scene{
		{name: "rotation", args: force, before: func(*world) {}, meanwhile: [][]string{force, nil, due}},
		{name: "end of the old key", args: due, before: func(w *world) {
			w.mustRun(force...)
			w.passGrace()
		}, meanwhile: [][]string{due, force}},
		{name: "another id", args: force, before: (*world).misnameNext, meanwhile: [][]string{force, nil, due}, row: "other id", code: exitFailed},
		{name: "sweep of another id", args: due, before: func(w *world) {
			w.misnameNext()
			if code := w.run(force...); code != exitFailed {
				w.Fatalf("the list has the new key under another id, but it ends with %d", code)
			}
		}, meanwhile: [][]string{due, force}, row: "other id"},
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
	w.firstKey()
	sc.before(w)
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
	if code := p.wait(); code != sc.code {
		t.Fatalf("%s, undisturbed, ends with %d: %s", p.args, code, p.text())
	}
	steps := stepsOf(t, p)
	for i := range found {
		found[i].step = stepAt(steps, found[i].began)
	}
	if sc.row != "" {
		found = inOneRow(sc.row, found)
	}
	for _, c := range found {
		if c.step == "" {
			t.Errorf("%s belongs to no step", c)
		}
	}
	return found
}

// inOneRow gives those calls as one row's that other scenes have not: from the one on
// that issues or sweeps the key, without its trial and its way into the store. Left
// out, too, is the last list before a new key is given up as unlisted: a machine that
// is slow makes one less.
func inOneRow(row string, all []call) (kept []call) {
	first := slices.IndexFunc(all, func(c call) bool { return c.step == "issue" || c.step == "sweep" })
	lists := 0
	for _, c := range all[max(first, 0):] {
		if c.label == "instantly GET "+routeKeys {
			lists++
		}
		again := c.step == "try" || c.step == "stage" || lists >= 3 && c.label == "instantly GET "+routeKeys
		if !again {
			c.step = row
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
