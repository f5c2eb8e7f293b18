package rotator_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// When a key falls due is put off by the window already; this is for what makes one
// due at once.
func TestChangedScopesWaitForTheEndOfAFreezeWindow(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		window := weekend{time.Now()}
		w.Policy.Freeze, w.Policy.Spec = window, "leads:update"
		res := mustSettle(t, w.Start().Run(rotator.Request{}))
		if end := window.FreezeWindowEnd(time.Now()); res.Rotated || !res.Next.Equal(end) {
			t.Errorf("rotated: %t, runs again %s, want at the end of the window, %s", res.Rotated, res.Next, end)
		}
		time.Sleep(time.Until(res.Next))
		if res := mustSettle(t, w.Start().Run(rotator.Request{})); !res.Rotated {
			t.Error("the window is over and the scopes changed, but the key was not rotated")
		}
	})
}
