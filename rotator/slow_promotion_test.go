package rotator_test

import (
	"context"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
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
