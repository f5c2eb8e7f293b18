package rotator_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// While a store is being written, another target uses its time at Instantly; there are
// never more than twice as many under way as are reconciled side by side.
func TestASlowStoreDoesNotKeepInstantlyWaiting(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		const targets, concurrency, write, call = 12, 2, 10 * time.Second, time.Second
		in := &instance{w.StartWith(rotator.Options{Concurrency: concurrency})}
		in.Hook = func(_ string, when rotatortest.When) error {
			if when == rotatortest.Before {
				time.Sleep(call)
			}
			return nil
		}
		var mu sync.Mutex
		underWay, done, most := map[int]bool{}, map[int]bool{}, 0
		slow := func(i int) rotatortest.Hook {
			return func(op string, when rotatortest.When) error {
				mu.Lock()
				switch {
				case op == "annotate" && when == rotatortest.Before && !done[i]:
					underWay[i] = true
					most = max(most, len(underWay))
				case op == "promote" && when == rotatortest.After:
					delete(underWay, i)
					done[i] = true
				}
				mu.Unlock()
				if when == rotatortest.Before && op != "describe" && op != "read" {
					time.Sleep(write)
				}
				return nil
			}
		}
		space := in.Target().Workspace
		var ts []rotator.Target
		for i := range targets {
			x := in.Target()
			x.Workspace = space
			x.Name = fmt.Sprint("target-", i)
			x.Stores = []rotator.NamedStore{{Name: "s", Store: rotatortest.Tap(memstore.New(x.Name), slow(i))}}
			ts = append(ts, x)
		}
		began := time.Now()
		for _, res := range in.Rotator.ReconcileAll(t.Context(), ts, rotator.Request{}, nil) {
			if !res.Rotated {
				t.Errorf("%s: %v", res.Target, res.Err)
			}
		}
		// Three writes a target, two targets side by side.
		if took, alone := time.Since(began), targets*3*write/concurrency; took > alone*3/4 {
			t.Errorf("took %s, and the writes alone %s in slots of their own", took, alone)
		}
		if most > 2*concurrency {
			t.Errorf("%d targets were under way at once", most)
		}
	})
}
