package rotatortest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Meetings say how two instances come between each other.
type Meetings struct {
	// Lag of activation and revocation.
	Lag time.Duration
	// OneDies at its pause, instead of going on after the other.
	OneDies bool
	// OneOf so many meetings takes place; 0 stands for 1.
	OneOf int
	// Misnamed: the first key that is issued at the meeting is listed under another
	// id than the answer to its create gives.
	Misnamed bool
	// Sinks: the target has two.
	Sinks bool
	// Incident is declared by the second of them; empty if it only does what
	// is due. In the end no key of before it lives.
	Incident string
	// Other is one that the first of them declares; empty likewise. Then one of them
	// at least gets through: they may not both stand back.
	Other string
}

// A meeting: A runs to its call a and pauses before or after its effect; B runs
// to its call b and pauses; A goes on to its end; B goes on to its end, or dies.
type meeting struct {
	Meetings
	begin string
	a, b  int
	after bool
}

// Interleave lets two instances meet at each pair of their calls, in each part
// of a target's life: both win or stand back, and the rules hold.
func Interleave(t *testing.T, b Backend, how Meetings) {
	t.Helper()
	planned, runs := 0, 0
	for _, begin := range how.parts() {
		n := soloCalls(t, b, begin, how)
		for a := 1; a <= n; a++ {
			for other := 1; other <= n+2; other++ {
				for _, after := range []bool{false, true} {
					if planned++; planned%max(how.OneOf, 1) == 0 {
						meet(t, b, meeting{how, begin, a, other, after})
						runs++
					}
				}
			}
		}
	}
	t.Logf("%s, %d stores: %d of %d meetings of two instances: the rules hold", b.Name, max(b.Stores, 1), runs, planned)
}

// parts are those of a target's life in which the instances meet.
func (how Meetings) parts() []string {
	if how.Misnamed {
		return []string{"first key", "rotation"} // a key is issued in them
	}
	return []string{"first key", "rotation", "retirement"}
}

// furnish gives the target its sinks. Where one instance comes after another one, it may give a
// sink what it puts right in the end.
func (how Meetings) furnish(w *World) {
	if how.Sinks {
		w.AddSinks()
		w.SinksChanged = true
	}
}

// Begin leads the target to the beginning of a part of its life.
func (w *World) Begin(part string) {
	if part == "first key" {
		return
	}
	w.Start().Run(rotator.Request{})
	time.Sleep(Interval + Late)
	if part == "retirement" {
		w.Start().Run(rotator.Request{})
		time.Sleep(Grace + Late)
	}
}

func soloCalls(t *testing.T, b Backend, begin string, how Meetings) int {
	t.Helper()
	var s Injector
	synctest.Test(t, func(t *testing.T) {
		w := b.world(t)
		how.furnish(w)
		w.Begin(begin)
		in := w.Start()
		in.Hook = s.Hook
		in.Run(rotator.Request{})
	})
	return s.Calls()
}

func meet(t *testing.T, b Backend, m meeting) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := b.world(t)
		m.furnish(w)
		w.Begin(m.begin)
		w.Instantly.Activation, w.Instantly.Revocation = m.Lag, m.Lag
		first, second := newVisitor(w, m.a, m.after), newVisitor(w, m.b, m.after)
		w.GraceEnded = m.Incident != ""
		if m.Misnamed {
			MisnameKey(w, 1)
		}
		if m.Other != "" {
			first.req, second.req = rotator.Request{Incident: m.Other, IgnoreBackoff: true}, rotator.Request{IgnoreBackoff: true}
		}
		first.run()
		time.Sleep(time.Second)
		declared := time.Now()
		second.req.Incident = m.Incident
		second.run()
		second.dies = m.OneDies
		first.finish()
		second.finish()
		for _, v := range []*visitor{first, second} {
			if !v.dies && !wonOrStoodBack(v.res.Err) {
				t.Errorf("%+v: neither won nor stood back: %v", m, v.res.Err)
			}
		}
		if m.Other != "" && first.res.Err != nil && second.res.Err != nil && !errors.Is(second.res.Err, context.DeadlineExceeded) {
			t.Errorf("%+v: both stood back:\nA: %s: %v\nB: %s: %v", m, first.in.Steps(), first.res.Err, second.in.Steps(), second.res.Err)
		}
		err := w.settle()
		if m.Incident != "" && second.res.Err == nil && !second.dies {
			w.judgeIncident(declared)
		}
		if v := w.verdict(); v != "" || err != nil {
			t.Errorf("%+v: %v\n  %s\nA: %s\nB: %s", m, err, v, first.in.Steps(), second.in.Steps())
		}
	})
}

// judgeIncident: an incident that was dealt with has left no key of before it.
func (w *World) judgeIncident(declared time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.Instantly.ListedKeys() {
		if !k.Foreign && k.Created.Before(declared) {
			w.violate("the incident is done with, but key %s of before it lives", k.ID)
		}
	}
}

// wonOrStoodBack: where a store has nothing to compare and swap on, as AWS before
// the first version, both may stand back on a conflict. Who was paused for longer
// than a step may take finds the store unavailable, and tries again later.
func wonOrStoodBack(err error) bool {
	fine := []error{rotator.ErrLostRace, rotator.ErrNeverValid, rotator.ErrUnlisted, context.DeadlineExceeded, secretstore.ErrConflict, secretstore.ErrUnavailable}
	return err == nil || slices.ContainsFunc(fine, func(f error) bool { return errors.Is(err, f) })
}

// visitor is an instance that pauses at one of its calls.
type visitor struct {
	in     *Instance
	at     int
	after  bool
	calls  int
	dies   bool
	paused chan struct{}
	goOn   chan struct{}
	done   chan struct{}
	req    rotator.Request
	res    rotator.Result
}

func newVisitor(w *World, at int, after bool) *visitor {
	v := &visitor{in: w.Start(), at: at, after: after, paused: make(chan struct{}, 1), goOn: make(chan struct{}), done: make(chan struct{})}
	v.in.Hook = v.hook
	return v
}

func (v *visitor) hook(_ string, when When) error {
	if v.dies {
		return ErrInjected
	}
	if when == Before {
		v.calls++
	}
	if v.calls == v.at && v.after == (when == After) {
		v.paused <- struct{}{}
		<-v.goOn
	}
	return nil
}

// run returns when the instance is at its call, or has ended before it.
func (v *visitor) run() {
	go func() {
		defer close(v.done)
		v.res = v.in.Run(v.req)
	}()
	select {
	case <-v.paused:
	case <-v.done:
	}
}

func (v *visitor) finish() {
	close(v.goOn)
	<-v.done
}
