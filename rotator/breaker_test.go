package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// fleet gives targets of one workspace, each with a store of its own.
func (in *instance) fleet(n int) []rotator.Target {
	var ts []rotator.Target
	for i := range n {
		t := in.Target()
		if i > 0 {
			t.Workspace = ts[0].Workspace
		}
		t.Name = fmt.Sprintf("target-%d", i)
		t.Stores = []rotator.NamedStore{{Name: "s0", Store: in.tap(memstore.New(t.Name))}}
		ts = append(ts, t)
	}
	return ts
}

func (in *instance) reconcile(t rotator.Target, req rotator.Request) rotator.Result {
	return in.Rotator.Reconcile(context.Background(), t, req)
}

func TestAnOutageFreezesTheWorkspaceUntilAProbeSucceeds(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in, lists, down := w.Start(), 0, true
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "keys" && when == rotatortest.Before {
				if lists++; down {
					return fmt.Errorf("status 402: %w", instantly.ErrPlan)
				}
			}
			return nil
		}
		ts := in.fleet(20)
		for _, target := range ts {
			res := in.reconcile(target, rotator.Request{})
			if !errors.Is(res.Err, instantly.ErrPlan) {
				t.Fatalf("%s: %v, want the workspace's plan", target.Name, res.Err)
			}
		}
		if lists != 1 {
			t.Errorf("asked %d times in an outage, want once", lists)
		}
		if err := ts[0].Workspace.CircuitOpen(time.Now()); !errors.Is(err, rotator.ErrCircuitOpen) {
			t.Errorf("the workspace says %v", err)
		}
		if res := in.reconcile(ts[0], rotator.Request{IgnoreBackoff: true}); errors.Is(res.Err, rotator.ErrCircuitOpen) || lists != 2 {
			t.Errorf("forced, it does not ask: %v", res.Err)
		}
		down = false
		time.Sleep(5 * time.Minute)
		for _, target := range ts {
			if res := in.reconcile(target, rotator.Request{}); !res.Rotated {
				t.Errorf("%s after the outage: %v", target.Name, res.Err)
			}
		}
	})
}

func TestTargetsThatFailTheSameWayStopNewRotationsUntilOneSucceeds(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in, down := w.Start(), true
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "stage@0" && when == rotatortest.Before && down {
				return fmt.Errorf("put: %w", secretstore.ErrDenied)
			}
			return nil
		}
		ts := in.fleet(10)
		for i, target := range ts {
			res := in.reconcile(target, rotator.Request{})
			if began := !res.Failing; began != (i < 3) {
				t.Errorf("%s: began %t: %v %q", target.Name, began, res.Err, res.Why)
			}
		}
		if w.Instantly.Creates != 3 {
			t.Errorf("%d keys were issued for nothing, want 3", w.Instantly.Creates)
		}
		down = false
		if res := in.reconcile(ts[5], rotator.Request{IgnoreBackoff: true}); !res.Rotated {
			t.Errorf("forced, it does not rotate: %v", res.Err)
		}
		for _, target := range ts[6:] {
			if res := in.reconcile(target, rotator.Request{}); !res.Rotated {
				t.Errorf("%s after the first success: %v %q", target.Name, res.Err, res.Why)
			}
		}
	})
}

func TestOneProbeAtATimeIsLetThrough(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "stage@0" && when == rotatortest.Before {
				time.Sleep(time.Second) // the others come meanwhile
				return fmt.Errorf("put: %w", secretstore.ErrDenied)
			}
			return nil
		}
		ts := in.fleet(10)
		for _, target := range ts[:4] {
			in.reconcile(target, rotator.Request{})
		}
		time.Sleep(time.Minute)
		before := w.Instantly.Creates
		in.Rotator.ReconcileAll(t.Context(), ts[4:], rotator.Request{}, nil)
		if probes := w.Instantly.Creates - before; probes != 1 {
			t.Errorf("%d probes, want one", probes)
		}
	})
}

func TestDifferentFailuresDoNotStopOthers(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in, n := w.Start(), 0
		in.Hook = func(op string, when rotatortest.When) error {
			causes := []error{secretstore.ErrDenied, secretstore.ErrUnavailable, secretstore.ErrCorrupt}
			if op == "stage@0" && when == rotatortest.Before && n < len(causes) {
				n++
				return fmt.Errorf("put: %w", causes[n-1])
			}
			return nil
		}
		ts := in.fleet(4)
		for _, target := range ts[:3] {
			in.reconcile(target, rotator.Request{})
		}
		if res := in.reconcile(ts[3], rotator.Request{}); !res.Rotated {
			t.Errorf("the failures of others, each of its own kind, stopped it: %q %v", res.Why, res.Err)
		}
	})
}
