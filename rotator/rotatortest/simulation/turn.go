package simulation

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// A turn is an outside call that waits to be let go.
type turn struct {
	by    *instance
	label string
	// instantly: the call goes to Instantly and not to a store.
	instantly bool
	grant     chan struct{}
	// resumes: no call, but the end of a pause after one.
	resumes bool
	// dealt: the adversary has had its say; notBefore is when the call goes on.
	dealt     bool
	notBefore time.Time

	// What the adversary makes of it.
	refused error
	reply   *reply
	spoilt  bool // the reply takes the place of the true answer
	late    time.Duration
	strikes []Strike // those that come after the effect
}

// errStruck is what befell calls get.
var errStruck = errors.New("struck: connection reset")

// ask waits until it is this call's turn. The calls of a dead process go nowhere.
func (in *instance) ask(label string, instantly bool) *turn {
	t := &turn{by: in, label: label, instantly: instantly, grant: make(chan struct{})}
	in.await(t)
	return t
}

func (in *instance) await(t *turn) {
	w := in.world
	w.mu.Lock()
	if in.dead || w.over || w.restless {
		w.mu.Unlock()
		t.refused = errStruck
		return
	}
	w.waiting = append(w.waiting, t)
	w.mu.Unlock()
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	<-t.grant
}

// answered is called when a call's effect is over: the adversary has the last
// word on it.
func (in *instance) answered(t *turn) error {
	defer in.handOver()
	for _, s := range t.strikes {
		switch s.Kind {
		case Lose, CrashAfter:
			if s.Kind == CrashAfter {
				in.world.kill(in, s.For)
			}
			return errStruck
		case SlowAnswer, FreezeAfter:
			if s.Kind == FreezeAfter {
				in.freeze(s.For)
			}
			pause := &turn{by: in, label: t.label, resumes: true, grant: make(chan struct{}), notBefore: time.Now().Add(s.For)}
			if in.await(pause); pause.refused != nil {
				return pause.refused
			}
		default:
		}
	}
	return nil
}

// handOver lets whoever comes next see what this goroutine did, also if it ends
// now.
func (in *instance) handOver() {
	in.world.mu.Lock()
	in.world.mu.Unlock() //nolint:staticcheck // it is all about the order
}

// freeze stops all that the process does, for a while.
func (in *instance) freeze(d time.Duration) {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	in.thaws = time.Now().Add(d)
}

// run lets the calls go one at a time until the time has come, or what is waited
// for is done.
func (w *world) run(until time.Time, done <-chan struct{}) {
	for time.Now().Before(until) {
		synctest.Wait() // all have arrived who arrive now
		select {
		case <-done:
			return
		default:
		}
		t, wake := w.next()
		if t == nil {
			w.idle(until, wake, done)
			continue
		}
		time.Sleep(latency)
		synctest.Wait() // who wakes at the same instant has done so
		w.let(t)
	}
}

// latency is the least time between two calls of a world. It tells apart what
// services order by time.
const latency = 3 * time.Millisecond

// next draws whose turn it is among those who can move, and tells when a frozen
// one moves again.
func (w *world) next() (t *turn, wake time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var able []*turn
	now := time.Now()
	for _, t := range w.waiting {
		from := t.notBefore
		if t.by.thaws.After(from) {
			from = t.by.thaws
		}
		if !from.After(now) {
			able = append(able, t)
		} else if wake.IsZero() || from.Before(wake) {
			wake = from
		}
	}
	if len(able) == 0 {
		return nil, wake
	}
	slices.SortStableFunc(able, func(a, b *turn) int {
		return cmp.Or(cmp.Compare(a.by.number, b.by.number), cmp.Compare(a.label, b.label))
	})
	t = able[0]
	if len(able) > 1 {
		t = able[w.lot.IntN(len(able))]
	}
	w.waiting = slices.DeleteFunc(w.waiting, func(other *turn) bool { return other == t })
	return t, wake
}

// idle lets time pass until somebody arrives.
func (w *world) idle(until, wake time.Time, done <-chan struct{}) {
	if !wake.IsZero() && wake.Before(until) {
		until = wake
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-w.arrived:
	case <-done:
	case <-timer.C:
	}
}

// mostCalls is far more than a target needs in all its life.
const mostCalls = 40_000

// let lets a call go, with what befalls it.
func (w *world) let(t *turn) {
	if !t.resumes && !t.dealt {
		w.calls++
		w.befall(t)
	}
	if w.calls > mostCalls*len(w.targets) && !w.restless {
		w.restless = true
		w.violate("%d calls, and no end of it: %s", w.calls, t)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case t.by.dead || w.over || w.restless:
		t.refused = errStruck
	case t.by.thaws.After(now) || t.notBefore.After(now):
		w.waiting = append(w.waiting, t)
		return
	}
	w.tell("%d %s", t.by.number, t)
	if !t.resumes {
		t.by.granted = t
	}
	close(t.grant)
}

// String says what call it is, and what befalls it.
func (t *turn) String() string {
	var said strings.Builder
	said.WriteString(t.label)
	if t.resumes {
		said.WriteString(" goes on")
	}
	if t.refused != nil {
		said.WriteString(": " + t.refused.Error())
	}
	if t.reply != nil {
		fmt.Fprintf(&said, ": answered %d", t.reply.status)
	}
	for _, s := range t.strikes {
		said.WriteString(", then " + string(s.Kind))
	}
	return said.String()
}

// kill ends a process: none of its calls has an effect any more, and what it had
// in memory is lost. Another one takes its place after the pause.
func (w *world) kill(in *instance, pause time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if in.dead {
		return
	}
	in.dead, in.pause = true, pause
	w.excuse(anyTarget)
	close(in.gone)
	w.waiting = slices.DeleteFunc(w.waiting, func(t *turn) bool {
		if t.by != in {
			return false
		}
		t.refused = errStruck
		close(t.grant)
		return true
	})
}

// excuse allows a rotation more where nothing can be compared: see [Backend.Blind].
func (w *world) excuse(concerned func(*target) bool) {
	for _, t := range w.targets {
		if t.stores[0].backend.Blind && concerned(t) {
			t.asked++
		}
	}
}

func anyTarget(*target) bool { return true }

// hook takes a store's call for a turn.
func (in *instance) hook(target, store int) rotatortest.Hook {
	w := in.world
	return func(call string, when rotatortest.When) error {
		if when == rotatortest.Before {
			t := in.ask(w.targets[target].label(store)+call, false)
			return t.refused
		}
		t := in.granted
		w.judgeStore(in, target, store, t.label)
		return in.answered(t)
	}
}
