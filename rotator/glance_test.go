package rotator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// glanced is how long people wait.
const glanced = 5 * time.Second

func glance(t *testing.T, in *instance, ts ...rotator.Target) []rotator.TargetStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), glanced)
	defer cancel()
	began := time.Now()
	seen := in.Rotator.Glance(ctx, ts, rotator.Request{})
	if took := time.Since(began); took > glanced {
		t.Errorf("it took %s", took)
	}
	return seen
}

func rotatedOnce(t *testing.T, w *world) *instance {
	t.Helper()
	mustSettle(t, w.Start().Run(rotator.Request{}))
	return w.Start()
}

// The workspace hangs: of all its targets it is told in time what the stores say.
func TestAGlanceAtAHangingWorkspaceHasWhatTheStoresSay(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := rotatedOnce(t, w)
		hang := rotator.NewWorkspace("hanging", oddAPI{API: in.API(), keys: func(ctx context.Context, _ []rotator.Key) ([]rotator.Key, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, rotatortest.Organization)
		ts := make([]rotator.Target, 40)
		for i := range ts {
			ts[i] = in.Target()
			ts[i].Workspace = hang
		}
		for i, o := range glance(t, in, ts...) {
			if o.Current == nil || !errors.Is(o.Err, context.DeadlineExceeded) {
				t.Fatalf("target %d: current %v, error %v", i, o.Current, o.Err)
			}
		}
	})
}

// deaf does not answer, and hears no context.
type deaf struct {
	secretstore.Store
	end chan struct{}
}

func (d deaf) Describe(context.Context) (secretstore.Snapshot, error) {
	<-d.end
	return secretstore.Snapshot{}, nil
}

func TestAGlanceDoesNotWaitForADiskThatHangs(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		in := rotatedOnce(t, w)
		x, end := in.Target(), make(chan struct{})
		defer close(end)
		x.Stores[1].Store = deaf{x.Stores[1].Store, end}
		o := glance(t, in, x)[0]
		if o.Current == nil || !errors.Is(o.Stores[1].Err, context.DeadlineExceeded) {
			t.Errorf("current %v, second store %v", o.Current, o.Stores[1].Err)
		}
	})
}

// unexamined is a store that never says whether all is well with it.
type unexamined struct {
	secretstore.Store
	end chan struct{}
}

func (u unexamined) Inspect(context.Context) error { <-u.end; return nil }

func TestAGlanceDoesNotWaitForAnInspectionThatHangs(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		in := rotatedOnce(t, w)
		target, end := in.Target(), make(chan struct{})
		target.Stores[1].Store = unexamined{target.Stores[1].Store, end}
		begun := time.Now()
		got := glance(t, in, target)[0]
		close(end)
		if took := time.Since(begun); took > time.Minute || got.Current == nil {
			t.Errorf("took %s; current: %v", took, got.Current)
		}
	})
}

// A key that was deleted by hand: one test call, and no waiting for a verdict.
func TestAGlanceDoesNotTryAgainUntilItKnows(t *testing.T) {
	for name, age := range map[string]time.Duration{"young": 0, "old": time.Hour} {
		t.Run(name, func(t *testing.T) {
			story(t, 1, func(t *testing.T, w *world) {
				in := rotatedOnce(t, w)
				time.Sleep(age)
				cur := glance(t, in, in.Target())[0].Current.ID
				w.Instantly.RevokeByHand(cur)
				calls := 0
				in.Hook = func(op string, when rotatortest.When) error {
					if op == "probe" && when == rotatortest.Before {
						calls++
					}
					return nil
				}
				o := glance(t, in, in.Target())[0]
				if calls != 1 || !o.Due || o.Dead != (age > 0) || o.Refused != (age == 0) {
					t.Errorf("%d test calls; due %t, dead %t, refused %t", calls, o.Due, o.Dead, o.Refused)
				}
				in.Hook = func(string, rotatortest.When) error { return nil }
				w.Settle()
			})
		})
	}
}

func TestARotationThatWasCutOffIsToldAsUnderWayAndThenAsInterrupted(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotatedOnce(t, w)
		time.Sleep(due)
		other := &instance{w.StartWith(rotator.Options{Instance: "other/7", Lease: time.Minute})}
		other.Hook = func(op string, when rotatortest.When) error {
			if op == "create" && when == rotatortest.Before {
				in := w.Start()
				if r := glance(t, in, in.Target())[0].Rotation; r == nil || r.By != "other/7" || !r.UnderWay {
					t.Errorf("told as %+v while it is under way", r)
				}
				panic("killed")
			}
			return nil
		}
		other.Run(rotator.Request{})
		time.Sleep(w.Policy.Activation + 2*time.Minute)
		in := w.Start()
		if r := glance(t, in, in.Target())[0].Rotation; r == nil || r.By != "other/7" || r.UnderWay {
			t.Errorf("told as %+v when nobody is at it", r)
		}
		w.Settle()
		if r := glance(t, in, in.Target())[0].Rotation; r != nil {
			t.Errorf("told as %+v when it is done", r)
		}
	})
}
