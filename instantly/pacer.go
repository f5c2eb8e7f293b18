package instantly

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// A Pacer lets at most so many requests arrive within any second, not on average:
// a workspace that has spent its second answers 429, and a create that is
// answered so has to be begun anew. (A bucket that refills while it is emptied
// lets twice as many go in its first second.) It is safe for concurrent use.
//
// The server counts when requests arrive, which nobody knows but it. By as much as
// a request arrived later than the quickest do, its answer came later at least: so
// much longer than a second it counts.
type Pacer struct {
	number int // 0: no limit
	window time.Duration
	next   chan struct{} // held by who goes next, so that they go in the order of their calls
	eased  chan struct{} // something counts for less long than was thought

	mu       sync.Mutex
	turns    []*turn
	answers  int
	quickest time.Duration // from a request to its answer, about; not known before a few answers
}

// A turn is a request that was let go.
type turn struct {
	sent, counts time.Time // from, until
}

const (
	// unevenness is what a turn counts longer than its window in any case.
	unevenness = 5 * time.Millisecond
	// mostUneven is how much longer one counts that is not answered. It must not
	// keep others from going for as long as it hangs.
	mostUneven = time.Second
	// forget is in how many requests the quickest answer is forgotten: the way to
	// the server may have become longer for good.
	forget = 1000
)

// NewPacer makes a Pacer for so many requests a second. A fraction is rounded up
// for what goes at once and kept to on average: 0.1 is one in ten seconds. Numbers
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

var errTooLate = errors.New("its turn would come after the deadline")

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
		t, free, soonest := p.take(now)
		if t != nil {
			return func() { p.answered(t) }, nil
		}
		if deadline, ok := ctx.Deadline(); ok && deadline.Before(soonest) {
			return nil, errTooLate
		}
		p.sleep(ctx, free.Sub(now))
	}
	return nil, ctx.Err()
}

// take gives a turn, or tells when there is one: free, if nothing is answered
// meanwhile, and not before soonest.
func (p *Pacer) take(now time.Time) (t *turn, free, soonest time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turns = slices.DeleteFunc(p.turns, func(t *turn) bool { return !t.counts.After(now) })
	if len(p.turns) < p.number {
		t = &turn{sent: now, counts: now.Add(p.window + mostUneven)}
		p.turns = append(p.turns, t)
		return t, now, now
	}
	free = p.turns[0].counts
	for _, t := range p.turns[1:] {
		if t.counts.Before(free) {
			free = t.counts
		}
	}
	return nil, free, p.turns[0].sent.Add(p.window)
}

// answered finds out until when a turn counts.
func (p *Pacer) answered(t *turn) {
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

// sleep ends when there may be a turn. Only who goes next sleeps.
func (p *Pacer) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.eased:
	case <-ctx.Done():
	}
}
