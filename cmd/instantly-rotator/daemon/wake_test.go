package daemon_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestIdleTargetsAreReconciledOnceAResync: a day on which nothing is due costs one
// run of each target and one key list for all of them, every ten minutes.
func TestIdleTargetsAreReconciledOnceAResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var wishes []wish
		for i := range 20 {
			wishes = append(wishes, scheduled(t, fmt.Sprint("key-", i), "@quarterly", "Europe/Berlin"))
		}
		f := w.fleet(wishes...)
		f.Resync = 10 * time.Minute
		p := w.start(f)
		time.Sleep(3*day + time.Minute) // the first keys, of which none is old
		lists, runs := w.count(w.calls, "keys"), w.count(w.runs, "key-7")
		calls := w.count(w.calls, "probe") + w.count(w.calls, "create") + w.count(w.calls, "delete")
		time.Sleep(day)
		if got := w.count(w.runs, "key-7") - runs; got != 144 {
			t.Errorf("%d runs a day of each target, want 144", got)
		}
		if got := w.count(w.calls, "keys") - lists; got != 144 {
			t.Errorf("%d key lists a day, want 144", got)
		}
		if got := w.count(w.calls, "probe") + w.count(w.calls, "create") + w.count(w.calls, "delete") - calls; got != 0 {
			t.Errorf("%d other calls, want none", got)
		}
		p.stop()
	})
}

// TestNoRunWithoutAReason: where calls take their time, as they do, and targets
// are due within the same seconds, each run has its reason: a tick, the end of a
// grace period, a resync.
func TestNoRunWithoutAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.intercept = func(call, _ string) error {
			time.Sleep(map[string]time.Duration{"create": 170 * time.Millisecond}[call] + 30*time.Millisecond)
			return nil
		}
		var wishes []wish
		for i := range 3 {
			often := scheduled(t, fmt.Sprint("key-", i), "@every 20s", "UTC")
			often.policy.Grace = 5 * time.Second
			wishes = append(wishes, often)
		}
		f := w.fleet(wishes...)
		f.Resync = 30 * time.Second
		p := w.start(f)
		const ten = 10 * time.Minute
		time.Sleep(ten)
		p.stop()
		for _, wish := range wishes {
			rotations := len(w.rotations(wish.name))
			if least := int(ten/(23*time.Second)) - 1; rotations < least {
				t.Errorf("%s: %d rotations, want at least %d", wish.name, rotations, least)
			}
			reasons := 1 + 2*(rotations+1) + int(ten/f.Resync)
			if got := w.count(w.runs, wish.name); got > reasons {
				t.Errorf("%s: %d runs for %d rotations, as many ends of grace periods and %d resyncs", wish.name, got, rotations, ten/f.Resync)
			}
		}
		w.wantServed()
	})
}
