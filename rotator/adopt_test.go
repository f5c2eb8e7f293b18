package rotator_test

// Somebody made a key by hand, and its value is in the store already: it is taken over
// without being rotated.

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// inUse makes a key as people do, long ago, and puts it where consumers read it.
func (w *world) inUse(name string) *rotatortest.Key {
	k := w.Instantly.Add(name)
	k.Spec = w.Policy.Spec
	time.Sleep(30 * 24 * time.Hour)
	for _, s := range w.stores {
		s.PutByHand(rotatortest.ValueOf(k.ID))
	}
	w.Judge("a person's put")
	return k
}

// adopt takes over what is there, and fails the test if that is refused.
func adopt(t *testing.T, w *world, wish rotator.Wish) rotator.Proposal {
	t.Helper()
	p, res := w.Start().Adopt(wish)
	if mustSettle(t, res); res.Adopted == "" || res.Rotated {
		t.Fatalf("adopted %q, rotated %t", res.Adopted, res.Rotated)
	}
	return p
}

func TestAKeyMadeByHandIsTakenOverAndRetiredLikeAnyOther(t *testing.T) {
	for stores := 1; stores <= 2; stores++ {
		story(t, stores, func(t *testing.T, w *world) {
			k := w.inUse("our sending key")
			p := adopt(t, w, rotator.Wish{})
			if p.Adoption.How != rotator.AdoptedByScopes {
				t.Errorf("shown by %s", p.Adoption.How)
			}
			for i := range stores {
				if cur := w.Snapshot(i).Versions[secretstore.Current]; cur.ID != k.ID || cur.Foreign || len(w.Snapshot(i).Versions) != 1 {
					t.Fatalf("store %d has %+v", i, w.Snapshot(i).Versions)
				}
			}
			// Its age counts from when it was made: a month of its interval is over.
			if res := mustSettle(t, w.Start().Run(rotator.Request{})); res.Rotated || !res.Next.Equal(k.Created.Add(rotatortest.Interval)) {
				t.Fatalf("rotated %t, and falls due at %s, made at %s", res.Rotated, res.Next, k.Created)
			}
			time.Sleep(time.Until(k.Created.Add(due)))
			if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
				t.Fatal("it is not rotated when it falls due")
			}
			time.Sleep(rotatortest.Grace - time.Hour)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			if !k.Listed() {
				t.Fatal("it is revoked in its grace period")
			}
			time.Sleep(time.Hour + rotatortest.Late)
			mustSettle(t, w.Start().Run(rotator.Request{}))
			if k.Listed() {
				t.Fatal("it lives on after its grace period")
			}
			w.Settle()
		})
	}
}

func TestAKeyAdoptedOnSomebodysWordIsNeverRevoked(t *testing.T) {
	for _, end := range []string{"revoked by hand", "forgotten", "left alone"} {
		t.Run(end, func(t *testing.T) {
			story(t, 1, func(t *testing.T, w *world) {
				w.Instantly.Mute = true
				other := w.Instantly.Add("somebody else's, in use elsewhere")
				w.inUse("sending key")
				if _, res := w.Start().Adopt(rotator.Wish{KeyID: other.ID}); !errors.Is(res.Err, rotator.ErrNotAdopted) {
					t.Fatalf("adopted without evidence: %v", res.Err)
				}
				adopt(t, w, rotator.Wish{KeyID: other.ID, Word: true}) // the wrong one
				time.Sleep(due)
				mustSettle(t, w.Start().Run(rotator.Request{}))
				time.Sleep(graceOver)
				res := w.Start().Run(rotator.Request{})
				if !errors.Is(res.Err, rotator.ErrRevokeByHand) || !strings.Contains(res.Err.Error(), other.ID) {
					t.Fatalf("it is not told: %v", res.Err)
				}
				switch end {
				case "revoked by hand":
					// The value is not that key's: it still works, and so is not proven dead.
					w.Instantly.RevokeByHand(other.ID)
					time.Sleep(2 * time.Minute)
					if res := w.Start().Run(rotator.Request{}); res.Err == nil {
						t.Error("the value works on, and nobody is told")
					}
				case "forgotten":
					res := mustSettle(t, w.Start().Run(rotator.Request{EndGrace: true, NoRotation: true}))
					if len(res.Forgotten) != 1 || res.Forgotten[0].ID != other.ID {
						t.Errorf("it lives on and nobody is told: %+v", res.Forgotten)
					}
					if n := len(w.OldVersions()); n > 0 {
						t.Errorf("%d old versions are left", n)
					}
				}
				// It is not in the way of the next rotation.
				time.Sleep(due)
				if res := w.Start().Run(rotator.Request{}); !res.Rotated {
					t.Errorf("the next rotation does not begin: %v", res.Err)
				}
				if w.Instantly.Keys[other.ID].Listed() != (end != "revoked by hand") {
					t.Error("somebody else's key was revoked")
				}
			})
		})
	}
}

func TestAnAdoptionOnAWrongIDIsRefusedWhereTheListKnowsBetter(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		other := w.Instantly.Add("somebody else's")
		w.inUse("sending key")
		for _, shows := range []bool{false, true} { // else the scopes tell
			w.Instantly.Shows = shows
			if _, res := w.Start().Adopt(rotator.Wish{KeyID: other.ID, Word: true}); !errors.Is(res.Err, rotator.ErrNotAdopted) {
				t.Errorf("values are shown: %t: %v", shows, res.Err)
			}
		}
	})
}

// TestAGracePeriodThatRunsIsNotCutByAnAdoption: a key of ours was displaced by hand a
// moment before, and consumers may have it still.
func TestAGracePeriodThatRunsIsNotCutByAnAdoption(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Shows = true
		byHand := w.Instantly.Add("made by hand")
		byHand.Spec = w.Policy.Spec
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(30 * 24 * time.Hour)
		w.stores[0].PutByHand(rotatortest.ValueOf(byHand.ID))
		w.Judge("a person's put")
		adopt(t, w, rotator.Wish{})
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Settle()
	})
}

// TestAKeyThatHandsPushedOutBeforeAnAdoptionHasItsGracePeriod: it is younger than the key
// that was adopted, and yet consumers may have it still.
func TestAKeyThatHandsPushedOutBeforeAnAdoptionHasItsGracePeriod(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Shows = true
		byHand, another := w.Instantly.Add("made by hand"), w.Instantly.Add("another")
		byHand.Spec = w.Policy.Spec
		time.Sleep(24 * time.Hour)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(30 * 24 * time.Hour)
		for _, k := range []*rotatortest.Key{another, byHand} {
			w.stores[0].PutByHand(rotatortest.ValueOf(k.ID))
			w.Judge("a person's put")
		}
		seen := w.Snapshot(0)
		if _, err := w.stores[0].Destroy(t.Context(), seen, seen.Versions[secretstore.Previous].ID); err != nil {
			t.Fatal(err)
		}
		adopt(t, w, rotator.Wish{})
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		w.Settle()
	})
}

func TestARotationThatIsAskedForAfterAnAdoptionIsMade(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.inUse("sending key")
		adopt(t, w, rotator.Wish{})
		if res := mustSettle(t, w.Start().Run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
			t.Error("the adoption is taken for the rotation that was asked for")
		}
	})
}

// TestWhatAHandPutsInTheMiddleOfAnAdoptionStays: the process dies between stage and
// promote, and somebody puts another value there.
func TestWhatAHandPutsInTheMiddleOfAnAdoptionStays(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		k := w.inUse("sending key")
		second := w.Instantly.Add("another one by hand")
		dying := w.Start()
		dying.Hook = failing("promote@0", rotatortest.ErrInjected)
		dying.Adopt(rotator.Wish{})
		w.stores[0].PutByHand(rotatortest.ValueOf(second.ID))
		w.Judge("a person's put")
		for range 3 {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			time.Sleep(graceOver)
		}
		if currentValue(w.stores[0]) != rotatortest.ValueOf(second.ID).Reveal() || !k.Listed() {
			t.Error("the value that somebody put there is gone, or a key was revoked for it")
		}
	})
}
