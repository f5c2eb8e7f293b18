package rotator_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Nobody changed a sender by hand because the store cannot be read.
func TestVerifyBlamesNobodyForAStoreThatIsDown(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		in := p.start(func(call string, _ rotatortest.When) error {
			if strings.HasPrefix(call, "describe") {
				return secretstore.ErrUnavailable
			}
			return nil
		})
		got := in.rotator.Verify(t.Context(), []rotator.Target{in.target()})
		for _, v := range got {
			if !errors.Is(v.Err, secretstore.ErrUnavailable) || errors.Is(v.Err, rotator.ErrByHand) {
				t.Errorf("%s: %v", v.Store, v.Err)
			}
		}
		if len(got) == 0 {
			t.Error("nothing is said of the store")
		}
	})
}
