package awssecretsmanager_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// cleanCalls counts the calls of an undisturbed lifetime.
func cleanCalls(t *testing.T) int {
	t.Helper()
	var s striker
	synctest.Test(t, func(t *testing.T) { newWorld(t).lifetime(&s) })
	return s.calls
}

func endure(t *testing.T, blows ...blow) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("somebody else's", nil).foreign = true
		w.lifetime(&striker{blows: blows})
		w.settle(fmt.Sprint(blows))
	})
}

func TestEngineSurvivesAFaultAtEveryCall(t *testing.T) {
	n, runs := cleanCalls(t), 0
	for call := 1; call <= n; call++ {
		for mode := range 4 {
			endure(t, blow{call, mode&1 == 1, mode&2 == 2})
			runs++
		}
	}
	t.Logf("%d calls × before/after × error/crash: %d runs, the rules hold", n, runs)
}

func TestEngineSurvivesPairsOfFaults(t *testing.T) {
	n, runs := cleanCalls(t), 1500
	if testing.Short() {
		runs = 150
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range runs {
		first, mode := 1+random.IntN(n), random.IntN(16)
		second := first + 1 + random.IntN(n+12-first)
		endure(t, blow{first, mode&1 == 1, mode&2 == 2}, blow{second, mode&4 == 4, mode&8 == 8})
	}
	t.Logf("pairs of %d calls, %d drawn by lot: the rules hold", n, runs)
}

// TestCallsOfACleanRotation is the bill: a change shows in review.
func TestCallsOfACleanRotation(t *testing.T) {
	var got strings.Builder
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		scene := func(title string) {
			w.server.ForgetCalls()
			if res := w.start(nil).run(rotator.Request{}); res.Err != nil {
				t.Fatal(res.Err)
			}
			fmt.Fprintf(&got, "# %s: %d calls\n%s\n", title, len(w.server.Calls()), strings.Join(w.server.Calls(), "\n"))
		}
		scene("the first key of a secret")
		time.Sleep(interval + late)
		scene("a rotation")
		time.Sleep(grace + late)
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

// TestTwoInstancesInterleaved pauses one instance at each of its calls, lets
// another run up to each of its own, and lets the first finish before the
// second.
func TestTwoInstancesInterleaved(t *testing.T) {
	runs := 0
	for _, begin := range []string{"first key", "rotation", "retirement"} {
		n := soloCalls(t, begin)
		step := 1
		if testing.Short() {
			step = 4
		}
		for a := 1; a <= n; a += step {
			for b := 1; b <= n+2; b += step {
				interleaveEngines(t, begin, a, b, (a+b)%2 == 0)
				runs++
			}
		}
	}
	t.Logf("%d schedules of two instances: the rules hold", runs)
}

// scene brings the world to where the instances meet.
func scene(w *world, begin string) {
	if begin == "first key" {
		return
	}
	w.start(nil).run(rotator.Request{})
	time.Sleep(interval + late)
	if begin == "retirement" {
		w.start(nil).run(rotator.Request{})
		time.Sleep(grace + late)
	}
}

func soloCalls(t *testing.T, begin string) int {
	t.Helper()
	var s striker
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		scene(w, begin)
		w.start(s.hook).run(rotator.Request{})
	})
	return s.calls
}

func interleaveEngines(t *testing.T, begin string, a, b int, after bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		scene(w, begin)
		first, second := newPause(a, after), newPause(b, after)
		go first.run(w)
		first.wait()
		go second.run(w)
		second.wait()
		first.goOn()
		second.goOn()
		w.settle(fmt.Sprintf("%s, A at %d, B at %d, after=%v", begin, a, b, after))
	})
}

// pause is an instance that stops at one of its calls.
type pause struct {
	call    int
	after   bool
	calls   int
	paused  chan struct{}
	resumed chan struct{}
	ended   chan struct{}
}

func newPause(call int, after bool) *pause {
	return &pause{call: call, after: after, paused: make(chan struct{}, 1), resumed: make(chan struct{}), ended: make(chan struct{})}
}

func (p *pause) run(w *world) {
	w.start(p.hook).run(rotator.Request{})
	close(p.ended)
}

func (p *pause) hook(_ string, when awstest.When) error {
	if when == awstest.Before {
		p.calls++
	}
	if p.calls == p.call && p.after == (when == awstest.After) {
		p.paused <- struct{}{}
		<-p.resumed
	}
	return nil
}

// wait until the instance is at its call, or has ended before it.
func (p *pause) wait() {
	select {
	case <-p.paused:
	case <-p.ended:
	}
}

func (p *pause) goOn() {
	close(p.resumed)
	<-p.ended
}
