package awssecretsmanager_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// TestAKilledWriteLeavesBeforeOrAfter kills each write after each of its calls:
// the secret means what it meant, or what it was to mean. Then the next
// instance makes the write, and the secret is as if nothing had been.
func TestAKilledWriteLeavesBeforeOrAfter(t *testing.T) {
	runs := 0
	for _, s := range situations() {
		for _, w := range s.writes {
			synctest.Test(t, func(t *testing.T) {
				after, calls := s.alone(t, w)
				for at := 1; at < calls; at++ {
					kill(t, s, w, at, after)
					runs++
				}
			})
		}
	}
	t.Logf("%d writes killed", runs)
}

func kill(t *testing.T, s situation, w write, at int, after string) {
	b := s.open(t)
	before := b.means(t)
	armed, calls := false, 0
	store := b.openVia(func(_ awstest.Call, when awstest.When) error {
		if armed && when == awstest.Before {
			calls++
		}
		if calls > at {
			return awstest.ErrTorn
		}
		return nil
	})
	seen := snapshotOf(t, store)
	armed = true
	_, err := w.do(t, store, seen)
	if err != nil && !errors.Is(err, secretstore.ErrUnavailable) {
		t.Fatalf("%s: %s, killed after its call %d: %v", s.name, w.name, at, err)
	}
	switch is := b.means(t); {
	case is == before && err != nil || is == after:
	case replacesIntent(s.name, w.name): // it may leave none
	default:
		t.Errorf("%s: %s, killed after its call %d, leaves\n%s\nit was\n%s\nand was to be\n%s", s.name, w.name, at, is, before, after)
	}
	heir := b.open()
	snap, err := w.do(t, heir, snapshotOf(t, heir))
	if err != nil && !errors.Is(err, secretstore.ErrConflict) && !errors.Is(err, secretstore.ErrNotFound) {
		t.Errorf("%s: %s again after it was killed after its call %d: %v", s.name, w.name, at, err)
	}
	if err == nil && b.means(t) != after && !strings.HasPrefix(w.name, "fail") {
		t.Errorf("%s: %s again after it was killed after its call %d: the secret is\n%+v\nwas to be\n%s", s.name, w.name, at, snap, after)
	}
}

// TestWhatAKilledDestroyLeavesGoesWithTheNextKey in a store that follows, where
// nobody reserves intents: AWS keeps a version for as long as it has a label, and
// so the dead value with it.
func TestWhatAKilledDestroyLeavesGoesWithTheNextKey(t *testing.T) {
	for at, killed := 1, true; killed; at++ {
		synctest.Test(t, func(t *testing.T) { killed = killDestroy(t, at) })
	}
}

// killDestroy tells whether Destroy made more calls than it was let live for.
func killDestroy(t *testing.T, at int) (killed bool) {
	b := newBench(t)
	deliver(t, b.open(), keyA, keyB)
	armed, calls := false, 0
	dying := b.openVia(func(_ awstest.Call, when awstest.When) error {
		if armed && when == awstest.Before {
			calls++
		}
		if calls > at {
			return awstest.ErrTorn
		}
		return nil
	})
	seen := snapshotOf(t, dying)
	armed = true
	_, err := destroy(keyA).do(t, dying, seen)
	if held(snapshotOf(t, b.open())) != "current=b" {
		t.Fatalf("killed after call %d, the version is still there", at)
	}
	deliver(t, b.open(), keyC)
	if labels, _, _ := b.server.Inspect(b.name); len(labels[keyA]) > 0 {
		t.Errorf("killed after call %d, and a key later, the dead version still has %q", at, labels[keyA])
	}
	return err != nil
}

// TestAnotherKeyIsStagedOverAnAnnouncedPromotion that came to nothing, once its
// writer cannot be at it any more: the other key is pending then, and may be
// promoted.
func TestAnotherKeyIsStagedOverAnAnnouncedPromotion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		deliver(t, b.open(), keyA)
		snap, err := stage(keyB).do(t, b.open(), snapshotOf(t, b.open()))
		if err != nil {
			t.Fatal(err)
		}
		dying := b.openVia(func(c awstest.Call, _ awstest.When) error {
			if c.Label == "AWSCURRENT" {
				return awstest.ErrTorn
			}
			return nil
		})
		if _, err := promote(keyB).do(t, dying, snap); err == nil {
			t.Fatal("promoted although AWSCURRENT could not be moved")
		}
		time.Sleep(time.Hour)
		if snap, err = stage(keyC).do(t, b.open(), snapshotOf(t, b.open())); err != nil {
			t.Fatal(err)
		}
		if got := held(snap); got != "pending=c current=a" {
			t.Errorf("%s", got)
		}
		if _, err := promote(keyC).do(t, b.open(), snap); err != nil {
			t.Error(err)
		}
	})
}

// deliver makes keys current as the engine does in a store that follows.
func deliver(t testing.TB, s secretstore.Store, ids ...string) {
	t.Helper()
	snap := snapshotOf(t, s)
	for _, id := range ids {
		for _, w := range []write{stage(id), promote(id)} {
			var err error
			if snap, err = w.do(t, s, snap); err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
		}
	}
}

// replacesIntent tells whether a write takes one intent away before it writes
// another, or before it stages a version for another.
func replacesIntent(situation, write string) bool {
	return strings.Contains(situation, "reserved") && (write == reserveAs("x").name || strings.HasPrefix(write, "stage"))
}

// TestTwoReservationsAreNotShown: an instance that lost the race for a
// reservation, and died before it took its own back, must not hide the winner's
// from those who revoke keys that nothing refers to.
func TestTwoReservationsAreNotShown(t *testing.T) {
	now := promotedAt()
	b := newBench(t)
	rotate(t, b.open(), keyA)
	o := b.options(b.server)
	o.Now = func() time.Time { return now }
	s := openWith(t, o)
	for i, nonce := range []string{"winner", "loser"} {
		label := fmt.Sprintf("rotator/intent/%s/%s/24h0m0s/host/a:read", nonce, now.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
		b.call("UpdateSecretVersionStage", map[string]any{"SecretId": b.name, "VersionStage": label, "MoveToVersionId": keyA})
	}
	if _, err := s.Describe(t.Context()); !errors.Is(err, secretstore.ErrUnavailable) {
		t.Errorf("two reservations: %v", err)
	}
	now = now.Add(2 * time.Hour)
	snap := snapshotOf(t, s)
	if snap.Notes.Intent.Nonce != "loser" {
		t.Errorf("later: %+v", snap.Notes)
	}
	if snap, err := cancel().do(t, s, snap); err != nil || !snap.Notes.Intent.IsZero() {
		t.Errorf("neither is left: %+v, %v", snap.Notes, err)
	}
}
