package rotator_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

var errStruck = fmt.Errorf("%w: struck", secretstore.ErrUnavailable)

// failing fails one kind of call, always, before its effect.
func failing(op string, err error) func(string, memstore.When) error {
	return func(o string, when memstore.When) error {
		if o == op && when == memstore.Before {
			return err
		}
		return nil
	}
}

// losingAnswer lets the first such call have its effect and fail.
func losingAnswer(op string) func(string, memstore.When) error {
	lost := false
	return func(o string, when memstore.When) error {
		if o == op && when == memstore.After && !lost {
			lost = true
			return errStruck
		}
		return nil
	}
}

// A blow is what strikes one outside call.
type blow struct {
	call  int // counted from 1
	after bool
	crash bool
}

func (b blow) String() string {
	kind, when := "error", "before"
	if b.crash {
		kind = "crash"
	}
	if b.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s call %d", kind, when, b.call)
}

// striker deals blows to the calls of a lifetime of instances. A crash is the
// death of an instance: no later call of it has any effect, and what it had in
// memory is lost.
type striker struct {
	blows  []blow
	calls  int
	struck int
	dead   bool
	log    []string
}

func (s *striker) hook(op string, when memstore.When) error {
	if s.dead {
		return errStruck
	}
	if when == memstore.Before {
		s.calls++
		s.log = append(s.log, op)
	}
	for _, b := range s.blows {
		if b.call == s.calls && b.after == (when == memstore.After) {
			s.struck++
			s.dead = b.crash
			return errStruck
		}
	}
	return nil
}

// lifetime lets a target live through its first key, one rotation and the end
// of the old key, one instance after another, until all blows have been dealt.
func lifetime(w *world, s *striker) {
	for range 3 + len(s.blows) {
		s.dead = false
		in := w.start()
		in.hook = s.hook
		in.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(time.Minute)
	}
	time.Sleep(interval)
	for range 2 + len(s.blows) {
		s.dead = false
		in := w.start()
		in.hook = s.hook
		in.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(grace)
	}
}

// cleanCalls counts the outside calls of an undisturbed lifetime.
func cleanCalls(t *testing.T, stores int) int {
	t.Helper()
	var s striker
	synctest.Test(t, func(t *testing.T) { lifetime(newWorld(t, stores), &s) })
	return s.calls
}

func endure(t *testing.T, stores int, blows ...blow) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stores)
		foreign := w.cloud.add("somebody else's")
		lookalike := w.cloud.add(owner + "/sending/ffffffffffff/0123456789abcdef") // another deployment's
		s := &striker{blows: blows}
		lifetime(w, s)
		w.settle()
		w.check(fmt.Sprint(blows))
		if !foreign.listed() || !lookalike.listed() {
			t.Fatalf("%v: a key that is not ours was revoked", blows)
		}
	})
}

func TestEveryCallFailedBeforeAndAfterItsEffect(t *testing.T) {
	for _, stores := range []int{1, 2} {
		n, runs := cleanCalls(t, stores), 0
		for call := 1; call <= n; call++ {
			for mode := range 4 {
				endure(t, stores, blow{call, mode&1 == 1, mode&2 == 2})
				runs++
			}
		}
		t.Logf("%d stores: %d outside calls × before/after × error/crash: %d runs, the rules hold", stores, n, runs)
	}
}

func TestEveryPairOfCallsFailed(t *testing.T) {
	stores := 1
	n, runs := cleanCalls(t, stores), 0
	step := 1
	if testing.Short() {
		step = 5
	}
	for first := 1; first <= n; first += step {
		for second := first + 1; second <= n+12; second += step {
			for mode := range 16 {
				endure(t, stores, blow{first, mode&1 == 1, mode&2 == 2}, blow{second, mode&4 == 4, mode&8 == 8})
				runs++
			}
		}
	}
	t.Logf("%d store: pairs of %d calls × before/after × error/crash: %d runs, the rules hold", stores, n, runs)
}

// TestTwoInstancesInterleaved pauses one instance at each of its calls, lets
// another run up to each of its own, and then lets the first finish before the
// second, or the other way round.
func TestTwoInstancesInterleaved(t *testing.T) {
	runs := 0
	for _, begin := range []string{"first key", "rotation", "retirement"} {
		n := soloCalls(t, begin)
		for a := 1; a <= n; a++ {
			for b := 1; b <= n+2; b++ {
				for _, after := range []bool{false, true} {
					interleave(t, begin, a, b, after)
					runs++
				}
			}
		}
	}
	t.Logf("%d schedules of two instances: the rules hold", runs)
}

// stage sets the scene that the instances meet.
func scene(w *world, begin string) {
	switch begin {
	case "rotation":
		w.start().run(rotator.Request{})
		time.Sleep(interval)
	case "retirement":
		w.start().run(rotator.Request{})
		time.Sleep(interval)
		w.start().run(rotator.Request{})
		time.Sleep(grace)
	}
}

func soloCalls(t *testing.T, begin string) int {
	t.Helper()
	var s striker
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		scene(w, begin)
		in := w.start()
		in.hook = s.hook
		in.run(rotator.Request{})
	})
	return s.calls
}

// interleave: A runs to its call a and pauses before or after its effect; B runs
// to its call b and pauses; A goes on to its end; B goes on to its end.
func interleave(t *testing.T, begin string, a, b int, after bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		scene(w, begin)
		aPaused, bPaused := make(chan struct{}, 1), make(chan struct{}, 1)
		aGo, bGo := make(chan struct{}), make(chan struct{})
		aDone, bDone := make(chan rotator.Result, 1), make(chan rotator.Result, 1)
		first, second := w.start(), w.start()
		first.hook = pauseAt(a, after, aPaused, aGo)
		second.hook = pauseAt(b, after, bPaused, bGo)

		go func() { aDone <- first.run(rotator.Request{}) }()
		aRes, aEnded := pausedOrDone(aPaused, aDone)
		go func() { bDone <- second.run(rotator.Request{}) }()
		bRes, bEnded := pausedOrDone(bPaused, bDone)
		close(aGo)
		if !aEnded {
			aRes = <-aDone
		}
		close(bGo)
		if !bEnded {
			bRes = <-bDone
		}
		for _, res := range []rotator.Result{aRes, bRes} {
			if res.Err != nil && !errors.Is(res.Err, rotator.ErrLostRace) && !errors.Is(res.Err, rotator.ErrNeverValid) {
				t.Errorf("%s, A at %d, B at %d: neither won nor stood back: %v", begin, a, b, res.Err)
			}
		}
		w.settle()
		w.check(fmt.Sprintf("%s, A paused at its call %d, B at its call %d, after=%v\nA: %s\nB: %s", begin, a, b, after, first.steps(), second.steps()))
	})
}

func pausedOrDone(paused chan struct{}, done chan rotator.Result) (rotator.Result, bool) {
	select {
	case <-paused:
		return rotator.Result{}, false
	case res := <-done:
		return res, true
	}
}

func pauseAt(call int, after bool, paused chan<- struct{}, goOn <-chan struct{}) func(string, memstore.When) error {
	n := 0
	return func(_ string, when memstore.When) error {
		if when == memstore.Before {
			n++
		}
		if n == call && after == (when == memstore.After) {
			paused <- struct{}{}
			<-goOn
		}
		return nil
	}
}
