package awssecretsmanager_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// The answer to the move of AWSCURRENT is lost, and the run fails. Whoever orders the rotation
// again is told that it is done, and not that an old key is in its grace period; who orders
// another one after that, is.
func TestARotationWhosePromotionWasToldAsFailedIsNotOrderedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if res := w.Start().Run(rotator.Request{}); res.Err != nil {
			t.Fatal(res.Err)
		}
		time.Sleep(graceOver)
		now := func() rotator.Request { return rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true} }
		before, first := w.consumed(), w.Start()
		first.Hook = func(_ string, when rotatortest.When) error {
			if when == rotatortest.After && w.consumed() != before {
				before = w.consumed()
				return rotatortest.ErrInjected
			}
			return nil
		}
		if res := first.Run(now()); res.Err == nil {
			t.Fatalf("the promotion's answer was not lost: %s", first.Steps())
		}
		time.Sleep(time.Second)
		again := w.Start()
		if res := again.Run(now()); res.Err != nil || res.Rotated {
			t.Errorf("ordered again: %s: rotated %v, %v", again.Steps(), res.Rotated, res.Err)
		}
		time.Sleep(2 * time.Minute)
		if res := w.Start().Run(now()); !errors.Is(res.Err, rotator.ErrInGrace) {
			t.Errorf("another order in the grace period: %v", res.Err)
		}
	})
}
