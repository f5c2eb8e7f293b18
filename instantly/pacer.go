package instantly

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// A Pacer allows at most so many requests to arrive within any second, not on
// average: a workspace that has used its second up answers 429, and a create that is
// answered so must be started again. (A token bucket that refills while it is being
// emptied allows twice as many in its first second.) It is safe for concurrent use.
//
// The server counts requests when they arrive, and only the server knows when that
// is. But an answer is late by at least as much as its request arrived later than
// the quickest ones do: a request counts by that much longer than a second.
type Pacer struct {
	number int // 0: no limit
	window time.Duration
	next   chan struct{} // held by the next caller, so that callers are served in their order
	eased  chan struct{} // a permit counts for a shorter time than was assumed

	mu       sync.Mutex
	permits  []*permit
	answers  int
	quickest time.Duration // from a request to its answer, about; not known before a few answers
}

// A permit is a request that may be sent, or was.
type permit struct {
	sent, counts time.Time // from, until
}

const (
	// unevenness is what a permit counts longer than its window in any case.
	unevenness = 5 * time.Millisecond
	// mostUneven is how much longer one counts that is not answered. Others must not
	// wait for as long as it hangs.
	mostUneven = time.Second
	// forget is over how many requests the quickest answer is forgotten: the server
	// may have become slower to reach for good.
	forget = 1000
)

// NewPacer makes a Pacer for so many requests a second. A fraction is rounded up
// for what may be sent at once and kept to on average: 0.1 is one in ten seconds. Numbers
// below a millionth count as that; an infinite one is no limit.
func NewPacer(perSecond float64) *Pacer {
	if math.IsInf(perSecond, 1) {
		return &Pacer{}
	}
	perSecond = max(perSecond, 1e-6)
	number := int(math.Ceil(perSecond))
	window := time.Duration(float64(number) / perSecond * float64(time.Second))
	return &Pacer{number: number, window: window, next: make(chan struct{}, 1), eased: make(chan struct{}, 1)}
}

// ErrTooLate: a call was not made, since its turn would come when nobody waits for it
// any more. It says nothing of the API.
var ErrTooLate = errors.New("the rate limit allows it after the deadline only")

// Wait blocks until a request may be sent, in the order of the calls. It fails if
// ctx is over before that; at once, if its deadline is known to come first. The
// function that it gives is to be called when the request was answered, or failed.
func (p *Pacer) Wait(ctx context.Context) (answered func(), err error) {
	if p.number == 0 {
		return func() {}, ctx.Err()
	}
	select {
	case p.next <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.next }()
	for ctx.Err() == nil {
		now := time.Now()
		t, free, soonest := p.reserve(now)
		if t != nil {
			return func() { p.answered(t) }, nil
		}
		if deadline, ok := ctx.Deadline(); ok && deadline.Before(soonest) {
			return nil, ErrTooLate
		}
		p.sleep(ctx, free.Sub(now))
	}
	return nil, ctx.Err()
}

// reserve gives a permit, or tells when there is one: free, if nothing is answered
// meanwhile, and not before soonest.
func (p *Pacer) reserve(now time.Time) (t *permit, free, soonest time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.permits = slices.DeleteFunc(p.permits, func(t *permit) bool { return !t.counts.After(now) })
	if len(p.permits) < p.number {
		t = &permit{sent: now, counts: now.Add(p.window + mostUneven)}
		p.permits = append(p.permits, t)
		return t, now, now
	}
	free = p.permits[0].counts
	for _, t := range p.permits[1:] {
		if t.counts.Before(free) {
			free = t.counts
		}
	}
	return nil, free, p.permits[0].sent.Add(p.window)
}

// answered finds out until when a permit counts.
func (p *Pacer) answered(t *permit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := time.Since(t.sent)
	late := took // in the worst case
	if p.answers++; p.answers > p.number {
		late = max(took-p.quickest, 0)
	}
	t.counts = t.sent.Add(p.window + min(late+unevenness, mostUneven))
	if p.answers == 1 || took < p.quickest {
		p.quickest = took
	}
	p.quickest += (took - p.quickest) / forget
	select {
	case p.eased <- struct{}{}:
	default: // it is told already
	}
}

// sleep ends when there may be a permit. Only the next one in line sleeps.
func (p *Pacer) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.eased:
	case <-ctx.Done():
	}
}
