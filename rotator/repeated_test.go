package rotator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Two people on call give the same order. The second one must not cut off the key that
// consumers were just restarted onto.
func TestTheSameIncidentOnceMoreIsAnswered(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		first := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-8"}))
		if first.Answered {
			t.Error("the first order was not carried out but answered")
		}
		time.Sleep(3 * time.Second)
		resolved := w.Snapshot(0).Notes.Incident
		second := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-8"}))
		if !second.Answered || second.Rotated || len(second.Revoked) > 0 || second.KeyID != first.KeyID {
			t.Errorf("the same order again: %+v", second)
		}
		if second.Status.Resolved != resolved || !second.Status.Incident.IsZero() {
			t.Errorf("resolved is %+v, open is %+v", second.Status.Resolved, second.Status.Incident)
		}
		if again := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-8", Again: true})); !again.Rotated || again.Answered {
			t.Errorf("with a word of its own: %+v", again)
		}
		if other := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-9"})); !other.Rotated || other.Answered {
			t.Errorf("another incident: %+v", other)
		}
		w.JudgeEnd()
	})
}

// What is current is not a key of after the incident: then the order is carried out.
func TestAnIncidentIsNotAnsweredOverAValueOfUnknownOrigin(t *testing.T) {
	for where := range 2 {
		story(t, 2, func(t *testing.T, w *world) {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(time.Hour)
			w.GraceEnded = true
			mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-8"}))
			w.stores[where].PutByHand(w.Instantly.Add("made by hand").Key.Value)
			w.Judge("a person's put")
			if res := w.Start().Run(rotator.Request{Incident: "INC-8"}); res.Err != nil || !res.Rotated || res.Answered {
				t.Errorf("store %d: %+v", where, res)
			}
		})
	}
}

// Whoever ends a grace period wants the old key gone, and no new one: not the second
// time either, and not where one is due.
func TestEndingTheGracePeriodBeginsNoRotation(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		end := rotator.Request{EndGrace: true, NoRotation: true}
		if res := mustSettle(t, w.Start().Run(end)); len(res.Revoked) != 1 || res.Rotated {
			t.Errorf("the grace period was not ended: %+v", res)
		}
		if res := mustSettle(t, w.Start().Run(end)); len(res.Revoked) != 0 || res.Rotated {
			t.Errorf("ended twice: %+v", res)
		}
		time.Sleep(due)
		if res := mustSettle(t, w.Start().Run(end)); res.Rotated || !res.Waiting || w.Instantly.Creates != 2 {
			t.Errorf("with a rotation due: %+v", res)
		}
		w.Settle()
	})
}

// A previous version of unknown origin is never revoked, and would stand in the way of
// the next rotation until its grace is over.
func TestEndingTheGracePeriodMakesRoom(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()}))
		time.Sleep(time.Hour)
		mustSettle(t, w.Start().Run(rotator.Request{EndGrace: true, NoRotation: true}))
		if res := mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
			t.Errorf("not rotated: %+v", res)
		}
	})
}

// resolvedIncident is the world after an incident that was dealt with.
func resolvedIncident(t *testing.T, w *world) rotator.Result {
	t.Helper()
	mustSettle(t, w.Start().Run(rotator.Request{}))
	time.Sleep(time.Hour)
	w.GraceEnded = true
	return mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-8", IgnoreBackoff: true}))
}

func TestTheSameIncidentIsNotDoneAgainForAFollowerThatCannotBeRead(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		first := resolvedIncident(t, w)
		time.Sleep(3 * time.Second)
		in := w.Start()
		in.Hook = failing("describe@1", rotatortest.ErrInjected)
		if res := in.Run(rotator.Request{Incident: "INC-8", IgnoreBackoff: true}); res.Rotated || res.Answered || res.KeyID != first.KeyID {
			t.Errorf("rotated %v, answered %v, key %s instead of %s", res.Rotated, res.Answered, res.KeyID, first.KeyID)
		}
		if res := w.Start().Run(rotator.Request{}); len(res.Revoked) > 0 {
			t.Errorf("the next run revoked %v", res.Revoked)
		}
	})
}

func TestTheSameIncidentIsNotDoneAgainForANewFollower(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		first := resolvedIncident(t, w)
		time.Sleep(3 * time.Second)
		in := w.Start()
		target := in.Target()
		target.Stores = append(target.Stores, rotator.NamedStore{Name: "s1", Store: memstore.New("new")})
		res := in.Rotator.Reconcile(t.Context(), target, rotator.Request{Incident: "INC-8", IgnoreBackoff: true})
		if res.Rotated || res.KeyID != first.KeyID {
			t.Errorf("rotated %v, key %s instead of %s", res.Rotated, res.KeyID, first.KeyID)
		}
	})
}

func TestEndingTheGracePeriodUnderAHoldDestroysNothing(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.stores[0].PutByHand(w.Instantly.Add("made by hand").Key.Value)
		mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()}))
		time.Sleep(time.Hour)
		in := w.Start()
		if err := in.Rotator.Hold(t.Context(), in.Target(), secretstore.Hold{Since: time.Now(), Reason: "leave it"}); err != nil {
			t.Fatal(err)
		}
		res := w.Start().Run(rotator.Request{EndGrace: true, NoRotation: true})
		if _, stands := w.Snapshot(0).Versions[secretstore.Previous]; !stands || !errors.Is(res.Err, rotator.ErrHeld) {
			t.Errorf("stands %v, error %v", stands, res.Err)
		}
	})
}

// The second order finds the first one open, and is about the same keys: it is carried on as a part of it, under both
// names, and neither cuts off the key that the other one makes.
func TestTwoIncidentsOfTheSameKeysAreOne(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		leaked := mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		var second rotator.Result
		in := w.Start()
		in.Hook = meanwhile("keys", 1, func() {
			time.Sleep(10 * time.Millisecond)
			second = w.Start().Run(rotator.Request{Incident: "INC-2", IgnoreBackoff: true})
		})
		first := in.Run(rotator.Request{Incident: "INC-1", IgnoreBackoff: true})
		if first.Err != nil && second.Err != nil {
			t.Errorf("both stood back: %v, %v", first.Err, second.Err)
		}
		if second.CarriedOnAs != "INC-1, INC-2" || w.Instantly.Keys[leaked.KeyID].Listed() {
			t.Errorf("the second is carried on as %q, the leaked key lives: %t", second.CarriedOnAs, w.Instantly.Keys[leaked.KeyID].Listed())
		}
		current := w.Snapshot(0).Versions[secretstore.Current].ID
		for _, name := range []string{"INC-1", "INC-2"} {
			if res := mustSettle(t, w.Start().Run(rotator.Request{Incident: name, IgnoreBackoff: true})); !res.Answered || res.KeyID != current {
				t.Errorf("%s once more is not answered: %+v", name, res)
			}
		}
		w.Settle()
	})
}

// The key that the first one made is there when the second is declared: it may have leaked too.
func TestAnIncidentDeclaredInAnotherOneReplacesItsKeyToo(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		in := w.Start()
		in.Hook = failing("delete", rotatortest.ErrInjected)
		first := in.Run(rotator.Request{Incident: "INC-1", IgnoreBackoff: true})
		time.Sleep(time.Minute)
		res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-2", IgnoreBackoff: true}))
		if !res.Rotated || w.Instantly.Keys[first.KeyID].Listed() {
			t.Errorf("rotated %t; the key of the first incident lives: %t", res.Rotated, w.Instantly.Keys[first.KeyID].Listed())
		}
		if res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-1"})); !res.Answered {
			t.Errorf("the first one's name is forgotten: %+v", res.Status.Resolved)
		}
		w.JudgeEnd()
	})
}

// The value of a hand is replaced in an incident, but its key is not known: it lives until a person revokes it. Where
// it is known to be dead, or no key, nothing is left.
func TestAnIncidentRemembersWhatItCouldNotRevoke(t *testing.T) {
	for left, value := range map[bool]func(w *world) secret.Value{
		true: func(w *world) secret.Value { return w.Instantly.Add("made by hand").Key.Value },
		false: func(w *world) secret.Value {
			k := w.Instantly.Add("made by hand")
			w.Instantly.RevokeByHand(k.ID)
			return k.Key.Value
		},
	} {
		story(t, 1, func(t *testing.T, w *world) {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(time.Hour)
			w.stores[0].PutByHand(value(w))
			w.Judge("a person's put")
			w.GraceEnded = true
			in := w.Start()
			res := mustSettle(t, in.Run(rotator.Request{Incident: "INC-8", IgnoreBackoff: true}))
			if !res.Rotated || res.Status.Resolved.Unrevoked != left {
				t.Errorf("rotated %t, left unrevoked %t, want %t", res.Rotated, res.Status.Resolved.Unrevoked, left)
			}
			if were, err := in.Rotator.RevokedByHand(t.Context(), in.Target()); were != left || err != nil || w.Snapshot(0).Notes.Incident.Unrevoked {
				t.Errorf("a person's word that it was revoked: taken %t, %v", were, err)
			}
		})
	}
}
