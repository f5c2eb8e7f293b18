package rotator_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// Whoever has read the stores before another instance switches the senders, and the senders
// after it, does not know that the grace period has begun anew.
func TestNoStoreForgetsThePreviousValueBehindASwitch(t *testing.T) {
	posted(t, 2, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.policy.Grace = settleTime / 5
		p.expect(now(), renewed+" stage verify promote", nil)
		time.Sleep(settleTime + rotatortest.Late)
		met := false
		p.start(func(call string, when rotatortest.When) error {
			if call == "senders" && when == rotatortest.Before && !met {
				met = true
				p.start(nil).run(rotator.Request{})
			}
			return nil
		}).run(rotator.Request{})
		for i := range p.stores {
			if n := len(p.values(i)); n != 2 {
				t.Errorf("store %d has %d values, in the grace period", i, n)
			}
		}
		p.live(4*settleTime, nil, func() {})
		if verdict := p.check(); verdict != "" {
			t.Error(verdict)
		}
	})
}
