package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// rollout is a deployment whose pods take a while to restart with a new key.
type rollout struct {
	takes    time.Duration
	began    map[string]time.Time
	restarts int
	old      []string // the old keys that it was last told of
}

func (r *rollout) Name() string { return "rollout of deployment/web" }

func (r *rollout) Pass(_ context.Context, m rotator.Move) error {
	key := m.KeyID
	r.old = m.Old
	if _, ok := r.began[key]; !ok {
		r.began[key] = time.Now()
		r.restarts++
	}
	if time.Since(r.began[key]) < r.takes {
		return fmt.Errorf("2 of 5 pods: %w", rotator.ErrGateOpen)
	}
	return nil
}

func (in *instance) runWith(g rotator.Gate) rotator.Result {
	target := in.Target()
	target.Gates = []rotator.Gate{g}
	return in.Rotator.Reconcile(context.Background(), target, rotator.Request{})
}

func TestConsumersAreMovedRightAfterThePromotion(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		r := &rollout{takes: 5 * time.Minute, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		in := w.Start()
		res := mustSettle(t, in.runWith(r))
		if r.restarts != 2 {
			t.Errorf("%d restarts, want one for each key", r.restarts)
		}
		if wait := time.Until(res.Next); wait > time.Minute {
			t.Errorf("runs again in %s, want soon: the pods are still restarting", wait)
		}
		time.Sleep(10 * time.Minute)
		if res = mustSettle(t, w.Start().runWith(r)); time.Until(res.Next) < time.Hour {
			t.Errorf("runs again at %s, want at the end of the grace period: the pods have restarted", res.Next)
		}
	})
}

// A rollout that is stuck for a day costs a hundred runs, not thousands, and its end is seen in time.
func TestConsumersWhoDoNotMoveAreAskedAboutMoreAndMoreSeldom(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: 20 * time.Hour, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		mustSettle(t, w.Start().runWith(r))
		begun := time.Now()
		runs, moved := 0, begun.Add(r.takes)
		for time.Now().Before(moved) {
			res := mustSettle(t, w.Start().runWith(r))
			wait := time.Until(res.Next)
			if longest := time.Since(begun)/10 + time.Minute; wait > longest {
				t.Fatalf("asked again in %s, want in %s at the latest", wait, longest)
			}
			if runs++; runs > 200 {
				t.Fatalf("%d runs within %s", runs, time.Since(begun))
			}
			time.Sleep(max(wait, time.Second))
		}
		if late := time.Since(moved); late > 30*time.Minute {
			t.Errorf("seen %s late", late)
		}
	})
}

func TestAnOldKeyLivesUntilItsConsumersHaveMoved(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: rotatortest.Grace + 2*time.Hour, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(due)
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(graceOver)
		res := w.Start().runWith(r)
		if !errors.Is(res.Err, rotator.ErrGateOpen) || len(res.Revoked) > 0 {
			t.Errorf("the rollout hangs, but: %v, revoked %v", res.Err, res.Revoked)
		}
		if f := w.failure(); f.Count != 0 {
			t.Errorf("counted as a failed attempt: %+v", f)
		}
		time.Sleep(2 * time.Hour)
		if res := mustSettle(t, w.Start().runWith(r)); len(res.Revoked) != 1 {
			t.Errorf("revoked %v, want the old key", res.Revoked)
		}
		w.JudgeEnd()
	})
}

func TestAnIncidentWaitsForNoConsumers(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		r := &rollout{takes: 1000 * time.Hour, began: map[string]time.Time{}}
		mustSettle(t, w.Start().runWith(r))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		in := w.Start()
		target := in.Target()
		target.Gates = []rotator.Gate{r}
		res := mustSettle(t, in.Rotator.Reconcile(t.Context(), target, rotator.Request{Incident: "INC-1"}))
		if len(res.Dead) != 1 || r.restarts != 2 {
			t.Errorf("dead: %v, restarts: %d", res.Dead, r.restarts)
		}
	})
}

// related gives targets that are kept an hour apart.
func (in *instance) related(n int) []rotator.Target {
	ts := in.fleet(n)
	for i := range ts {
		ts[i].Group, ts[i].Policy.Apart = "senders", time.Hour
		for j := range ts {
			if i != j {
				ts[i].Peers = append(ts[i].Peers, rotator.NamedStore{Name: ts[j].Name, Store: ts[j].Stores[0].Store})
			}
		}
	}
	return ts
}

func TestRelatedKeysAreRotatedApart(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "annotate@0" && when == rotatortest.Before {
				time.Sleep(time.Second) // long enough for the others to run in between
			}
			return nil
		}
		ts := in.related(3)
		var rotated []time.Time
		for len(rotated) < 6 {
			for _, res := range in.Rotator.ReconcileAll(t.Context(), ts, rotator.Request{}, nil) {
				if mustSettle(t, res).Rotated {
					rotated = append(rotated, time.Now())
				}
			}
			time.Sleep(10 * time.Minute)
			if len(rotated) == 3 {
				time.Sleep(rotatortest.Interval) // all of them are due again
			}
		}
		if first := rotated[2].Sub(rotated[0]); first != 0 {
			t.Errorf("the first keys came within %s, want at once: nobody has one yet", first)
		}
		for i := 4; i < len(rotated); i++ {
			if gap := rotated[i].Sub(rotated[i-1]); gap < time.Hour {
				t.Errorf("rotations %d and %d are %s apart, want an hour", i-1, i, gap)
			}
		}
	})
}

func TestARelatedKeyWhoseStoreIsDownStopsNobody(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		ts := in.related(2)
		broken := w.Start()
		broken.Hook = func(string, rotatortest.When) error { return errors.New("the store is down") }
		ts[0].Peers[0].Store = broken.tap(memstore.New("broken"))
		if res := mustSettle(t, in.reconcile(ts[0], rotator.Request{})); !res.Rotated {
			t.Error("not rotated because another target's store cannot be read")
		}
	})
}

// hanging is a store that does not answer, whatever becomes of who asks.
type hanging struct{ secretstore.Store }

func (hanging) Describe(context.Context) (secretstore.Snapshot, error) {
	time.Sleep(time.Hour)
	return secretstore.Snapshot{}, secretstore.ErrUnavailable
}

func TestARelatedKeyWhoseStoreHangsHidesNoOther(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		ts := in.related(3)
		for _, target := range ts {
			mustSettle(t, in.reconcile(target, rotator.Request{}))
		}
		time.Sleep(due)
		mustSettle(t, in.reconcile(ts[2], rotator.Request{}))
		ts[0].Peers[0].Store = hanging{ts[0].Peers[0].Store}
		ts[0].Awaits = rotator.NamedStore{Name: "admin", Store: hanging{memstore.New("admin")}}
		if res := mustSettle(t, in.reconcile(ts[0], rotator.Request{})); res.Rotated {
			t.Error("rotated right after a related key, whose store answers")
		}
		time.Sleep(2 * time.Hour) // what hangs ends
	})
}

// What is told of a run may be a store's code, too, such as when an admin key is read again.
func TestAPanicOfWhoIsToldOfARunStopsNoOtherTarget(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		results := in.Rotator.ReconcileAll(t.Context(), in.fleet(2), rotator.Request{}, func(res rotator.Result) {
			if res.Target == in.fleet(2)[0].Name {
				panic("a nil map in an SDK")
			}
		})
		if !errors.Is(results[0].Err, rotator.ErrPanic) || results[1].Err != nil {
			t.Errorf("got %v and %v", results[0].Err, results[1].Err)
		}
	})
}
