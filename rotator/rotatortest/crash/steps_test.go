//go:build linux && amd64

package crash

import (
	"bufio"
	"encoding/json"
	"os"
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
}

// scenes are a rotation, and the end of the old key when its grace is over.
func scenes() []scene {
	due := []string{"rotate", "--due", "--force"}
	return []scene{
		{"rotation", []string{"rotate", "--force"}, func(*world) {}, [][]string{{"rotate", "--force"}, nil, due}},
		{"end of the old key", due, func(w *world) {
			w.mustRun("rotate", "--force")
			w.passGrace()
		}, [][]string{due, {"rotate", "--force"}}},
	}
}

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
	w.mustRun("rotate")
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
	if code := p.wait(); code != 0 {
		t.Fatalf("%s, undisturbed, ends with %d: %s", p.args, code, p.text())
	}
	steps := stepsOf(t, p)
	for i := range found {
		found[i].step = stepAt(steps, found[i].began)
		if found[i].step == "" {
			t.Errorf("%s belongs to no step", found[i])
		}
	}
	return found
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
