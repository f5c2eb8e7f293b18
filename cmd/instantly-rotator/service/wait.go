package service

import (
	"context"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// sleep waits for d; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// passed waits until as much time has passed since an instant as the configuration in force
// says, which may change meanwhile; where that is nothing, for another configuration. It
// returns false if ctx ended first.
func (s *Service) passed(ctx context.Context, since time.Time, interval func(*config.Config) time.Duration) bool {
	for {
		replaced := s.replacement() // before the configuration is looked at: none is missed
		if over, ok := passedUnless(ctx, replaced, since, interval(s.inForce())); ok {
			return over
		}
	}
}

// passedUnless waits until d has passed since an instant, or for ever if d is nothing; ok is
// false if replaced came first.
func passedUnless(ctx context.Context, replaced <-chan struct{}, since time.Time, d time.Duration) (over, ok bool) {
	var end <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(time.Until(since.Add(d)))
		defer timer.Stop()
		end = timer.C
	}
	select {
	case <-end:
		return ctx.Err() == nil, true
	case <-ctx.Done():
		return false, true
	case <-replaced:
		return false, false
	}
}

// replacement gives what is closed when another configuration is in force, and run.
func (s *Service) replacement() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replaced
}

// wake has all that wait by the configuration look at it again.
func (s *Service) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.replaced)
	s.replaced = make(chan struct{})
}
