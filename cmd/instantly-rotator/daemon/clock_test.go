package daemon_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
)

// TestAClockThatIsSetHasEverythingReconciled: set by hours, to and fro, all targets
// are looked at within a pulse, nothing rotates for it, and resyncs go on from there.
func TestAClockThatIsSetHasEverythingReconciled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var ahead atomic.Int64
		d := daemon.New(daemon.Options{
			Ended: w.ended, Pulse: time.Minute,
			Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		})
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Run(ctx, w.fleet(scheduled(t, "a", "@quarterly", "UTC"), scheduled(t, "b", "@quarterly", "UTC")))
		}()
		time.Sleep(90 * time.Second)
		for _, set := range []struct {
			to   time.Duration
			runs int
		}{{-5 * hour, 1}, {-5*hour + time.Second, 0}, {7 * hour, 1}, {0, 1}} {
			before := w.count(w.runs, "a") + w.count(w.runs, "b")
			ahead.Store(int64(set.to))
			time.Sleep(2 * time.Minute)
			if got := w.count(w.runs, "a") + w.count(w.runs, "b") - before; got != 2*set.runs {
				t.Errorf("set to %s: %d runs of two targets, want %d of each", set.to, got, set.runs)
			}
		}
		before := w.count(w.runs, "a")
		time.Sleep(resync)
		if got := w.count(w.runs, "a") - before; got != 1 {
			t.Errorf("%d runs in a resync", got)
		}
		if n := w.count(w.calls, "create"); n != 2 {
			t.Errorf("%d keys for two targets", n)
		}
		end()
		<-done
	})
}
