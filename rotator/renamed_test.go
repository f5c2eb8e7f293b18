package rotator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// An id may have been recorded wrongly, or the key been renamed by whoever took it
// over: what it is named in the list decides.
func TestAKeyThatIsListedUnderSomebodyElsesNameIsNotRevoked(t *testing.T) {
	for _, name := range []string{"Zapier", "somebody-else/sending/0123456789ab/0123456789abcdef"} {
		t.Run(name, func(t *testing.T) {
			story(t, 1, func(t *testing.T, w *world) {
				mustSettle(t, w.Start().Run(rotator.Request{}))
				time.Sleep(due)
				mustSettle(t, w.Start().Run(rotator.Request{}))
				old := w.Instantly.Keys[rotatortest.KeyID(1)]
				old.Name = name
				time.Sleep(graceOver)
				res := w.Start().Run(rotator.Request{})
				if !old.Listed() || !errors.Is(res.Err, rotator.ErrUnlisted) {
					t.Errorf("the key is listed: %t; error %v, want %v", old.Listed(), res.Err, rotator.ErrUnlisted)
				}
			})
		})
	}
}
