package service

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func verifyEvery(cfg *config.Config) time.Duration { return cfg.VerifyEvery }

func TestWaitIsReckonedFromTheLastTimeByTheConfigurationInForce(t *testing.T) {
	for _, c := range []struct {
		what, before, after string
		want                time.Duration
	}{
		{"it is to come sooner", "10h", "5h", 5 * time.Hour},
		{"it is to come later", "5h", "10h", 10 * time.Hour},
		{"it should have come already", "10h", "1h", 2 * time.Hour},
		{"it was never to come", "0d", "4h", 4 * time.Hour},
		{"it is the same", "6h", "6h", 6 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, nil)
			d.write("verify_every: "+c.before, "first")
			d.reload(nil)
			begun := time.Now()
			time.AfterFunc(2*time.Hour, func() {
				d.write("verify_every: "+c.after, "first")
				d.reload(nil)
			})
			if !d.passed(t.Context(), begun, verifyEvery) || time.Since(begun) != c.want {
				t.Errorf("%s: it comes after %s, want %s", c.what, time.Since(begun), c.want)
			}
			synctest.Wait()
			time.Sleep(3 * time.Hour) // the change that came too late
		})
	}
}

func TestWhatIsConfiguredNeverToComeWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.write("verify_every: 1h", "first")
		d.reload(nil)
		time.AfterFunc(time.Minute, func() {
			d.write("verify_every: 0d", "first")
			d.reload(nil)
		})
		ctx, stop := context.WithTimeout(t.Context(), 1000*time.Hour)
		defer stop()
		if begun := time.Now(); d.passed(ctx, begun, verifyEvery) {
			t.Errorf("it comes after %s", time.Since(begun))
		}
	})
}

func TestNothingToWaitForIsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if !sleep(t.Context(), 0) || time.Since(begun) != 0 {
			t.Errorf("it waits for %s", time.Since(begun))
		}
	})
}
