package leader

import (
	"context"
	"time"
)

// term runs f for as long as the Lease is held, which it is from renewed on. It
// returns when f has.
func (l *Lease) term(ctx context.Context, renewed time.Time, f func(context.Context)) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	deadline := time.AfterFunc(time.Until(renewed.Add(renewDeadline)), stop)
	defer deadline.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(working)
	}()
	held := l.keep(context.WithoutCancel(ctx), done, func(renewed time.Time) {
		if working.Err() == nil {
			deadline.Reset(time.Until(renewed.Add(renewDeadline)))
		}
	})
	stop()
	<-done
	if held {
		l.release(context.WithoutCancel(ctx))
	}
}

// keep renews the Lease until done, and tells of each time that it did, with an
// instant before the call was made. It returns false as soon as another instance
// holds the Lease.
func (l *Lease) keep(ctx context.Context, done <-chan struct{}, renewed func(time.Time)) bool {
	ticker := time.NewTicker(retryPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return true
		case <-ticker.C:
		}
		at := time.Now()
		err := l.renew(ctx)
		l.complain(ctx, err)
		switch {
		case err == nil:
			renewed(at)
		case l.seen.holder != l.identity:
			return false
		}
	}
}

// renew writes the Lease anew. Where somebody changed something else in it, a
// label for instance, it is written on top of that; where another instance holds
// it, it is left alone.
func (l *Lease) renew(ctx context.Context) error {
	next, err := l.calls.update(ctx, l.claim(l.seen))
	if err == nil {
		l.seen = next
		return nil
	}
	now, readErr := l.calls.get(ctx)
	if readErr != nil {
		return err // the first one says more
	}
	l.note(now)
	if now.holder != l.identity {
		return errTaken
	}
	if next, err = l.calls.update(ctx, l.claim(now)); err == nil {
		l.seen = next
	}
	return err
}

// release gives the Lease up, so that the others need not wait until it expires.
// Failing to costs no more than that wait.
func (l *Lease) release(ctx context.Context) {
	free := l.seen
	free.holder, free.renewed, free.lasts = "", time.Now(), time.Second
	next, err := l.calls.update(ctx, free)
	l.complain(ctx, err)
	if err == nil {
		l.seen = next
	}
}
