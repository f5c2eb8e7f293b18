package rotator_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// slow is a store whose promotions take as long as the disk that it is on, and which is
// looked at for as long as there is time.
type slow struct{ secretstore.Store }

func (s slow) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	snap, err := s.Store.Promote(ctx, seen, id, at)
	time.Sleep(time.Minute)
	return snap, err
}

func (slow) Inspect(ctx context.Context) error { return ctx.Err() }

// A promotion that took longer than it should is made, and its time is corrected. That there
// was no time left for it says nothing against the store.
func TestAPromotionThatTookLongIsNoTroubleOfTheStore(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		tg := in.Target()
		tg.Stores[0].Store = slow{tg.Stores[0].Store}
		res := in.Rotator.Reconcile(t.Context(), tg, rotator.Request{})
		if !res.Rotated || res.Err != nil {
			t.Errorf("rotated %v, %v", res.Rotated, res.Err)
		}
	})
}

// sleepy is a store whose first promotion is made while the machine is put to sleep. When that
// wakes up, the network is not there at once.
type sleepy struct {
	secretstore.Store
	calls *int
}

func (s sleepy) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	switch *s.calls++; *s.calls {
	case 1:
		snap, err := s.Store.Promote(ctx, seen, id, at)
		time.Sleep(time.Hour)
		return snap, err
	case 2, 3:
		return secretstore.Snapshot{}, fmt.Errorf("%w: no route to host", secretstore.ErrUnavailable)
	default:
		return s.Store.Promote(ctx, seen, id, at)
	}
}

// The grace period counts from when consumers could have the new key. A time of before the
// machine slept would let the next run revoke the old one at once.
func TestAPromotionThatTheMachineSleptThroughIsNotedAsOfItsEnd(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		tg := in.Target()
		tg.Stores[0].Store = sleepy{tg.Stores[0].Store, new(int)}
		began := time.Now()
		res := in.Rotator.Reconcile(t.Context(), tg, rotator.Request{})
		if at := w.Snapshot(0).Versions[secretstore.Current].Promoted; at.Before(began.Add(time.Hour)) || res.Err != nil {
			t.Errorf("promoted at %s, %s after the run began; err = %v", at, at.Sub(began), res.Err)
		}
	})
}

// The same with a sender: the grace period of what it sent counts from when it was switched.
func TestASwitchThatTheMachineSleptThroughIsNotedAsOfItsEnd(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		time.Sleep(settleTime + rotatortest.Late)
		var woke time.Time
		p.start(func(call string, when rotatortest.When) error {
			if call == "switch" && when == rotatortest.After && woke.IsZero() {
				time.Sleep(time.Hour)
				woke = time.Now()
			}
			return nil
		}).run(rotator.Request{})
		snap, err := p.stores[0].Describe(t.Context())
		if at := snap.Versions[secretstore.Current].Promoted; err != nil || woke.IsZero() || at.Before(woke) {
			t.Errorf("the grace period counts from %s, it woke up at %s; err = %v", at, woke, err)
		}
	})
}
