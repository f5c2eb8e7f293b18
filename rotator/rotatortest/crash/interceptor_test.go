//go:build linux && amd64

package crash

import (
	"fmt"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// An interceptor is what every outside call of a rotator passes, on its way in and on its
// way out: the requests that arrive at Instantly and at the services, and the
// system calls that touch a store's folder. It counts them, and one of them it
// holds up until it is told what becomes of it.
type interceptor struct {
	// witness is told of every call when its effect has happened.
	witness func(label string)

	mu    sync.Mutex
	seen  map[string]int // calls by label
	armed *fault         // nil: none any more
	note  func(point)    // is told of every call that comes in
	over  chan struct{}  // closed: nobody waits any longer
}

func newInterceptor() *interceptor {
	return &interceptor{seen: map[string]int{}, over: make(chan struct{})}
}

// A point is one outside call of a run. Calls are told apart by what they are, not
// by their place among all calls, since those to different stores may overlap.
type point struct {
	label string
	nth   int // among the calls with that label, from 1
}

// String implements [fmt.Stringer].
func (p point) String() string { return fmt.Sprintf("%s #%d", p.label, p.nth) }

// A fault is injected into one call.
type fault struct {
	at    point
	after bool // the call has had its effect
	// reached is closed when the call is held up.
	reached chan struct{}
	// outcome is what the call is then told of how it ends.
	outcome chan storetest.Outcome
}

// arm begins to count calls anew, and has the call at that point meet a fault.
func (i *interceptor) arm(at point, after bool) *fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen = map[string]int{}
	i.armed = &fault{at: at, after: after, reached: make(chan struct{}), outcome: make(chan storetest.Outcome, 1)}
	return i.armed
}

// record begins to count calls anew, and tells note of each.
func (i *interceptor) record(note func(point)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen, i.note = map[string]int{}, note
}

// A passage is a call between its way in and its way out.
type passage struct {
	interceptor *interceptor
	label       string
	fault       *fault // that it meets on its way out; nil: none
}

var _ storetest.Interceptor = (*interceptor)(nil)

// Enter implements [storetest.Interceptor].
func (i *interceptor) Enter(label string) (storetest.Passage, storetest.Outcome) {
	i.mu.Lock()
	i.seen[label]++
	at := point{label, i.seen[label]}
	if i.note != nil {
		i.note(at)
	}
	f := i.armed
	if f != nil && f.at == at {
		i.armed = nil // a fault is injected once
	} else {
		f = nil
	}
	i.mu.Unlock()
	p := passage{interceptor: i, label: label}
	if f == nil {
		return p, storetest.Outcome{}
	}
	if f.after {
		p.fault = f
		return p, storetest.Outcome{}
	}
	return p, i.hold(f)
}

// Leave implements [storetest.Passage].
func (p passage) Leave() storetest.Outcome {
	p.interceptor.witness(p.label)
	if p.fault == nil {
		return storetest.Outcome{}
	}
	return p.interceptor.hold(p.fault)
}

func (i *interceptor) hold(f *fault) storetest.Outcome {
	close(f.reached)
	select {
	case o := <-f.outcome:
		return o
	case <-i.over:
		return storetest.Outcome{Lost: true}
	}
}
