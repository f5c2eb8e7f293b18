package rotator_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// inject is a hook that does that fault to the calls of processes that follow one another.
type inject struct {
	fault rotatortest.Fault
	calls int
	dead  bool
}

func (i *inject) hook(_ string, when rotatortest.When) error {
	if i.dead {
		return rotatortest.ErrInjected
	}
	if when == rotatortest.Before {
		i.calls++
	}
	if i.fault.Call == i.calls && i.fault.After == (when == rotatortest.After) {
		i.dead = i.fault.Crash
		return rotatortest.ErrInjected
	}
	return nil
}

// A life of webhooks: from the first value, or one that was set by hand and is adopted, over
// two rotations.
func sendersLive(t *testing.T, stores int, value string, fault rotatortest.Fault) (calls int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		i := &inject{fault: fault}
		p := newPost(t, stores, &sender{id: "prompt", value: value}, &sender{id: "late", value: value, lag: settleTime})
		for n := 0; value != "" && n < 3; n++ {
			i.dead = false
			p.start(i.hook).run(rotator.Request{TakeOver: true, NoRotation: true})
		}
		for range 3 {
			p.live(rotatortest.Interval, i.hook, func() { i.dead = false })
		}
		p.live(2*rotatortest.Grace, i.hook, func() { i.dead = false })
		if verdict := p.check(); verdict != "" {
			t.Errorf("%d stores, %q, %v:\n  %s", stores, value, fault, verdict)
		}
		if v := len(p.history); v < 4 {
			t.Errorf("%d changes only", v)
		}
		calls = i.calls
	})
	return calls
}

func TestEveryCallForASecretThatIsSentFails(t *testing.T) {
	for _, c := range []struct {
		stores int
		value  string
	}{{1, ""}, {1, byHandValue}, {2, byHandValue}} {
		t.Run(fmt.Sprintf("%d stores %s", c.stores, c.value), func(t *testing.T) {
			calls := sendersLive(t, c.stores, c.value, rotatortest.Fault{})
			runs := 0
			for call := 1; call <= calls && !t.Failed(); call++ {
				if testing.Short() && call%5 != 0 {
					continue
				}
				for _, f := range []rotatortest.Fault{{Call: call}, {Call: call, After: true}, {Call: call, Crash: true}, {Call: call, After: true, Crash: true}} {
					sendersLive(t, c.stores, c.value, f)
					runs++
				}
			}
			t.Logf("%d outside calls, %d runs", calls, runs)
		})
	}
}
