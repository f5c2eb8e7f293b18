package rotatortest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A Fault is what goes wrong with one outside call.
type Fault struct {
	Call  int // counted from 1
	After bool
	Crash bool
}

// String implements [fmt.Stringer].
func (b Fault) String() string {
	kind, when := "error", Before
	if b.Crash {
		kind = "crash"
	}
	if b.After {
		when = After
	}
	return fmt.Sprintf("%s %s call %d", kind, when, b.Call)
}

// everyFault lists what can go wrong with a call.
func everyFault(call int) []Fault {
	return []Fault{{call, false, false}, {call, true, false}, {call, false, true}, {call, true, true}}
}

// Injector injects faults into the calls of instances that follow one another. A crash
// is the death of one: no later call of it has any effect, and what it had in
// memory is lost.
type Injector struct {
	Faults []Fault
	// Meanwhile, if set, is told of every call that goes through, by its number.
	Meanwhile func(n int, call string, when When)

	mu    sync.Mutex // followers are read side by side
	calls int
	dead  bool
}

// Hook is the [Hook] of the instances.
func (s *Injector) Hook(call string, when When) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return ErrInjected
	}
	if when == Before {
		s.calls++
	}
	if s.Meanwhile != nil {
		s.Meanwhile(s.calls, call, when)
	}
	for _, b := range s.Faults {
		if b.Call == s.calls && b.After == (when == After) {
			s.dead = b.Crash
			return ErrInjected
		}
	}
	return nil
}

// Calls tells how many calls there were.
func (s *Injector) Calls() int { return s.calls }

func (s *Injector) revive() { s.dead = false }

// Live is [World.Live] under the injector's faults.
func (s *Injector) Live(w *World) { w.Live(s.Hook, len(s.Faults), s.revive) }

// A life is how a target may live.
type life struct {
	name string
	in   func(w *World)
}

func lives() []life {
	return []life{
		{"first key, rotation, end of grace", func(*World) {}},
		{"the second key never works once stored", SpoilSecondKey},
		{"the second key is listed under another id", func(w *World) { MisnameKey(w, 2) }},
		{"the admin key itself: first key, rotation, end of grace", (*World).HoldCredential},
	}
}

// SpoilSecondKey lets the second key that is issued work until it is stored, and
// no longer. Call it after the keys of others were made.
func SpoilSecondKey(w *World) {
	second := KeyID(len(w.Instantly.Keys) + 2)
	w.Instantly.Refuses = func(k Key) bool {
		return k.ID == second && w.Snapshot(0).Versions[secretstore.Pending].ID == k.ID
	}
}

// MisnameKey has the answer to the nth create from now on give another id than the
// key list. Call it after the keys of others were made.
func MisnameKey(w *World, n int) {
	nth := KeyID(len(w.Instantly.Keys) + n)
	w.Instantly.Misnames = func(k Key) bool { return k.ID == nth }
}

// sunk is the first of the lives with two sinks.
func sunk() life {
	return life{"first key, rotation, end of grace, with two sinks", (*World).AddSinks}
}

// trailed is the first of the lives with a trail.
func trailed() life {
	return life{"first key, rotation, end of grace, on the trail", func(w *World) { w.Trailed = true }}
}

// endure is a life under faults, and its verdict: "" if the rules held.
func endure(t *testing.T, b Backend, l life, faults ...Fault) (calls int, verdict string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := b.world(t)
		w.Instantly.Add("somebody else's")
		w.Instantly.Add(Owner + "/sending/ffffffffffff/0123456789abcdef") // another deployment's
		l.in(w)
		s := &Injector{Faults: faults}
		s.Live(w)
		calls = s.Calls()
		if err := w.settle(); err != nil {
			verdict = err.Error() + "\n  "
		}
		verdict += w.verdict()
	})
	if verdict != "" {
		t.Errorf("%s: %v:\n  %s", l.name, faults, verdict)
	}
	return calls, verdict
}

// Matrix injects a fault into every outside call of each life, before its effect and after
// it, as an error and as a crash, and has the rules judged after every effect. It
// marks its subtests with attributes for the table of matrices: see
// [testing.T.Attr].
func Matrix(t *testing.T, b Backend) {
	t.Helper()
	matrix(t, b, lives()...)
}

// TrailMatrix is the matrix of a life on the trail, which may be full at any line, and after
// any of which the process may be dead.
func TrailMatrix(t *testing.T, b Backend) {
	t.Helper()
	matrix(t, b, trailed())
}

// SinkMatrix is the matrix of a life with two sinks, one of which cannot say what it has.
func SinkMatrix(t *testing.T, b Backend) {
	t.Helper()
	matrix(t, b, sunk())
}

func matrix(t *testing.T, b Backend, lives ...life) {
	t.Helper()
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			calls, _ := endure(t, b, l)
			runs, violated := 0, 0
			for call := 1; call <= calls; call++ {
				for _, fault := range everyFault(call) {
					runs++
					if _, verdict := endure(t, b, l, fault); verdict != "" {
						violated++
					}
				}
			}
			for key, n := range map[string]int{"calls": calls, "runs": runs, "violations": violated} {
				t.Attr(key, strconv.Itoa(n))
			}
			t.Attr("backend", b.Name)
			t.Attr("life", l.name)
			t.Logf("%s: %d outside calls × before/after × error/crash: %d runs, %d violations", b.Name, calls, runs, violated)
		})
	}
}

// Pairs injects faults into two outside calls of one life, the second at most a dozen calls
// after the last that an undisturbed life makes. With draws > 0 so many of the
// pairs are drawn at random, always the same; else all are tried.
func Pairs(t *testing.T, b Backend, draws int) {
	t.Helper()
	l := lives()[0]
	calls, _ := endure(t, b, l)
	var pairs [][2]Fault
	for first := 1; first <= calls; first++ {
		for second := first + 1; second <= calls+12; second++ {
			for _, x := range everyFault(first) {
				for _, y := range everyFault(second) {
					pairs = append(pairs, [2]Fault{x, y})
				}
			}
		}
	}
	all := len(pairs)
	if draws > 0 && draws < all {
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same pairs every time
		random.Shuffle(all, func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		pairs = slices.Clip(pairs[:draws])
	}
	for _, p := range pairs {
		endure(t, b, l, p[0], p[1])
	}
	t.Logf("%s: %d of %d pairs of faults: the rules hold", b.Name, len(pairs), all)
}
