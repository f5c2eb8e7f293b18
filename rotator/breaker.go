package rotator

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// A breaker keeps new attempts off what has just failed, until one probe
// succeeds. It lives in memory only: what is due is not forgotten by it, and a
// process that is started anew finds out for itself.
type breaker struct {
	mu     sync.Mutex
	where  string                         // for the message
	failed map[string]map[string]struct{} // way of failing → the targets that did, since the last success
	wait   time.Duration                  // 0: closed
	until  time.Time
	cause  error
}

// The waits before a probe: doubled each time it fails.
const (
	firstOpen = time.Minute
	lastOpen  = 15 * time.Minute
)

// allow gives nil if an attempt may be made. While the breaker is open, it lets
// one caller through after each wait: the probe.
func (b *breaker) allow(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wait == 0 {
		return nil
	}
	if now.Before(b.until) {
		return &CircuitOpenError{Where: b.where, Until: b.until, Cause: b.cause}
	}
	b.until = now.Add(b.wait)
	return nil
}

// why gives the error that attempts get now; nil if there is none.
func (b *breaker) why(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wait == 0 || !now.Before(b.until) {
		return nil
	}
	return &CircuitOpenError{Where: b.where, Until: b.until, Cause: b.cause}
}

// trip opens the breaker, or keeps it open for longer.
func (b *breaker) trip(now time.Time, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open(now, cause)
}

func (b *breaker) open(now time.Time, cause error) {
	b.wait = min(max(2*b.wait, firstOpen), lastOpen)
	b.until, b.cause = now.Add(b.wait), cause
}

// sameWay is how many distinct targets have to fail in the same way.
const sameWay = 3

// count opens the breaker when several targets have failed in the same way, or
// when its probe has.
func (b *breaker) count(now time.Time, target, way string, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		b.failed = map[string]map[string]struct{}{}
	}
	if b.failed[way] == nil {
		b.failed[way] = map[string]struct{}{}
	}
	b.failed[way][target] = struct{}{}
	if n := len(b.failed[way]); b.wait > 0 || n >= sameWay {
		b.open(now, fmt.Errorf("%d targets failed in the same way: %s: %w", n, way, cause))
	}
}

// mend closes the breaker: an attempt has succeeded.
func (b *breaker) mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed, b.wait, b.cause = nil, 0, nil
}

// mayRotate asks the breakers whether this run may begin a rotation. Whoever is in
// a hurry is not held up.
func (r *run) mayRotate() error {
	if r.req.IgnoreBackoff || r.emergency() {
		return nil
	}
	for _, b := range []*breaker{&r.target.Workspace.rotations, &r.rotations} {
		if err := b.allow(r.now()); err != nil {
			return err
		}
	}
	return nil
}

// account tells the breakers how a rotation ended that this run began.
func (r *run) account(step Step, err error) {
	switch {
	case r.nonce == "" || errors.Is(err, ErrLostRace):
	case r.Rotated:
		r.target.Workspace.rotations.mend()
		r.rotations.mend()
	case err != nil:
		r.rotations.count(r.now(), r.target.Name, string(tried(step))+": "+ClassOf(err).Name, err)
		if isOutage(err) {
			r.target.Workspace.rotations.trip(r.now(), err)
		}
	}
}
