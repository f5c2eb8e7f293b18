package rotator_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// left is the order that somebody's leaving gives.
var left = rotator.Request{Incident: "left: ann", Soft: true, IgnoreBackoff: true}

func TestKeysOfWhoHasLeftGetTheirGracePeriod(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		old := mustSettle(t, w.Start().Run(rotator.Request{})).KeyID
		time.Sleep(time.Hour)
		res := mustSettle(t, w.Start().Run(left))
		if !res.Rotated || !w.Instantly.Keys[old].Listed() || res.Status.Softly.IsZero() || !res.Status.Incident.IsZero() {
			t.Errorf("rotated %t, the old key lives %t: %+v", res.Rotated, w.Instantly.Keys[old].Listed(), res.Status)
		}
		for range 2 {
			time.Sleep(time.Hour)
			if again := mustSettle(t, w.Start().Run(left)); again.Rotated || again.KeyID != res.KeyID {
				t.Errorf("the same order was done twice: %+v", again)
			}
		}
		time.Sleep(graceOver)
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("revoked %v when the grace period was over", res.Revoked)
		}
		if again := mustSettle(t, w.Start().Run(left)); !again.Answered || again.Rotated || w.Instantly.Creates != 2 {
			t.Errorf("the same order later: %+v", again)
		}
		w.JudgeEnd()
	})
}

// Each call is cut off once; another run, which was asked for nothing, carries the order on.
func TestOrderOfALeavingIsCarriedOnFromEveryCall(t *testing.T) {
	const most = 60
	for at := 1; at <= most; at++ {
		for _, when := range []rotatortest.When{rotatortest.Before, rotatortest.After} {
			story(t, 2, func(t *testing.T, w *world) {
				old := mustSettle(t, w.Start().Run(rotator.Request{})).KeyID
				time.Sleep(time.Hour)
				calls, in := 0, w.Start()
				in.Hook = func(_ string, now rotatortest.When) error {
					if now == rotatortest.Before {
						calls++
					}
					if calls == at && now == when {
						return rotatortest.ErrInjected
					}
					return nil
				}
				in.Run(left)
				noted := !w.Snapshot(0).Notes.Incident.IsZero()
				time.Sleep(time.Hour)
				mustSettle(t, w.Start().Run(rotator.Request{}))
				if noted && w.Snapshot(0).Versions[secretstore.Current].ID == old {
					t.Errorf("call %d, %v: noted, and not carried on", at, when)
				}
				mustSettle(t, w.Start().Run(left))
				time.Sleep(graceOver)
				mustSettle(t, w.Start().Run(left))
				res := mustSettle(t, w.Start().Run(left))
				if !res.Answered || w.Instantly.Keys[old].Listed() {
					t.Errorf("call %d, %v: %+v", at, when, res)
				}
				w.JudgeEnd()
			})
		}
	}
}

// Somebody left, and then it is found that the keys are in wrong hands: what grace is left
// ends, and the key that was just made lives on.
func TestSameIncidentWithoutGraceEndsIt(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		old := mustSettle(t, w.Start().Run(rotator.Request{})).KeyID
		time.Sleep(time.Hour)
		soft := mustSettle(t, w.Start().Run(left))
		time.Sleep(time.Minute)
		w.GraceEnded = true
		hard := left
		hard.Soft = false
		res := mustSettle(t, w.Start().Run(hard))
		if res.Rotated || res.KeyID != soft.KeyID || w.Instantly.Keys[old].Listed() || w.Instantly.Creates != 2 {
			t.Errorf("rotated %t, old key lives %t, %d creates", res.Rotated, w.Instantly.Keys[old].Listed(), w.Instantly.Creates)
		}
		if again := mustSettle(t, w.Start().Run(hard)); !again.Answered {
			t.Errorf("once more: %+v", again)
		}
		w.JudgeEnd()
	})
}

// Two people left; that one of them has been told of already is no reason to rotate.
func TestSeveralWhoLeftAreOneOrder(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		both := left
		both.Incident = "left: ann, left: bob, left: cyd"
		mustSettle(t, w.Start().Run(both))
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		for _, name := range []string{"left: bob", "left: ann, left: cyd"} {
			one := left
			one.Incident = name
			if res := mustSettle(t, w.Start().Run(one)); !res.Answered || res.Rotated {
				t.Errorf("%s: %+v", name, res)
			}
		}
	})
}
