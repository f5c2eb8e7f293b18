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

	mu   sync.Mutex
	seen map[string]int // calls by label
	blow *blow          // nil: none any more
	note func(point)    // is told of every call that comes in
	over chan struct{}  // closed: nobody waits any longer
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

// A blow strikes one call.
type blow struct {
	at    point
	after bool // the call has had its effect
	// struck is closed when the call is held up.
	struck chan struct{}
	// fate takes what becomes of it.
	fate chan storetest.Outcome
}

// arm begins to count calls anew, and lays a blow in wait.
func (d *interceptor) arm(at point, after bool) *blow {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = map[string]int{}
	d.blow = &blow{at: at, after: after, struck: make(chan struct{}), fate: make(chan storetest.Outcome, 1)}
	return d.blow
}

// record begins to count calls anew, and tells note of each.
func (d *interceptor) record(note func(point)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen, d.note = map[string]int{}, note
}

// A passage is a call between its way in and its way out.
type passage struct {
	interceptor *interceptor
	label       string
	blow        *blow // that strikes it on its way out
}

var _ storetest.Interceptor = (*interceptor)(nil)

// Enter implements [storetest.Interceptor].
func (d *interceptor) Enter(label string) (storetest.Passage, storetest.Outcome) {
	d.mu.Lock()
	d.seen[label]++
	at := point{label, d.seen[label]}
	if d.note != nil {
		d.note(at)
	}
	b := d.blow
	if b != nil && b.at == at {
		d.blow = nil // whoever comes next is not struck
	} else {
		b = nil
	}
	d.mu.Unlock()
	p := passage{interceptor: d, label: label}
	if b == nil {
		return p, storetest.Outcome{}
	}
	if b.after {
		p.blow = b
		return p, storetest.Outcome{}
	}
	return p, d.hold(b)
}

// Leave implements [storetest.Passage].
func (p passage) Leave() storetest.Outcome {
	p.interceptor.witness(p.label)
	if p.blow == nil {
		return storetest.Outcome{}
	}
	return p.interceptor.hold(p.blow)
}

func (d *interceptor) hold(b *blow) storetest.Outcome {
	close(b.struck)
	select {
	case f := <-b.fate:
		return f
	case <-d.over:
		return storetest.Outcome{Lost: true}
	}
}
