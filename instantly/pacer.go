package instantly

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// A Limiter says when the next request may go. [Pacer] keeps it, and so does
// rate.Limiter of golang.org/x/time/rate.
type Limiter interface {
	// Wait blocks until a request may be sent, in the order of the calls. It fails
	// if ctx is over before that; at once, if its deadline is known to come first.
	Wait(ctx context.Context) error
}

// A Pacer lets at most so many requests go within any second, not on average: a
// workspace that has spent its second answers 429, and a create that is answered
// so has to be begun anew. A bucket that refills while it is emptied lets
// twice as many go in its first second. It is safe for concurrent use.
type Pacer struct {
	window time.Duration
	mu     sync.Mutex
	turns  []time.Time // the newest, as a ring
	oldest int         // in turns
}

// unevenness is by how much requests may differ in the time that they are on
// their way, without more than allowed arriving within a second: the server
// counts when they arrive.
const unevenness = 35 * time.Millisecond

// NewPacer makes a Pacer for so many requests a second. A fraction is rounded up
// for what goes at once and kept to on average: 0.1 is one in ten seconds. Numbers
// below a millionth count as that.
func NewPacer(perSecond float64) *Pacer {
	perSecond = max(perSecond, 1e-6)
	atOnce := int(math.Ceil(perSecond))
	window := time.Duration(float64(atOnce) / perSecond * float64(time.Second))
	return &Pacer{window: window + unevenness, turns: make([]time.Time, atOnce)}
}

var errTooLate = errors.New("its turn would come after the deadline")

// Wait implements [Limiter].
func (p *Pacer) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	turn, err := p.reserve(ctx)
	if err != nil {
		return err
	}
	wait := time.Until(turn)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done(): // the turn is lost: too few may go, never too many
		return ctx.Err()
	}
}

// reserve takes the next turn: when the oldest that counts is a window ago.
func (p *Pacer) reserve(ctx context.Context) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	turn := time.Now()
	if free := p.turns[p.oldest].Add(p.window); free.After(turn) {
		turn = free
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(turn) {
		return time.Time{}, errTooLate
	}
	p.turns[p.oldest] = turn
	p.oldest = (p.oldest + 1) % len(p.turns)
	return turn, nil
}
