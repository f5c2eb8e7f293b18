package idle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/idle"
)

func TestItEndsWhenNothingMovesForTheSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		ctx, cancel := idle.New(t.Context(), 4*time.Second)
		defer cancel()
		call, cancelCall := context.WithTimeout(ctx, time.Hour)
		defer cancelCall()
		for range 5 { // answers keep coming
			time.Sleep(3 * time.Second)
			ctx.Moved()
		}
		<-call.Done()
		if took := time.Since(begun); took != 19*time.Second {
			t.Errorf("it ended after %s", took)
		}
		for _, err := range []error{ctx.Err(), call.Err(), context.Cause(call)} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
		}
		ctx.Moved()
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("it began anew")
		}
	})
}

func TestItEndsWithItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, interrupt := context.WithCancel(t.Context())
		ctx, cancel := idle.New(parent, time.Hour)
		defer cancel()
		interrupt()
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("it ended with %v", ctx.Err())
		}
	})
}

func TestItIsEndedByWhoBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := idle.New(t.Context(), time.Hour)
		cancel()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("it ended with %v", ctx.Err())
		}
	})
}
