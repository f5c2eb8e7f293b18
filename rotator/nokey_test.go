package rotator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A secret that was there before us holds a placeholder that can never be a key. It is
// replaced at once by a run that does what is due, and never revoked.
func TestAPlaceholderThatIsNoKeyIsReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the placeholder works for nobody, which is against the rules
		w := newWorld(t, 1)
		w.stores[0].PutByHand(secret.New("put your key here"))
		in := w.Start()
		odd := oddAPI{probe: func(v secret.Value, p rotator.TestCall) rotator.TestCall {
			if v.Equal(secret.New("put your key here")) {
				return rotator.TestCall{Verdict: rotator.Invalid, Err: rotator.ErrNoKey}
			}
			return p
		}}
		begun := time.Now()
		res := mustSettle(t, oddRun(in, rotator.Request{}, odd))
		if took := time.Since(begun); !res.Rotated || res.FoundDead || took > 0 {
			t.Errorf("rotated %t, found dead %t, after %s", res.Rotated, res.FoundDead, took)
		}
		if len(res.Revoked)+len(res.Swept) > 0 || res.Status.Quarantine == "" {
			t.Errorf("revoked %v, swept %v, quarantine %q", res.Revoked, res.Swept, res.Status.Quarantine)
		}
	})
}
