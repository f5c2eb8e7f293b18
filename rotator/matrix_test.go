package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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
	mu     sync.Mutex // stores that follow are looked at side by side
	calls  int
	struck int
	dead   bool
	log    []string
}

func (s *striker) hook(op string, when memstore.When) error {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	time.Sleep(interval + late)
	for range 2 + len(s.blows) {
		s.dead = false
		in := w.start()
		in.hook = s.hook
		in.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(grace + late)
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
	for _, stores := range []int{1, 2, 3} {
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

// A meeting is how two instances come between each other: A runs to its call a
// and pauses before or after its effect; B runs to its call b and pauses; A goes
// on to its end; B goes on to its end, or is dead.
type meeting struct {
	begin   string
	stores  int
	a, b    int
	after   bool
	lag     time.Duration // of activation and revocation
	bothEnd bool          // else B dies at its pause
}

func TestTwoInstancesInterleaved(t *testing.T) {
	runs := 0
	for _, m := range []meeting{{stores: 1, bothEnd: true}, {stores: 2, bothEnd: true}, {stores: 2}, {stores: 2, bothEnd: true, lag: 3 * time.Second}} {
		for _, m.begin = range []string{"first key", "rotation", "retirement"} {
			n := soloCalls(t, m)
			for m.a = 1; m.a <= n; m.a++ {
				for m.b = 1; m.b <= n+2; m.b++ {
					for _, m.after = range []bool{false, true} {
						meet(t, m)
						runs++
					}
				}
			}
		}
	}
	t.Logf("%d schedules of two instances: the rules hold", runs)
}

// TestATornLookIsNoReasonToMoveAStoreBack: one instance has read one store when
// another one rotates and delivers, and reads the other store after that.
func TestATornLookIsNoReasonToMoveAStoreBack(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		scene(w, "rotation")
		in, other, looks := w.start(), w.start(), 0
		in.hook = func(op string, when memstore.When) error {
			if when == memstore.Before && strings.HasPrefix(op, "describe") {
				if looks++; looks == 2 {
					mustSettle(t, other.run(rotator.Request{}))
				}
			}
			return nil
		}
		in.run(rotator.Request{})
		if currentValue(w.stores[0]) != currentValue(w.stores[1]) {
			t.Errorf("it moved back a store that another instance had brought up to date: %s", in.steps())
		}
	})
}

// scene is what the instances find.
func scene(w *world, begin string) {
	switch begin {
	case "rotation":
		w.start().run(rotator.Request{})
		time.Sleep(interval + late)
	case "retirement":
		w.start().run(rotator.Request{})
		time.Sleep(interval + late)
		w.start().run(rotator.Request{})
		time.Sleep(grace + late)
	}
}

func soloCalls(t *testing.T, m meeting) int {
	t.Helper()
	var s striker
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, m.stores)
		scene(w, m.begin)
		in := w.start()
		in.hook = s.hook
		in.run(rotator.Request{})
	})
	return s.calls
}

func meet(t *testing.T, m meeting) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, m.stores)
		scene(w, m.begin)
		w.cloud.activation, w.cloud.revocation = m.lag, m.lag
		aPaused, bPaused := make(chan struct{}, 1), make(chan struct{}, 1)
		aGo, bGo := make(chan struct{}), make(chan struct{})
		aDone, bDone := make(chan rotator.Result, 1), make(chan rotator.Result, 1)
		first, second := w.start(), w.start()
		first.hook = pauseAt(m.a, m.after, aPaused, aGo)
		pause, dead := pauseAt(m.b, m.after, bPaused, bGo), false
		second.hook = func(op string, when memstore.When) error {
			if dead {
				return errStruck
			}
			return pause(op, when)
		}

		go func() { aDone <- first.run(rotator.Request{}) }()
		aRes, aEnded := pausedOrDone(aPaused, aDone)
		go func() { bDone <- second.run(rotator.Request{}) }()
		bRes, bEnded := pausedOrDone(bPaused, bDone)
		dead = !m.bothEnd
		close(aGo)
		if !aEnded {
			aRes = <-aDone
		}
		close(bGo)
		if !bEnded {
			bRes = <-bDone
		}
		wonOrStoodBack(t, m, aRes)
		if m.bothEnd {
			wonOrStoodBack(t, m, bRes)
		}
		w.settle()
		w.check(fmt.Sprintf("%+v\nA: %s\nB: %s", m, first.steps(), second.steps()))
	})
}

func wonOrStoodBack(t *testing.T, m meeting, res rotator.Result) {
	t.Helper()
	for _, fine := range []error{rotator.ErrLostRace, rotator.ErrNeverValid, context.DeadlineExceeded} {
		if errors.Is(res.Err, fine) {
			return
		}
	}
	if res.Err != nil {
		t.Errorf("%+v: neither won nor stood back: %v", m, res.Err)
	}
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
