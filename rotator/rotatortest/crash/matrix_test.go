//go:build linux && amd64

package crash

import (
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

var matrix = flag.Bool("crash.matrix", false, "run the whole crash matrix, which takes minutes")

// atOnce is how many processes run side by side, but for those that met a fault
// and those that wait for them. More than there are cores: most of their time they
// wait too, for a key list to confirm a key or for a refusal.
const atOnce = 6

// A column is what goes wrong with a call.
type column struct {
	name   string
	inject func(*world, call, *process, *fault)
	// ends lists where a call, the nth of its scene, meets it: a run for each.
	ends func(k kind, c call, nth int) []end
}

// An end of a call: before its effect or after it, and the error it gets there.
type end struct {
	name    string
	after   bool
	refused *storetest.Refusal
}

func columns() []column {
	before, after := end{name: "before"}, end{name: "after", after: true}
	only := func(ends ...end) func(kind, call, int) []end {
		return func(kind, call, int) []end { return ends }
	}
	return []column{
		{"killed before", (*world).killed, only(before)},
		{"killed after", (*world).killed, only(after)},
		{"answer lost", (*world).unanswered, only(after)},
		{"error", (*world).refused, errorsFor},
		{"suspended", (*world).suspended, only(before, after)},
	}
}

// errorsFor gives two errors for a call: the one that is never tried again, and
// another one, of which every call of a scene in turn gets the next.
func errorsFor(k kind, c call, nth int) (ends []end) {
	all := k.Refusals
	if strings.HasPrefix(c.label, "instantly ") || strings.HasPrefix(c.label, labelOfSinks) {
		all = refusalsOfInstantly()
	}
	for _, f := range []storetest.Refusal{all[0], all[1+nth%(len(all)-1)]} {
		ends = append(ends, end{name: f.Name, refused: &f})
	}
	return ends
}

// TestCrashMatrix injects every fault into every outside call of a rotation.
func TestCrashMatrix(t *testing.T) {
	if !*matrix {
		t.Skip("takes minutes: make crash-matrix, or -crash.matrix")
	}
	s := &shop{bin: build(t), slots: make(chan struct{}, atOnce)}
	for _, k := range alltest.Fixtures() {
		t.Run(k.Kind, func(t *testing.T) {
			t.Parallel()
			for _, sc := range scenes() {
				if !sc.playedIn(k) {
					continue
				}
				t.Run(sc.name, func(t *testing.T) {
					t.Parallel()
					for nth, c := range calls(t, s, k, sc) {
						if follows(k) && !strings.HasPrefix(c.label, k.Kind+" ") {
							continue // the others are met on every other kind
						}
						injectAll(t, s, k, c, nth)
					}
				})
			}
		})
	}
}

// injectAll is a call's part in the matrix.
func injectAll(t *testing.T, s *shop, k kind, c call, nth int) {
	for _, col := range columns() {
		if c.scene.meets != nil && !c.scene.meets(c, col) {
			continue
		}
		for _, e := range col.ends(k, c, nth) {
			name := strings.Join([]string{c.step, col.name, strings.ReplaceAll(c.String(), "/", "."), e.name}, "/")
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				runCell(t, s, k, c, col, e)
			})
		}
	}
}

// build builds the binary as it is released.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "instantly-rotator")
	c := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/instantly-rotator")
	c.Dir = filepath.Join("..", "..", "..")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return bin
}

// runCell is one run of a cell: a world of its own, a fault, and what comes after.
func runCell(t *testing.T, s *shop, k kind, c call, col column, e end) {
	w := newWorld(t, s, k)
	c.scene.begin(w)
	f := w.interceptor.arm(c.point, e.after)
	w.acquire()
	p := w.start(true, c.scene.args...)
	select {
	case <-f.reached:
	case <-p.ended:
		w.release()
		t.Fatalf("%s was not called: %s", c.point, p.text())
	}
	if e.refused != nil {
		f.outcome <- storetest.Outcome{Refused: e.refused}
	}
	col.inject(w, c, p, f)
	w.judge.check("the fault")
	w.nameRightly()
	if c.scene.after != nil {
		c.scene.after(w)
	}
	w.settle()
	w.inspect()
	w.report(k, c, col)
}

// killed is SIGKILL.
func (w *world) killed(_ call, p *process, f *fault) {
	p.kill()
	f.outcome <- storetest.Outcome{Lost: true}
	if code := p.wait(); code != -1 {
		w.Errorf("killed, it ends with %d", code)
	}
	w.release()
}

// unanswered cuts the connection.
func (w *world) unanswered(_ call, p *process, f *fault) {
	f.outcome <- storetest.Outcome{Lost: true}
	w.release()
	p.wait()
}

// refused lets the process see what it makes of an error.
func (w *world) refused(_ call, p *process, _ *fault) {
	w.release()
	p.wait()
}

// suspended is SIGSTOP, while another instance goes on past the grace period, and
// SIGCONT: the call that was on its way arrives late, as does the answer.
func (w *world) suspended(c call, p *process, f *fault) {
	p.suspend()
	w.release()
	asleep := time.Now()
	for _, args := range c.scene.meanwhile {
		if args == nil {
			w.passGrace()
			continue
		}
		if w.runAside(args...) != 0 && w.stuck() {
			break // it waits for the suspended one's lock, and would again
		}
	}
	time.Sleep(time.Until(asleep.Add(grace + written + time.Second))) // the first one's grace is over by all accounts
	p.resume()
	f.outcome <- storetest.Outcome{}
	p.wait()
}

// stuck tells whether the last run has given up waiting for a lock.
func (w *world) stuck() bool {
	return strings.Contains(w.runs[len(w.runs)-1].text(), "another writer holds the lock")
}

// report tells the table of the run, and the reader of what is wrong.
func (w *world) report(k kind, c call, col column) {
	violations := w.judge.verdict()
	for _, v := range violations {
		w.Error(v)
	}
	if w.Failed() {
		for i, p := range w.runs {
			w.Logf("run %d: %s: %d\n%s", i, p.args, p.code, p.text())
		}
		violations = slices.Concat(violations, []string{"does not end as it must"})
	}
	w.Attr("cell", strings.Join([]string{c.step, col.name, k.Kind, fmt.Sprint(len(violations))}, "|"))
}
