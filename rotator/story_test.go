package rotator_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

func story(t *testing.T, stores int, tell func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stores)
		tell(t, w)
		w.check("the rules")
	})
}

func mustSettle(t *testing.T, res rotator.Result) rotator.Result {
	t.Helper()
	if res.Err != nil {
		t.Fatalf("run failed: %v", res.Err)
	}
	return res
}

func expectSteps(t *testing.T, in *instance, want string) {
	t.Helper()
	if got := in.steps(); got != want {
		t.Errorf("steps:\n got %s\nwant %s", got, want)
	}
}

func TestFirstRunFillsAnEmptyStore(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.start()
		res := mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "reserve issue try stage verify promote settled")
		if !res.Rotated || !res.Next.Equal(time.Now().Add(interval+late)) {
			t.Errorf("result: %+v", res)
		}
	})
}

func TestARotationKeepsTheOldKeyForItsGrace(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		res := mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "reserve issue try stage verify promote settled")
		if !res.Next.Equal(time.Now().Add(grace + late)) {
			t.Errorf("next look in %s, want at the end of grace", time.Until(res.Next))
		}
		time.Sleep(grace + late - time.Second)
		in = w.start()
		mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "settled")
		time.Sleep(time.Second)
		in = w.start()
		mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "verify revoke prove destroy settled")
		w.judgeEnd()
	})
}

func TestFollowersAreDeliveredAndGraceStartsWithTheLast(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		in := w.start()
		in.hook = failing("stage@1", errors.New("follower is down"))
		if res := in.run(rotator.Request{}); res.Err == nil {
			t.Fatal("a follower failed and the run says settled")
		}
		time.Sleep(grace + late)
		in = w.start()
		mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "verify stage@1 verify@1 promote@1 clear settled")
		time.Sleep(grace + late - time.Second)
		in = w.start()
		mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "settled")
		time.Sleep(time.Second)
		in = w.start()
		mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "verify verify@1 revoke prove destroy@1 destroy settled")
		w.judgeEnd()
	})
}

func TestALostCreateIsNeverRepeatedAndItsKeyIsSwept(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.start()
		in.hook = losingAnswer("create")
		if res := in.run(rotator.Request{}); res.Err == nil || w.cloud.creates != 1 {
			t.Fatalf("err %v, %d creates; want an error and one create", res.Err, w.cloud.creates)
		}
		in = w.start()
		res := mustSettle(t, in.run(rotator.Request{IgnoreBackoff: true}))
		expectSteps(t, in, "reserve sweep issue try stage verify promote clear settled")
		if len(res.Swept) != 1 || res.Swept[0] != "key-1" || w.cloud.creates != 2 {
			t.Errorf("swept %v after %d creates, want key-1 after 2", res.Swept, w.cloud.creates)
		}
	})
}

func TestAnInterruptedRotationInBackoffLeavesNoKeyAlive(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.start()
		in.hook = losingAnswer("create")
		in.run(rotator.Request{})
		in = w.start()
		res := mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "cancel sweep settled")
		if !res.Failing || time.Until(res.Next) != time.Minute {
			t.Errorf("result %+v, want a wait of a minute", res)
		}
	})
}

func TestAKeyThatNeverWorksIsDiscarded(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.activation = time.Hour
		in := w.start()
		res := in.run(rotator.Request{})
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
		in := w.start()
		in.hook = failing("promote@0", errStruck)
		in.run(rotator.Request{})
		time.Sleep(time.Hour)
		for _, k := range w.cloud.keys {
			k.deadFrom = time.Now() // refused, though nobody revoked it
		}
		in = w.start()
		res := in.run(rotator.Request{})
		expectSteps(t, in, "verify verify verify discard")
		if !errors.Is(res.Err, rotator.ErrNeverValid) {
			t.Errorf("err = %v", res.Err)
		}
	})
}

func TestASlowKeyIsWaitedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.activation = 40 * time.Second
		if res := mustSettle(t, w.start().run(rotator.Request{})); !res.Rotated {
			t.Error("not rotated")
		}
	})
}

func TestALateRevocationIsWaitedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.revocation = 40 * time.Second
		rotateAndEndGrace(t, w)
		if res := mustSettle(t, w.start().run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("result %+v", res)
		}
		w.judgeEnd()
	})
}

func TestARevokedKeyThatGoesOnWorkingIsKeptInSight(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.revocation = time.Hour
		rotateAndEndGrace(t, w)
		for range 2 {
			if res := w.start().run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrStillAlive) {
				t.Fatalf("err = %v, want ErrStillAlive", res.Err)
			}
		}
		time.Sleep(time.Hour)
		mustSettle(t, w.start().run(rotator.Request{}))
		w.judgeEnd()
	})
}

// rotateAndEndGrace leaves a world in which the old key is to be revoked now.
func rotateAndEndGrace(t *testing.T, w *world) {
	t.Helper()
	mustSettle(t, w.start().run(rotator.Request{}))
	time.Sleep(interval + late)
	mustSettle(t, w.start().run(rotator.Request{}))
	time.Sleep(grace + late)
}

func TestAnInconclusiveTestCallStopsWithBothKeysAlive(t *testing.T) {
	for _, when := range []string{"before the new key is stored", "before the old key is revoked"} {
		t.Run(when, func(t *testing.T) {
			story(t, 1, func(t *testing.T, w *world) {
				mustSettle(t, w.start().run(rotator.Request{}))
				time.Sleep(interval + late)
				if when == "before the old key is revoked" {
					mustSettle(t, w.start().run(rotator.Request{}))
					time.Sleep(grace + late)
				}
				before := len(w.cloud.listedKeys())
				w.cloud.probeErr = errors.New("402: no active paid plan")
				res := w.start().run(rotator.Request{})
				if !errors.Is(res.Err, rotator.ErrIndeterminate) {
					t.Fatalf("err = %v, want ErrIndeterminate", res.Err)
				}
				if len(res.Revoked)+len(res.Swept) != 0 || len(w.cloud.listedKeys()) < before {
					t.Errorf("a key was revoked on an inconclusive answer: %+v", res)
				}
				w.cloud.probeErr = nil
				w.settle()
			})
		})
	}
}

func TestAKeyRevokedByHandIsReplacedAtOnce(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		res := mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.cloud.revokeByHand(res.KeyID)
		in := w.start()
		if res := mustSettle(t, in.run(rotator.Request{})); !res.Rotated {
			t.Errorf("not rotated: %s", in.steps())
		}
		if reason := in.reasonOf(rotator.Reserve); reason != "the current key no longer works: it was revoked, or the stored value is wrong" {
			t.Errorf("reason given: %q", reason)
		}
		w.settle()
	})
}

func TestAKeyRevokedByHandIsReplacedInTheGraceOfTheOneBefore(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		old := mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		res := mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.cloud.revokeByHand(res.KeyID)
		mustSettle(t, w.start().run(rotator.Request{}))
		if !w.cloud.keys[old.KeyID].listed() {
			t.Fatal("the key that caching consumers still use was revoked in its grace period")
		}
		w.settle()
	})
}

func TestAHandMadeSecretIsUsedReplacedWhenDueAndNeverRevoked(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		in := w.start()
		res := mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "verify settled")
		if res.Rotated || !res.Next.Equal(time.Now().Add(interval)) {
			t.Errorf("result %+v, want it left alone until it is due", res)
		}
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(grace + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		w.settle()
		if !k.listed() {
			t.Error("a key that is not ours was revoked")
		}
	})
}

func TestAHandMadeValueOverOursIsNotFought(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		mustSettle(t, w.start().run(rotator.Request{}))
		if !w.cloud.keys[ours.KeyID].listed() {
			t.Fatal("our displaced key was revoked without grace")
		}
		time.Sleep(grace + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		if w.cloud.keys[ours.KeyID].listed() || currentValue(w.stores[0]) != k.value {
			t.Error("after its grace our displaced key should be gone and the hand-made one still current")
		}
	})
}

func TestAHandMadeValueInThePrimaryLeavesTheFollowersKeyAlive(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		ours := mustSettle(t, w.start().run(rotator.Request{}))
		k := w.cloud.add("made by hand")
		w.stores[0].PutByHand(k.Secret)
		w.judge("a person's put")
		for range 3 {
			mustSettle(t, w.start().run(rotator.Request{}))
			time.Sleep(grace + late)
		}
		if !w.cloud.keys[ours.KeyID].listed() {
			t.Error("the key that the follower's consumers read was revoked")
		}
	})
}

func TestARotationIsRefusedInTheGracePeriod(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		first := mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(interval + late)
		mustSettle(t, w.start().run(rotator.Request{}))
		promoted := time.Now()
		time.Sleep(time.Hour)
		res := w.start().run(rotator.Request{RotateSince: time.Now()})
		var inGrace *rotator.GraceError
		if !errors.As(res.Err, &inGrace) || inGrace.KeyID != first.KeyID || !inGrace.Until.Equal(promoted.Add(grace+late)) {
			t.Fatalf("err = %v, want it to name the old key and the end of its grace", res.Err)
		}
		w.graceEnded = true
		res = mustSettle(t, w.start().run(rotator.Request{RotateSince: time.Now(), EndGrace: true}))
		if !res.Rotated || len(res.Revoked) != 1 || res.Revoked[0] != first.KeyID {
			t.Errorf("result %+v, want the old key's grace ended and a new key", res)
		}
		if len(w.oldVersions()) != 1 {
			t.Error("ending the grace of the old key must not end that of the key displaced now")
		}
	})
}

func TestARotationAskedForIsDoneOnce(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		time.Sleep(time.Hour)
		asked := time.Now()
		crashed := w.start()
		crashed.hook = (&striker{blows: []blow{{call: 8, crash: true, after: true}}}).hook
		crashed.run(rotator.Request{RotateSince: asked})
		asked = asked.Add(time.Second)
		time.Sleep(time.Second)
		res := mustSettle(t, w.start().run(rotator.Request{RotateSince: asked, IgnoreBackoff: true}))
		if !res.Rotated || len(w.oldVersions()) != 1 {
			t.Errorf("result %+v, old %v; want the interrupted rotation carried on, and no second one", res, w.oldVersions())
		}
	})
}

func TestARotationAskedForRightAfterOneIsNotTakenForDone(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		for range 2 {
			if res := mustSettle(t, w.start().run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
				t.Fatal("not rotated, and not refused")
			}
			time.Sleep(time.Second)
		}
		if res := w.start().run(rotator.Request{RotateSince: time.Now()}); !errors.Is(res.Err, rotator.ErrInGrace) {
			t.Errorf("err = %v, want the third one refused", res.Err)
		}
	})
}

func TestAChangeOfScopesRotatesAndTheirOrderDoesNot(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.start().run(rotator.Request{}))
		w.policy.Scopes = []string{"leads:update", "campaigns:read"}
		if res := mustSettle(t, w.start().run(rotator.Request{})); res.Rotated {
			t.Error("another order of the same scopes rotated")
		}
		w.policy.Scopes = []string{"leads:update"}
		in := w.start()
		if res := mustSettle(t, in.run(rotator.Request{})); !res.Rotated {
			t.Error("a change of scopes did not rotate")
		}
	})
}

func TestAnEditInMidRotationFinishesUnderTheOldConfiguration(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.start()
		in.hook = failing("promote@0", errStruck)
		in.run(rotator.Request{})
		w.policy.Scopes, w.policy.Grace = []string{"leads:update"}, time.Second
		mustSettle(t, w.start().run(rotator.Request{IgnoreBackoff: true}))
		time.Sleep(grace + late)
		w.settle()
	})
}

func TestALostPromotionTimeMakesTheOldKeyLiveLonger(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		w.stores[0].ForgetPromoted()
		in := w.start()
		res := mustSettle(t, in.run(rotator.Request{}))
		expectSteps(t, in, "repair settled")
		if !res.Next.Equal(time.Now().Add(grace + late)) {
			t.Errorf("next look in %s, want a whole grace period", time.Until(res.Next))
		}
	})
}

func TestNothingIsTouchedInAnotherOrganization(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		for _, k := range w.cloud.keys {
			k.Organization = "org-other"
		}
		w.cloud.org = "org-other"
		keys := len(w.cloud.listedKeys())
		if res := w.start().run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrOrganization) || len(w.cloud.listedKeys()) != keys {
			t.Errorf("err = %v, %d keys of %d left", res.Err, len(w.cloud.listedKeys()), keys)
		}
	})
}

func TestNoKeyIsIssuedWithAnAdminKeyOfAnotherOrganization(t *testing.T) {
	for _, listed := range []int{0, 1} { // an empty list does not name the organization
		story(t, 1, func(t *testing.T, w *world) {
			w.cloud.org = "org-other"
			for range listed {
				w.cloud.add("somebody's")
			}
			if res := w.start().run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrOrganization) || w.cloud.creates != 0 {
				t.Errorf("err = %v, %d creates", res.Err, w.cloud.creates)
			}
		})
	}
}

func TestAKeyIssuedInTheWrongOrganizationIsGivenBack(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.add("keeps the list in the right organization")
		in := w.start()
		in.hook = func(op string, when memstore.When) error {
			if op == "create" {
				w.cloud.org = "org-other"
			}
			return nil
		}
		res := in.run(rotator.Request{})
		if !errors.Is(res.Err, rotator.ErrOrganization) || len(w.cloud.listedKeys()) != 1 || len(w.stores[0].Contents()) != 0 {
			t.Errorf("err = %v, %d keys, store %v", res.Err, len(w.cloud.listedKeys()), w.stores[0].Contents())
		}
	})
}

func TestNoKeyIsIssuedThatCouldNotBeRevoked(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.start()
		in.hook = failing("check", errors.New("the admin key lacks api_keys:delete"))
		if res := in.run(rotator.Request{}); res.Err == nil || w.cloud.creates != 0 {
			t.Errorf("err %v, %d creates", res.Err, w.cloud.creates)
		}
	})
}

func TestNoKeyIsIssuedWhileAStoreCannotBeReadOrWritten(t *testing.T) {
	for _, op := range []string{"describe@0", "describe@1", "annotate@0"} {
		t.Run(op, func(t *testing.T) {
			story(t, 2, func(t *testing.T, w *world) {
				in := w.start()
				in.hook = failing(op, errStruck)
				if res := in.run(rotator.Request{}); !errors.Is(res.Err, errStruck) || w.cloud.creates != 0 {
					t.Errorf("err %v, %d creates", res.Err, w.cloud.creates)
				}
			})
		})
	}
}

func TestAnInterruptFinishesTheStepInHandAndStoresTheKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.cloud.activation = 3 * time.Second
		ctx, cancel := context.WithCancel(context.Background())
		in := w.start()
		in.hook = func(op string, when memstore.When) error {
			if op == "create" {
				cancel()
			}
			return nil
		}
		res := in.rotator.Reconcile(ctx, in.target(), rotator.Request{})
		if !res.Interrupted || res.Err != nil {
			t.Fatalf("result %+v, want interrupted", res)
		}
		expectSteps(t, in, "reserve issue try try try try try stage")
		mustSettle(t, w.start().run(rotator.Request{}))
		if w.cloud.creates != 1 {
			t.Errorf("%d keys were issued: the interrupted rotation was not carried on", w.cloud.creates)
		}
	})
}

func TestAnInterruptCutsMereLookingOff(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(context.Background())
		in := w.start()
		target := in.target()
		target.Workspace = rotator.NewWorkspace("acme", oddAPI{tappedAPI: tappedAPI{in}, keys: func(ctx context.Context, _ []instantly.Key) ([]instantly.Key, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}, orgID)
		began := time.Now()
		if res := in.rotator.Reconcile(ctx, target, rotator.Request{}); !res.Interrupted || res.Err != nil || time.Since(began) > time.Second {
			t.Errorf("result %+v after %s", res, time.Since(began))
		}
	})
}

func TestAFailureIsKeptBesideTheSecretAndClearedOnceMadeGood(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		for i := range 3 {
			in := w.start()
			in.hook = failing("stage@0", errStruck)
			in.run(rotator.Request{IgnoreBackoff: true})
			if f := w.failure(t); f.Count != i+1 || f.Step != "stage" || f.Reason == "" || !f.At.Equal(time.Now()) {
				t.Fatalf("failure recorded: %+v", f)
			}
		}
		res := mustSettle(t, w.start().run(rotator.Request{}))
		if !res.Failing || time.Until(res.Next) != 4*time.Minute {
			t.Errorf("result %+v, want a wait of 4 minutes", res)
		}
		time.Sleep(4 * time.Minute)
		mustSettle(t, w.start().run(rotator.Request{}))
		if f := w.failure(t); f.Count != 0 {
			t.Errorf("still on record: %+v", f)
		}
	})
}
