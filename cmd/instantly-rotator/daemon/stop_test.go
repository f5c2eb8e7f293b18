package daemon_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// TestStopEndsWithinTheStepInHand: wherever in a rotation SIGTERM comes, the
// daemon ends with the step in hand, leaves consumers with a living key, and the
// next start finishes the rotation with that one key.
func TestStopEndsWithinTheStepInHand(t *testing.T) {
	const step = 3 * time.Second
	for _, during := range []string{"keys", "create", "probe", "delete"} {
		t.Run(during, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, sending := newWorld(t), scheduled(t, "sending", "@quarterly", "UTC")
				p := w.start(w.fleet(sending))
				time.Sleep(45 * day)
				p.stop()
				var stopped time.Time
				ends := make(chan func(), 1)
				w.intercept = func(call, _ string) error {
					time.Sleep(step)
					rotating := time.Since(time.Date(2000, 4, 1, 0, 0, 0, 0, time.UTC)) >= 0
					if call == during && rotating && stopped.IsZero() {
						stopped = time.Now()
						(<-ends)()
					}
					return nil
				}
				p = w.start(w.fleet(sending))
				ends <- p.end
				<-p.done
				ended := time.Now()
				// A key in hand is brought into the store first: a test call, two writes.
				if took := ended.Sub(stopped); took > 3*step {
					t.Errorf("it ended %s after it was told to in a call of %s", took, step)
				}
				p = w.start(w.fleet(sending))
				time.Sleep(3 * day)
				p.stop()
				if got := len(w.rotations("sending")); got != 1 {
					t.Errorf("%d rotations, want the one that was begun", got)
				}
				if n := w.count(w.calls, "create"); n != 2 {
					t.Errorf("%d keys were created, want 2", n)
				}
				w.wantServed()
			})
		})
	}
}

// TestStopBeforeTheFirstRun: told to end before it has begun anything, the
// daemon ends.
func TestStopBeforeTheFirstRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		d := daemon.New(daemon.Options{Beat: cancel})
		e := newSlowEngine(time.Second)
		d.Run(ctx, e.fleet("a", "b"))
		if e.begun.Load() != 0 || e.closed.Load() != 1 {
			t.Errorf("%d runs begun, closed %d times", e.begun.Load(), e.closed.Load())
		}
	})
}

// TestHangingStoresHoldUpNobodyElse: more targets than are worked on at once have
// a store that never answers, all in one workspace, and one's calls always fail.
// The others are rotated at their ticks.
func TestHangingStoresHoldUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var wishes []wish
		for i := range 30 {
			wishes = append(wishes, scheduled(t, fmt.Sprint("hanging-", i), "0 3 1 * *", "UTC"))
		}
		wishes = append(wishes, scheduled(t, "failing", "0 3 1 * *", "UTC"),
			scheduled(t, "one", "0 3 1 * *", "UTC"), scheduled(t, "other", "0 4 1 * *", "Europe/Berlin"))
		f := w.fleet(wishes...)
		f.Resync = 10 * time.Minute
		for i := range f.Targets {
			switch name := f.Targets[i].Name; {
			case i < 30:
				f.Targets[i].Stores[0] = rotator.NamedStore{Name: "vault", Store: hanging{w.store(name)}}
			case name == "failing":
				f.Targets[i].Stores[0] = rotator.NamedStore{Name: "broken", Store: failing{w.store(name)}}
			}
		}
		p := w.start(f)
		time.Sleep(65 * day)
		p.stop()
		tick := func(month time.Month) time.Time { return time.Date(2000, month, 1, 3, 0, 0, 0, time.UTC) }
		wantRotatedAt(t, w.rotations("one"), []time.Time{tick(2), tick(3)})
		wantRotatedAt(t, w.rotations("other"), []time.Time{tick(2), tick(3)})
	})
}

// hanging never answers before its caller gives up.
type hanging struct{ secretstore.Store }

func (hanging) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	<-ctx.Done()
	return secretstore.Snapshot{}, fmt.Errorf("%w: %w", secretstore.ErrUnavailable, ctx.Err())
}

// failing always fails.
type failing struct{ secretstore.Store }

func (failing) Describe(context.Context) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, secretstore.ErrDenied
}

// TestASinkThatFailsKeepsNoRotationFromItsTick: though what fails is tried again at ever longer
// intervals, and nothing else wakes the daemon.
func TestASinkThatFailsKeepsNoRotationFromItsTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.fleet(scheduled(t, "one", "0 3 1 * *", "UTC"))
		f.Resync = 300 * day
		f.Targets[0].Sinks = []sink.Sink{deaf{}}
		p := w.start(f)
		time.Sleep(40 * day)
		p.stop()
		wantRotatedAt(t, w.rotations("one"), []time.Time{time.Date(2000, 2, 1, 3, 0, 0, 0, time.UTC)})
	})
}

// deaf takes keys, and cannot be asked which it has.
type deaf struct{}

func (deaf) Name() string { return "deaf" }

func (deaf) Put(context.Context, string, secret.Value) error { return nil }

func (deaf) Holds(context.Context) (string, error) { return "", secretstore.ErrDenied }

// A slowEngine takes its time for every run.
type slowEngine struct {
	took          time.Duration
	begun, closed atomic.Int32
	running       atomic.Int32
	late          atomic.Bool // it was closed while something ran
}

func newSlowEngine(took time.Duration) *slowEngine { return &slowEngine{took: took} }

func (e *slowEngine) fleet(names ...string) *daemon.Fleet {
	f := &daemon.Fleet{Engine: e, Resync: hour, Close: func() {
		e.closed.Add(1)
		e.late.Store(e.late.Load() || e.running.Load() > 0)
	}}
	for _, name := range names {
		f.Targets = append(f.Targets, rotator.Target{Name: name})
	}
	return f
}

// ReconcileAll implements [daemon.Engine].
func (e *slowEngine) ReconcileAll(_ context.Context, ts []rotator.Target, _ rotator.Request, done func(rotator.Result)) []rotator.Result {
	var wg sync.WaitGroup
	for _, t := range ts {
		e.begun.Add(1)
		e.running.Add(1)
		wg.Go(func() {
			time.Sleep(e.took)
			e.running.Add(-1)
			done(rotator.Result{Target: t.Name})
		})
	}
	wg.Wait()
	return nil
}

// TestAFleetIsClosedOnceAfterItsLastRun, whether it was replaced while it ran or
// the daemon ended.
func TestAFleetIsClosedOnceAfterItsLastRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		d := daemon.New(daemon.Options{})
		first, second := newSlowEngine(10*time.Second), newSlowEngine(10*time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Run(ctx, first.fleet("a", "b"))
		}()
		time.Sleep(5 * time.Second)
		d.Replace(ctx, second.fleet("b", "c"))
		synctest.Wait()
		if first.closed.Load() != 0 {
			t.Error("the first fleet was closed with runs in hand")
		}
		if n := second.begun.Load(); n != 1 {
			t.Errorf("%d targets of the second fleet run, want c only: b runs under the first", n)
		}
		time.Sleep(7 * time.Second) // b runs under the second now, too
		if n := second.begun.Load(); n != 2 {
			t.Errorf("%d targets of the second fleet were run, want both", n)
		}
		cancel()
		<-done
		for i, e := range []*slowEngine{first, second} {
			if n := e.closed.Load(); n != 1 || e.late.Load() {
				t.Errorf("fleet %d: closed %d times; with runs in hand: %v", i+1, n, e.late.Load())
			}
		}
		if d.Replace(ctx, first.fleet("a")) {
			t.Error("a daemon that has ended took a fleet")
		}
	})
}

// TestPassedWhenAllTargetsWereReconciled: one that a reload brings is not waited
// for, and one that it takes away neither.
func TestPassedWhenAllTargetsWereReconciled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		d := daemon.New(daemon.Options{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Run(ctx, newSlowEngine(10*time.Second).fleet("a", "b"))
		}()
		time.Sleep(9 * time.Second)
		if d.Passed() {
			t.Error("passed before any target was reconciled")
		}
		d.Replace(ctx, newSlowEngine(time.Minute).fleet("a", "c"))
		time.Sleep(2 * time.Second)
		if !d.Passed() {
			t.Error("a was reconciled and b is gone, but it has not passed")
		}
		cancel()
		<-done
	})
}

// TestHungOnlyWhenTheLoopStands: neither a long sleep nor long last steps count.
func TestHungOnlyWhenTheLoopStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		stuck := make(chan struct{})
		var beats atomic.Int32
		var block atomic.Bool
		d := daemon.New(daemon.Options{Pulse: 10 * time.Second, Beat: func() {
			if beats.Add(1); block.Load() {
				<-stuck
			}
		}})
		if d.Hung(time.Now()) {
			t.Error("hung before it began")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Run(ctx, newSlowEngine(10*time.Minute).fleet("a"))
		}()
		time.Sleep(5 * time.Minute)
		if d.Hung(time.Now()) || beats.Load() < 29 {
			t.Errorf("%d beats in 5 min of a pulse of 10 s; hung: %v", beats.Load(), d.Hung(time.Now()))
		}
		cancel()
		time.Sleep(time.Minute)
		if d.Hung(time.Now()) {
			t.Error("waiting for the last step counts as hung")
		}
		block.Store(true)
		time.Sleep(time.Minute)
		if !d.Hung(time.Now()) {
			t.Error("the loop stands, and nobody notices")
		}
		close(stuck)
		<-done
	})
}
