package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

func TestFirstRunFillsAnEmptyStore(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		res := mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "reserve issue try stage verify promote settled")
		if !res.Rotated || !res.Next.Equal(time.Now().Add(due)) {
			t.Errorf("result: %+v", res)
		}
	})
}

func TestARotationKeepsTheOldKeyForItsGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		res := mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "reserve issue try stage verify promote settled")
		if !res.Next.Equal(time.Now().Add(graceOver)) {
			t.Errorf("next run in %s, want at the end of grace", time.Until(res.Next))
		}
		time.Sleep(graceOver - time.Second)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "settled")
		time.Sleep(time.Second)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify revoke prove destroy settled")
		w.JudgeEnd()
	})
}

func TestFollowersAreDeliveredAndGraceStartsWithTheLast(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("stage@1", errors.New("follower is down"))
		if res := in.Run(rotator.Request{}); res.Err == nil {
			t.Fatal("a follower failed and the run says settled")
		}
		time.Sleep(graceOver)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify stage@1 verify@1 promote@1 clear settled")
		time.Sleep(graceOver - time.Second)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "settled")
		time.Sleep(time.Second)
		in = w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "verify verify@1 revoke prove destroy@1 destroy settled")
		w.JudgeEnd()
	})
}

func TestALostCreateIsNeverRepeatedAndItsKeyIsSwept(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = losingAnswer("create")
		if res := in.Run(rotator.Request{}); res.Err == nil || w.Instantly.Creates != 1 {
			t.Fatalf("err %v, %d creates; want an error and one create", res.Err, w.Instantly.Creates)
		}
		in = w.Start()
		res := mustSettle(t, in.Run(rotator.Request{IgnoreBackoff: true}))
		expectSteps(t, in, "reserve sweep issue try stage verify promote clear settled")
		if len(res.Swept) != 1 || res.Swept[0] != rotatortest.KeyID(1) || w.Instantly.Creates != 2 {
			t.Errorf("swept %v after %d creates, want key-1 after 2", res.Swept, w.Instantly.Creates)
		}
	})
}

func TestAnInterruptedRotationInBackoffLeavesNoKeyAlive(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = losingAnswer("create")
		in.Run(rotator.Request{})
		in = w.Start()
		res := mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "cancel sweep settled")
		if !res.Failing || time.Until(res.Next) != time.Minute {
			t.Errorf("result %+v, want a wait of a minute", res)
		}
	})
}

func TestAKeyThatNeverWorksIsDiscarded(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Activation = time.Hour
		in := w.Start()
		res := in.Run(rotator.Request{})
		if !errors.Is(res.Err, rotator.ErrNeverValid) || len(res.Discarded) != 1 {
			t.Fatalf("result %+v, want the key discarded", res)
		}
		if len(w.stores[0].Contents()) != 0 {
			t.Error("an untested value reached the store")
		}
	})
}

func TestAPendingKeyThatStoppedWorkingIsDiscarded(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = failing("promote@0", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		time.Sleep(time.Hour)
		for _, k := range w.Instantly.Keys {
			k.DeadFrom = time.Now() // refused, though nobody revoked it
		}
		in = w.Start()
		res := in.Run(rotator.Request{})
		expectSteps(t, in, "verify verify verify discard")
		if !errors.Is(res.Err, rotator.ErrNeverValid) {
			t.Errorf("err = %v", res.Err)
		}
	})
}

func TestASlowKeyIsWaitedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Activation = 40 * time.Second
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("not rotated")
		}
	})
}

func TestALateRevocationIsWaitedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Revocation = 40 * time.Second
		rotateAndEndGrace(t, w)
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("result %+v", res)
		}
		w.JudgeEnd()
	})
}

func TestARevokedKeyThatGoesOnWorkingIsKeptInSight(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Revocation = time.Hour
		rotateAndEndGrace(t, w)
		for range 2 {
			if res := w.Start().Run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrStillAlive) {
				t.Fatalf("err = %v, want ErrStillAlive", res.Err)
			}
		}
		time.Sleep(time.Hour)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.JudgeEnd()
	})
}

func TestAnInconclusiveTestCallStopsWithBothKeysAlive(t *testing.T) {
	for _, when := range []string{"before the new key is stored", "before the old key is revoked"} {
		t.Run(when, func(t *testing.T) {
			story(t, 1, func(t *testing.T, w *world) {
				mustSettle(t, w.Start().Run(rotator.Request{}))
				time.Sleep(due)
				if when == "before the old key is revoked" {
					mustSettle(t, w.Start().Run(rotator.Request{}))
					time.Sleep(graceOver)
				}
				before := len(w.Instantly.ListedKeys())
				w.Instantly.ProbeErr = errors.New("402: no active paid plan")
				res := w.Start().Run(rotator.Request{})
				if !errors.Is(res.Err, rotator.ErrIndeterminate) {
					t.Fatalf("err = %v, want ErrIndeterminate", res.Err)
				}
				if len(res.Revoked)+len(res.Swept) != 0 || len(w.Instantly.ListedKeys()) < before {
					t.Errorf("a key was revoked on an inconclusive answer: %+v", res)
				}
				w.Instantly.ProbeErr = nil
				w.Settle()
			})
		})
	}
}

func TestARotationIsRefusedInTheGracePeriod(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		promoted := time.Now()
		time.Sleep(time.Hour)
		res := w.Start().Run(rotator.Request{RotateSince: time.Now()})
		var inGrace *rotator.GraceError
		if !errors.As(res.Err, &inGrace) || inGrace.KeyID != first.KeyID || !inGrace.Until.Equal(promoted.Add(graceOver)) {
			t.Fatalf("err = %v, want it to name the old key and the end of its grace", res.Err)
		}
		w.GraceEnded = true
		res = mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now(), EndGrace: true}))
		if !res.Rotated || len(res.Revoked) != 1 || res.Revoked[0] != first.KeyID {
			t.Errorf("result %+v, want the old key's grace ended and a new key", res)
		}
		if len(w.OldVersions()) != 1 {
			t.Error("ending the grace of the old key must not end that of the key displaced now")
		}
	})
}

func TestARotationAskedForIsDoneOnce(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		asked := time.Now()
		crashed := w.Start()
		crashed.Hook = (&rotatortest.Injector{Faults: []rotatortest.Fault{{Call: 8, Crash: true, After: true}}}).Hook
		crashed.Run(rotator.Request{RotateSince: asked})
		asked = asked.Add(time.Second)
		time.Sleep(time.Second)
		res := mustSettle(t, w.Start().Run(rotator.Request{RotateSince: asked, IgnoreBackoff: true}))
		if !res.Rotated || len(w.OldVersions()) != 1 {
			t.Errorf("result %+v, old %v; want the interrupted rotation carried on, and no second one", res, w.OldVersions())
		}
	})
}

func TestARotationAskedForRightAfterOneIsNotTakenForDone(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		for range 2 {
			if res := mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
				t.Fatal("not rotated, and not refused")
			}
			time.Sleep(time.Second)
		}
		if res := w.Start().Run(rotator.Request{RotateSince: time.Now()}); !errors.Is(res.Err, rotator.ErrInGrace) {
			t.Errorf("err = %v, want the third one refused", res.Err)
		}
	})
}

func TestAChangeOfScopesRotatesAndTheirOrderDoesNot(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Policy.Spec = apikeys.SpecOf([]string{"leads:update", "campaigns:read"})
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); res.Rotated {
			t.Error("another order of the same scopes rotated")
		}
		w.Policy.Spec = "leads:update"
		in := w.Start()
		if res := mustSettle(t, in.Run(rotator.Request{})); !res.Rotated {
			t.Error("a change of scopes did not rotate")
		}
	})
}

func TestAnEditInMidRotationFinishesUnderTheOldConfiguration(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = failing("promote@0", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		w.Policy.Spec, w.Policy.Grace = "leads:update", time.Second
		mustSettle(t, w.Start().Run(rotator.Request{IgnoreBackoff: true}))
		time.Sleep(graceOver)
		w.Settle()
	})
}

func TestALostPromotionTimeMakesTheOldKeyLiveLonger(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		w.stores[0].ForgetPromoted()
		in := w.Start()
		res := mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "repair settled")
		if !res.Next.Equal(time.Now().Add(graceOver)) {
			t.Errorf("next run in %s, want a whole grace period", time.Until(res.Next))
		}
	})
}

func TestAnInterruptFinishesTheStepInHandAndStoresTheKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Activation = 3 * time.Second
		ctx, cancel := context.WithCancel(context.Background())
		in := w.Start()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "create" {
				cancel()
			}
			return nil
		}
		res := in.Rotator.Reconcile(ctx, in.Target(), rotator.Request{})
		if !res.Interrupted || res.Err != nil {
			t.Fatalf("result %+v, want interrupted", res)
		}
		expectSteps(t, in, "reserve issue try try try try try stage")
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if w.Instantly.Creates != 1 {
			t.Errorf("%d keys were issued: the interrupted rotation was not carried on", w.Instantly.Creates)
		}
	})
}

func TestAnInterruptCutsMereReadingOff(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(context.Background())
		in := w.Start()
		target := in.Target()
		target.Workspace = rotator.NewWorkspace("acme", oddAPI{API: in.API(), keys: func(ctx context.Context, _ []rotator.Key) ([]rotator.Key, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}, rotatortest.Organization)
		began := time.Now()
		if res := in.Rotator.Reconcile(ctx, target, rotator.Request{}); !res.Interrupted || res.Err != nil || time.Since(began) > time.Second {
			t.Errorf("result %+v after %s", res, time.Since(began))
		}
	})
}

func TestAFailureIsKeptBesideTheSecretAndClearedOnceMadeGood(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		for i := range 3 {
			in := w.Start()
			in.Hook = failing("stage@0", rotatortest.ErrInjected)
			in.Run(rotator.Request{IgnoreBackoff: true})
			if f := w.failure(); f.Count != i+1 || f.Step != "stage" || f.Reason == "" || !f.At.Equal(time.Now()) {
				t.Fatalf("failure recorded: %+v", f)
			}
		}
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if !res.Failing || time.Until(res.Next) != 4*time.Minute {
			t.Errorf("result %+v, want a wait of 4 minutes", res)
		}
		time.Sleep(4 * time.Minute)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		if f := w.failure(); f.Count != 0 {
			t.Errorf("still on record: %+v", f)
		}
	})
}

// One list speaks for all keys that are issued within a minute: reading a long list
// again for each of many keys would be most of what they cost.
func TestManyKeysAreConfirmedByOneList(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := &instance{w.StartWith(rotator.Options{Concurrency: 1})}
		lists := 0
		in.Hook = func(call string, when rotatortest.When) error {
			if call == "keys" && when == rotatortest.Before {
				lists++
			}
			return nil
		}
		space := in.Target().Workspace
		var ts []rotator.Target
		for i := range 10 {
			x := in.Target()
			x.Name, x.Workspace = fmt.Sprint("target-", i), space
			x.Stores = []rotator.NamedStore{{Name: "s", Store: memstore.New(x.Name)}}
			ts = append(ts, x)
		}
		for _, res := range in.Rotator.ReconcileAll(t.Context(), ts, rotator.Request{}, nil) {
			if !res.Rotated {
				t.Errorf("%s: %v", res.Target, res.Err)
			}
		}
		if lists != 2 {
			t.Errorf("the keys were listed %d times, want once at the beginning and once for all new keys", lists)
		}
		time.Sleep(due)
		w.Instantly.Misnames = func(rotatortest.Key) bool { return true }
		if res := in.Rotator.Reconcile(t.Context(), ts[0], rotator.Request{}); !errors.Is(res.Err, rotator.ErrUnlisted) {
			t.Errorf("result %+v: what was so a minute ago is taken to be so now", res)
		}
	})
}

// The answer to a create has another id than the key list: the key was promoted under the wrong one, and the next run
// swept the true one, which consumers read.
func TestAKeyThatTheListHasUnderAnotherIDIsNotPromoted(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		first := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		w.Instantly.Misnames = func(rotatortest.Key) bool { return true }
		in := w.Start()
		if res := in.Run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrUnlisted) || res.KeyID != first.KeyID {
			t.Fatalf("%s: result %+v, want the first key still current, and the reason", in.Steps(), res)
		}
		w.Instantly.Misnames = nil
		res := mustSettle(t, w.Start().Run(rotator.Request{IgnoreBackoff: true}))
		if len(res.Swept) != 1 || res.Swept[0] != rotatortest.KeyID(2) {
			t.Errorf("swept %v, want the key that was issued under another id", res.Swept)
		}
		w.Settle()
	})
}
