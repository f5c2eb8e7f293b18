package rotator_test

// Trouble of one kind must not keep the engine from what it can still do.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A key list that shows a deleted key for five seconds more: "is still listed" is read from a cached list,
// never again from the API.
func TestTheListIsReadAgainWhileARevokedKeyIsStillListed(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		in, lists := w.Start(), 0
		res := oddRun(in, rotator.Request{}, oddAPI{keys: func(_ context.Context, ks []rotator.Key) ([]rotator.Key, error) {
			lists++
			for _, k := range w.Instantly.All() {
				if !k.Listed() && time.Since(k.DeletedAt) < 5*time.Second {
					ks = append(ks, k.Key)
				}
			}
			return ks, nil
		}})
		if res.Err != nil {
			t.Errorf("after %d readings of the list: %v\n%s", lists, res.Err, in.Steps())
		}
	})
}

// An orphan that the API refuses to delete keeps a dead current key from being replaced, for ever.
func TestAnUndeletableOrphanMustNotKeepADeadKeyCurrent(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		// a lost create, later
		time.Sleep(due)
		in := w.Start()
		in.Hook = losingAnswer("create")
		in.Run(rotator.Request{})
		w.Instantly.RevokeByHand(rotatortest.KeyID(1))
		for range 30 {
			time.Sleep(6 * time.Hour)
			in = w.Start()
			res := oddRun(in, rotator.Request{IgnoreBackoff: true}, oddAPI{del: func(_ context.Context, id string) error {
				if id == rotatortest.KeyID(2) {
					return errors.New("500: cannot delete")
				}
				return nil
			}})
			if res.Rotated {
				return
			}
		}
		t.Error("30 runs over a week: consumers still read a dead key")
	})
}

// A sweep that fails is told as a failure, and not as a sweep.
func TestASweepThatFailsIsToldAsAFailure(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = losingAnswer("create")
		in.Run(rotator.Request{})
		time.Sleep(time.Hour)
		in = w.Start()
		in.Hook = failing("delete", rotatortest.ErrInjected)
		res := in.Run(rotator.Request{})
		if told := in.ErrOf(rotator.Sweep); !errors.Is(told, rotatortest.ErrInjected) || !errors.Is(res.Err, rotatortest.ErrInjected) {
			t.Errorf("%s: the step was told with %v, the run ended with %v", in.Steps(), told, res.Err)
		}
	})
}

// The value of the previous version cannot be read any more (value file lost, identity exchanged): the target
// never rotates again, though the old key is long gone from Instantly.
func TestAnUnreadablePreviousValueMustNotStopRotationForEver(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		var last rotator.Result
		for range 5 {
			in := w.Start()
			tg := in.Target()
			tg.Stores[0].Store = corrupt{tg.Stores[0].Store, rotatortest.KeyID(1)}
			last = in.Rotator.Reconcile(t.Context(), tg, rotator.Request{IgnoreBackoff: true, EndGrace: true, RotateSince: time.Now()})
			if slices.ContainsFunc(last.Dead, func(d rotator.Death) bool { return d.KeyID == rotatortest.KeyID(1) }) {
				t.Error("told as proven dead, though there is nothing to make a test call with")
			}
			time.Sleep(due)
		}
		if last.Err != nil {
			t.Errorf("no rotation for five intervals: %v", last.Err)
		}
	})
}

// The primary has a previous version of ours but no current one (removed by hand): nothing ever fills it.
func TestAPrimaryWithoutACurrentVersionIsFilled(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		w.Instantly.RevokeByHand(rotatortest.KeyID(2))
		in := w.Start()
		tg := in.Target()
		tg.Stores[0].Store = noCurrent{tg.Stores[0].Store}
		res := in.Rotator.Reconcile(t.Context(), tg, rotator.Request{IgnoreBackoff: true, RotateSince: time.Now()})
		if !res.Rotated {
			t.Errorf("%s: %v", in.Steps(), res.Err)
		}
	})
}

// One stray 401 and a key list that does not show the current key (the one that was made a minute ago, say).
func TestOneStray401MustNotEndALivingKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(2 * time.Minute) // key-2 is current, key-1 in its grace
		in, n := w.Start(), 0
		oddRun(in, rotator.Request{}, oddAPI{
			keys: func(_ context.Context, ks []rotator.Key) (out []rotator.Key, err error) {
				for _, k := range ks {
					if k.ID != rotatortest.KeyID(2) {
						out = append(out, k)
					}
				}
				return out, nil
			},
			probe: func(_ secret.Value, p rotator.TestCall) rotator.TestCall {
				if n++; n == 1 {
					return rotator.TestCall{Verdict: rotator.Invalid, Err: rotatortest.ErrDead}
				}
				return p
			},
		})
		next := w.Start()
		_ = next.Run(rotator.Request{})
	})
}

// An answer that arrives late (the process stood still) counts as fresh.
func TestAnAnswerReadLateIsNotFresh(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		in, n := w.Start(), 0
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "probe" && when == rotatortest.After {
				if n++; n == 1 {
					time.Sleep(100 * time.Second) // within StepTimeout
				}
			}
			return nil
		}
		in.Run(rotator.Request{})
	})
}

// A store says that its consumers cannot read the current key, though this process can: the old key is all that
// they have. In an incident it dies all the same.
func TestATroubledStoreKeepsTheOldKey(t *testing.T) {
	for i := range 2 {
		story(t, 2, func(t *testing.T, w *world) {
			w.Begin("retirement")
			run := func(req rotator.Request) rotator.Result {
				in := w.Start()
				tg := in.Target()
				tg.Stores[i].Store = troubled{tg.Stores[i].Store}
				return in.Rotator.Reconcile(t.Context(), tg, req)
			}
			res := run(rotator.Request{})
			if len(res.Revoked) > 0 || !errors.Is(res.Err, secretstore.ErrCorrupt) || !strings.Contains(res.Err.Error(), "the old key "+rotatortest.KeyID(1)+" lives on until this is put right") {
				t.Errorf("store %d: revoked %v, %v", i, res.Revoked, res.Err)
			}
			w.GraceEnded = true
			if res := run(rotator.Request{Incident: "INC-1"}); len(res.Revoked) != 2 {
				t.Errorf("store %d, in an incident: revoked %v, want both old keys", i, res.Revoked)
			}
		})
	}
}

func TestAPanicInOneTargetsStoreMustNotEndTheOthers(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		bad := in.Target()
		bad.Stores[0].Store = panicking{}
		res := in.Rotator.ReconcileAll(t.Context(), []rotator.Target{bad, in.Target()}, rotator.Request{}, nil)
		if !errors.Is(res[0].Err, rotator.ErrPanic) || !res[1].Rotated {
			t.Errorf("results %+v", res)
		}
	})
}

// Only the record of a failure that was made good is left to clear: "plan" says that something is due.
func TestClearingARecordIsNotDue(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = losingAnswer("promote@0")
		in.Run(rotator.Request{})
		in = w.Start()
		o := in.Rotator.Glance(t.Context(), []rotator.Target{in.Target()}, rotator.Request{})[0]
		if o.Due {
			t.Errorf("due because %q; next step %s", o.Because, o.Next.Verb)
		}
	})
}

// One workspace hangs; the targets of another one wait for it.
func TestAHangingWorkspaceMustNotHoldUpTheOthers(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		hang := rotator.NewWorkspace("hanging", oddAPI{API: in.API(), keys: func(ctx context.Context, _ []rotator.Key) ([]rotator.Key, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, rotatortest.Organization)
		var ts []rotator.Target
		for range 40 {
			x := in.Target()
			x.Workspace = hang
			ts = append(ts, x)
		}
		ts = append(ts, in.Target())
		began, took := time.Now(), time.Hour
		for i := range ts {
			ts[i].Name = string(rune('A' + i))
		}
		var mu sync.Mutex
		in.Rotator.ReconcileAll(t.Context(), ts, rotator.Request{}, func(r rotator.Result) {
			mu.Lock()
			defer mu.Unlock()
			if r.Rotated {
				took = time.Since(began)
			}
		})
		if took > time.Minute {
			t.Errorf("the healthy workspace's target was done after %s; all after %s", took, time.Since(began))
		}
	})
}

// The list of a workspace fails: each of its targets asks for it again.
func TestAFailedListIsSharedToo(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in, lists := w.Start(), 0
		var mu sync.Mutex
		ws := rotator.NewWorkspace("down", oddAPI{API: in.API(), keys: func(ctx context.Context, _ []rotator.Key) ([]rotator.Key, error) {
			mu.Lock()
			lists++
			mu.Unlock()
			time.Sleep(10 * time.Second)
			return nil, errors.New("503")
		}}, rotatortest.Organization)
		var ts []rotator.Target
		for range 40 {
			x := in.Target()
			x.Workspace = ws
			ts = append(ts, x)
		}
		began := time.Now()
		in.Rotator.ReconcileAll(t.Context(), ts, rotator.Request{}, nil)
		if lists > 5 {
			t.Errorf("%d readings of a failing list in %s", lists, time.Since(began))
		}
	})
}

// Due in the grace of the key before: a failure long made good stays on record until the grace ends.
func TestAScopeEditInGraceShowsWhyNothingHappens(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = losingAnswer("promote@0")
		in.Run(rotator.Request{})
		w.Policy.Spec = "leads:update"
		in = w.Start()
		in.Run(rotator.Request{})
		if f := w.failure(); f.Count != 0 {
			t.Errorf("%s: still on record: %+v", in.Steps(), f)
		}
	})
}

// unreadable makes Read of one id corrupt.
type corrupt struct {
	secretstore.Store
	id string
}

func (c corrupt) Read(ctx context.Context, id string) (secret.Value, error) {
	if id == c.id {
		return secret.Value{}, secretstore.ErrCorrupt
	}
	return c.Store.Read(ctx, id)
}

// troubled is a store whose consumers cannot read it.
type troubled struct{ secretstore.Store }

func (troubled) Inspect(context.Context) error { return secretstore.ErrCorrupt }

// noCurrent shows a store whose current version was removed by hand, until there is a new one.
type noCurrent struct{ secretstore.Store }

func (n noCurrent) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	s, err := n.Store.Describe(ctx)
	return hide(s), err
}

func (panicking) Describe(context.Context) (secretstore.Snapshot, error) {
	panic("a nil map in an SDK")
}

func (n noCurrent) Annotate(ctx context.Context, seen secretstore.Snapshot, x secretstore.Notes) (secretstore.Snapshot, error) {
	s, err := n.Store.Annotate(ctx, seen, x)
	return hide(s), err
}

func (n noCurrent) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, val secret.Value) (secretstore.Snapshot, error) {
	s, err := n.Store.Stage(ctx, seen, v, val)
	return hide(s), err
}

func hide(s secretstore.Snapshot) secretstore.Snapshot {
	if s.Versions[secretstore.Current].ID == rotatortest.KeyID(2) {
		delete(s.Versions, secretstore.Current)
	}
	return s
}

type panicking struct{ secretstore.Store }
