// Package daemon keeps targets fresh for as long as it runs. It wakes when a
// target has something to do (a tick, the end of a grace period, a retry), and
// reconciles all of them once per resync besides. What is due is in the stores:
// the daemon remembers only when each is next, and losing that costs a read.
//
// In this package: daemon.go (the loop), wake.go (when a target is next, pure),
// clock.go (the machine's clock was set, or stood still), fleet.go (what is run, and
// its replacement), http.go (what others may ask), gate.go (who has the token, and
// who tries wrong ones), crowd.go (how many connections there may be).
package daemon

import (
	"context"
	"maps"
	"sync/atomic"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Engine is what the daemon needs of the rotation engine. [rotator.Rotator]
// keeps it.
type Engine interface {
	// ReconcileAll reconciles targets side by side and tells done of each as it
	// ends. If ctx ends, each finishes the step in hand.
	ReconcileAll(ctx context.Context, ts []rotator.Target, req rotator.Request, done func(rotator.Result)) []rotator.Result
}

// Options of a Daemon.
type Options struct {
	// Ended is told of every run of a target, from several goroutines.
	Ended func(rotator.Result)
	// Beat is called in each round of the loop, at least every Pulse: a watchdog
	// that is fed from here bites when the loop hangs.
	Beat func()
	// Pulse is the longest sleep; 1 min if 0. It also bounds how late a change
	// of the machine's clock is noticed.
	Pulse time.Duration
	// Clock is what the machine's clock shows; time.Now if nil.
	Clock func() time.Time
}

// Daemon runs a fleet. Use it from one Run at a time.
type Daemon struct {
	opts    Options
	replace chan *Fleet
	ended   chan ending
	beat    atomic.Pointer[time.Time] // when the loop last began a round
	passed  atomic.Bool               // every target has been reconciled
}

// ending is a run that ended.
type ending struct {
	fleet  *Fleet
	result rotator.Result
}

// New makes a Daemon.
func New(o Options) *Daemon {
	if o.Pulse <= 0 {
		o.Pulse = time.Minute
	}
	if o.Ended == nil {
		o.Ended = func(rotator.Result) {}
	}
	if o.Beat == nil {
		o.Beat = func() {}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Daemon{opts: o, replace: make(chan *Fleet), ended: make(chan ending)}
}

// Run keeps the fleet's targets fresh until ctx ends; then it waits for the runs
// in hand, each of which finishes its step. It closes the fleet.
func (d *Daemon) Run(ctx context.Context, f *Fleet) {
	defer func() { // what does not run does not hang, and has reconciled nothing
		d.beat.Store(nil)
		d.passed.Store(false)
	}()
	l := newLoop(d, f)
	for {
		d.markBeat()
		if l.clock.wasSet(time.Now(), d.opts.Clock()) {
			l.startOver()
		}
		l.dispatch(ctx)
		timer := time.NewTimer(l.sleep())
		select {
		case <-ctx.Done():
			timer.Stop()
			l.drain()
			return
		case e := <-d.ended:
			l.finish(e)
		case next := <-d.replace:
			l.switchTo(next)
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Replace puts another fleet in the place of the one that runs. Targets in hand
// are finished first. It returns false if ctx ended before that.
func (d *Daemon) Replace(ctx context.Context, f *Fleet) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case d.replace <- f:
		return true
	case <-ctx.Done():
		return false
	}
}

// Passed tells whether it runs and every target has been reconciled.
func (d *Daemon) Passed() bool { return d.passed.Load() }

// Hung tells whether the loop has begun no round for several pulses.
func (d *Daemon) Hung(now time.Time) bool {
	last := d.beat.Load()
	return last != nil && now.Sub(*last) > 3*d.opts.Pulse
}

func (d *Daemon) markBeat() {
	now := time.Now()
	d.beat.Store(&now)
	d.opts.Beat()
}

// loop is what Run remembers. Only its goroutine touches it.
type loop struct {
	*Daemon
	fleet   *Fleet
	agenda  agenda
	running map[string]bool // by target
	fails   map[string]int  // failed runs in a row, by target
	unseen  map[string]bool // not reconciled yet since the start
	clock   clockWatch
}

func newLoop(d *Daemon, f *Fleet) *loop {
	l := &loop{Daemon: d, running: map[string]bool{}, fails: map[string]int{}, unseen: map[string]bool{}}
	for _, t := range f.Targets {
		l.unseen[t.Name] = true
	}
	l.switchTo(f)
	return l
}

// switchTo makes f the fleet that is run, and has all of it reconciled.
func (l *loop) switchTo(f *Fleet) {
	if l.fleet != nil {
		l.fleet.release()
	}
	l.fleet = f.open()
	l.startOver()
	maps.DeleteFunc(l.unseen, func(name string, _ bool) bool {
		_, kept := f.byName[name]
		return !kept
	})
	l.passed.Store(len(l.unseen) == 0)
}

// startOver forgets when what is to be reconciled, and has all of it reconciled.
func (l *loop) startOver() {
	l.agenda = newAgenda()
	l.fleet.opened = time.Now()
	for name := range l.fleet.byName {
		l.agenda.set(name, l.fleet.opened)
	}
}

// dispatch begins what is due.
func (l *loop) dispatch(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	var batch []rotator.Target
	for _, name := range l.agenda.due(time.Now()) {
		if t, ok := l.fleet.byName[name]; ok && !l.running[name] {
			l.running[name] = true
			batch = append(batch, t)
		}
	}
	if len(batch) == 0 {
		return
	}
	f := l.fleet
	f.hold(len(batch))
	go f.Engine.ReconcileAll(ctx, batch, rotator.Request{}, func(r rotator.Result) {
		l.opts.Ended(r)
		l.ended <- ending{f, r}
	})
}

// finish takes note of a run that ended.
func (l *loop) finish(e ending) {
	e.fleet.release()
	name := e.result.Target
	delete(l.running, name)
	if l.unseen[name] {
		delete(l.unseen, name)
		l.passed.Store(len(l.unseen) == 0)
	}
	if _, ok := l.fleet.byName[name]; !ok {
		delete(l.fails, name)
		return
	}
	if e.fleet != l.fleet {
		l.agenda.set(name, time.Now()) // it ran under the configuration of before
		return
	}
	if l.fails[name]++; e.result.Err == nil {
		delete(l.fails, name)
	}
	now := time.Now()
	l.agenda.set(name, wake(now, e.result, l.fails[name], l.fleet.nextResync(now)))
}

// sleep is how long there is nothing to do.
func (l *loop) sleep() time.Duration {
	next, ok := l.agenda.next()
	if !ok {
		return l.opts.Pulse
	}
	return min(max(time.Until(next), 0), l.opts.Pulse)
}

// drain waits for the runs in hand, however long they take, and closes the fleet.
func (l *loop) drain() {
	pulse := time.NewTicker(l.opts.Pulse)
	defer pulse.Stop()
	for len(l.running) > 0 {
		l.markBeat()
		select {
		case e := <-l.ended:
			e.fleet.release()
			delete(l.running, e.result.Target)
		case <-pulse.C:
		}
	}
	l.fleet.release()
}
