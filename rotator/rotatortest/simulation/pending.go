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

// A pendingCall is an outside call that waits to be released.
type pendingCall struct {
	by    *instance
	label string
	// instantly: the call goes to Instantly and not to a store.
	instantly bool
	grant     chan struct{}
	// resumes: no call, but the end of a pause after one.
	resumes bool
	// injected: its faults are decided; notBefore is when the call goes on.
	injected  bool
	notBefore time.Time

	// What the adversary makes of it.
	refused error
	reply   *reply
	spoilt  bool // the reply takes the place of the true answer
	late    time.Duration
	sent    time.Time // zero if it is not late
	faults  []Fault   // those that come after the effect
}

// sentAt is when its request was sent.
func (c *pendingCall) sentAt() time.Time {
	if c.sent.IsZero() {
		return time.Now()
	}
	return c.sent
}

// errInjected is the error of a call that a fault was injected into.
var errInjected = errors.New("injected fault: connection reset")

// ask waits until this call is released. The calls of a dead process have no effect.
func (in *instance) ask(label string, instantly bool) *pendingCall {
	c := &pendingCall{by: in, label: label, instantly: instantly, grant: make(chan struct{})}
	in.await(c)
	return c
}

func (in *instance) await(c *pendingCall) {
	w := in.world
	w.mu.Lock()
	if in.dead || w.over || w.restless {
		w.mu.Unlock()
		c.refused = errInjected
		return
	}
	w.waiting = append(w.waiting, c)
	w.mu.Unlock()
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	<-c.grant
}

// answered is called when a call's effect is over: the adversary has the last
// word on it.
func (in *instance) answered(c *pendingCall) error {
	defer in.handOver()
	for _, s := range c.faults {
		switch s.Kind {
		case Lose, CrashAfter:
			if s.Kind == CrashAfter {
				in.world.kill(in, s.For)
			}
			return errInjected
		case SlowAnswer, SuspendAfter:
			if s.Kind == SuspendAfter {
				in.suspend(s.For)
			}
			pause := &pendingCall{by: in, label: c.label, resumes: true, grant: make(chan struct{}), notBefore: time.Now().Add(s.For)}
			if in.await(pause); pause.refused != nil {
				return pause.refused
			}
		default:
		}
	}
	return nil
}

// handOver makes what this goroutine did visible to the next one, also if it ends
// now.
func (in *instance) handOver() {
	in.world.mu.Lock()
	in.world.mu.Unlock() //nolint:staticcheck // it is all about the order
}

// suspend stops all that the process does, for a while.
func (in *instance) suspend(d time.Duration) {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	in.suspendedUntil = time.Now().Add(d)
}

// run releases the calls one at a time until the time has come, or what is waited
// for is done.
func (w *world) run(until time.Time, done <-chan struct{}) {
	for time.Now().Before(until) {
		synctest.Wait() // all have arrived who arrive now
		select {
		case <-done:
			return
		default:
		}
		c, wake := w.next()
		if c == nil {
			w.idle(until, wake, done)
			continue
		}
		time.Sleep(latency)
		synctest.Wait() // who wakes at the same instant has done so
		w.release(c)
	}
}

// latency is the least time between two calls of a world. It tells apart what
// services order by time.
const latency = 3 * time.Millisecond

// next draws the call to be released among those that can go on, and tells when a
// suspended one can.
func (w *world) next() (c *pendingCall, wake time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var able []*pendingCall
	now := time.Now()
	for _, c := range w.waiting {
		from := c.notBefore
		if c.by.suspendedUntil.After(from) {
			from = c.by.suspendedUntil
		}
		if !from.After(now) {
			able = append(able, c)
		} else if wake.IsZero() || from.Before(wake) {
			wake = from
		}
	}
	if len(able) == 0 {
		return nil, wake
	}
	slices.SortStableFunc(able, func(a, b *pendingCall) int {
		return cmp.Or(cmp.Compare(a.by.number, b.by.number), cmp.Compare(a.label, b.label))
	})
	c = able[0]
	if len(able) > 1 {
		c = able[w.random.IntN(len(able))]
	}
	w.waiting = slices.DeleteFunc(w.waiting, func(other *pendingCall) bool { return other == c })
	return c, wake
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

// mostCalls is far more than a target needs in a month. A receiver that refuses the secret is
// tried each half hour by each instance, a few calls for each webhook.
const (
	mostCalls       = 40_000
	mostAtReceivers = 400_000
)

// isEndless tells whether there were far too many calls within a month.
func (w *world) isEndless() bool {
	if time.Since(w.month) > 30*24*time.Hour {
		w.month, w.monthCalls = time.Now(), w.calls
	}
	most := mostCalls * len(w.targets)
	if w.senders != nil {
		most += mostAtReceivers
	}
	return w.calls-w.monthCalls > most
}

// release lets a call go on, with the faults that are injected into it.
func (w *world) release(c *pendingCall) {
	if !c.resumes && !c.injected {
		w.calls++
		if w.senders != nil && !w.rests {
			w.senders.happen()
		}
		w.inject(c)
	}
	if !w.restless && w.isEndless() {
		w.restless = true
		w.violate("%d calls within a month, and no end of it: %s", w.calls-w.monthCalls, c)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case c.by.dead || w.over || w.restless:
		c.refused = errInjected
	case c.by.suspendedUntil.After(now) || c.notBefore.After(now):
		w.waiting = append(w.waiting, c)
		return
	}
	w.log("%d %s", c.by.number, c)
	if !c.resumes {
		c.by.granted = c
	}
	close(c.grant)
}

// String says what call it is, and what is injected into it.
func (c *pendingCall) String() string {
	var said strings.Builder
	said.WriteString(c.label)
	if c.resumes {
		said.WriteString(" goes on")
	}
	if c.refused != nil {
		said.WriteString(": " + c.refused.Error())
	}
	if c.reply != nil {
		fmt.Fprintf(&said, ": answered %d", c.reply.status)
	}
	for _, s := range c.faults {
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
	w.waiting = slices.DeleteFunc(w.waiting, func(c *pendingCall) bool {
		if c.by != in {
			return false
		}
		c.refused = errInjected
		close(c.grant)
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

// hook makes a store's call a pending one.
func (in *instance) hook(target, store int) rotatortest.Hook {
	w := in.world
	return func(call string, when rotatortest.When) error {
		if when == rotatortest.Before {
			c := in.ask(w.targets[target].label(store)+call, false)
			return c.refused
		}
		c := in.granted
		w.judgeStore(in, target, store, c.label)
		if store == 0 && w.targets[target] == w.admin {
			w.noteSwap()
		}
		if store == 0 {
			w.judgeReceipt(w.targets[target], c.label)
		}
		return in.answered(c)
	}
}
