package simulation

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// Outcome is how a world ended.
type Outcome struct {
	// Violations of rules; none if all was well.
	Violations []string
	// Calls that were made, Keys that there were, and Faults that were injected.
	Calls, Keys, Faults int
	// Trace of what happened, where it was asked for.
	Trace string
}

// Live lets a world live. Traced, it says what happened there.
func Live(t *testing.T, p Plan, backends []Backend, traced bool) (o Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, p, backends, traced)
		w.live()
		o = Outcome{Violations: w.violations, Calls: w.calls, Keys: len(w.keys.byID), Faults: len(p.Faults) - len(w.faults)}
		if traced {
			o.Trace = w.trace.String()
		}
	})
	return o
}

func untouched(string, rotatortest.When) error { return nil }

// Options of a run over many worlds.
type Options struct {
	// Seed of the first world; the others follow it.
	Seed uint64
	// Runs is how many worlds there are.
	Runs int
	// Workers let worlds live side by side.
	Workers int
	// All worlds live, whatever happens in one; each that breaks a rule is reported.
	All      bool
	Backends []Backend
	// Plain leaves a world that breaks a rule as it was drawn.
	Plain bool
	// Progress is how often the run says how far it is; 0 means never.
	Progress time.Duration
}

// Run lets many worlds live, and fails the test at the first that breaks a rule,
// with the seed, the shortest plan that still does, and what happened there.
func Run(t *testing.T, o Options) {
	debug.SetGCPercent(1600) // worlds are short-lived
	r := &run{Options: o, begun: time.Now()}
	t.Run("worlds", func(t *testing.T) {
		for i := range o.Workers {
			t.Run(fmt.Sprint("worker ", i), func(t *testing.T) {
				t.Parallel()
				r.work(t)
			})
		}
	})
	if p := r.broken; p != nil {
		r.report(t, *p)
	}
	t.Log(r.String())
}

// run is a run over many worlds that is under way.
type run struct {
	Options
	begun time.Time

	next                        atomic.Uint64
	worlds, calls, keys, faults atomic.Int64
	mu                          sync.Mutex
	said                        time.Time
	broken                      *Plan // the first in the order of seeds
}

func (r *run) work(t *testing.T) {
	for {
		i := r.next.Add(1) - 1
		if i >= uint64(r.Runs) || !r.All && r.found() {
			return
		}
		p := NewPlan(r.Seed+i, r.Backends)
		o := Live(t, p, r.Backends, false)
		r.worlds.Add(1)
		r.calls.Add(int64(o.Calls))
		r.keys.Add(int64(o.Keys))
		r.faults.Add(int64(o.Faults))
		r.note(p, o)
	}
}

func (r *run) found() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken != nil
}

// note remembers a world that broke a rule, and says how far the run is.
func (r *run) note(p Plan, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(o.Violations) > 0 && r.All {
		fmt.Printf("seed %d: %s\n", p.Seed, strings.Join(o.Violations, "; "))
	}
	if len(o.Violations) > 0 && (r.broken == nil || p.Seed < r.broken.Seed) {
		r.broken = &p
	}
	if r.Progress > 0 && time.Since(r.said) > r.Progress {
		r.said = time.Now()
		fmt.Println(r)
	}
}

// String says what was seen so far.
func (r *run) String() string {
	n, took := r.worlds.Load(), time.Since(r.begun)
	verdict := "no rule broken"
	if r.broken != nil {
		verdict = fmt.Sprintf("a rule broken in the world of seed %d", r.broken.Seed)
	}
	return fmt.Sprintf("%d worlds (seeds %d to %d): %s; %d outside calls, %d keys, %d faults; %.0f worlds/s",
		n, r.Seed, r.Seed+uint64(max(n, 1))-1, verdict, r.calls.Load(), r.keys.Load(), r.faults.Load(), float64(n)/took.Seconds())
}

// report fails the test with all that helps to understand a broken rule.
func (r *run) report(t *testing.T, p Plan) {
	t.Helper()
	if r.Plain {
		t.Errorf("seed %d breaks a rule", p.Seed)
		return
	}
	shortest, kept := Shrink(p, func(p Plan) bool { return len(Live(t, p, r.Backends, false).Violations) > 0 })
	o := Live(t, shortest, r.Backends, true)
	t.Errorf("seed %d breaks a rule:\n  %s\nthe shortest plan that still does (-sim.seed=%d -sim.faults=%s):\n%s\n%s",
		p.Seed, strings.Join(o.Violations, "\n  "), p.Seed, kept, shortest, o.Trace)
}
