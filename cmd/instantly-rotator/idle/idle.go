// Package idle bounds how long one waits for many answers: as long as any comes, the
// others are waited for, however many there are.
package idle

import (
	"context"
	"sync"
	"time"
)

// Context ends with [context.DeadlineExceeded] when nothing has moved for a while, or
// when its parent ends.
type Context struct {
	context.Context // the parent
	span            time.Duration
	done            chan struct{}
	end             func(error)
	err             error // why it ended; written before done is closed
	timer           *time.Timer
}

// New begins to wait; whoever calls it calls the function that it gives.
func New(parent context.Context, span time.Duration) (*Context, context.CancelFunc) {
	c := &Context{Context: parent, span: span, done: make(chan struct{})}
	var once sync.Once
	c.end = func(err error) {
		once.Do(func() {
			c.err = err
			close(c.done)
		})
	}
	c.timer = time.AfterFunc(span, func() { c.end(context.DeadlineExceeded) })
	release := context.AfterFunc(parent, func() { c.end(parent.Err()) })
	return c, func() {
		c.timer.Stop()
		release()
		c.end(context.Canceled)
	}
}

// Moved says that something was answered: the wait begins anew.
func (c *Context) Moved() {
	if c.Err() == nil {
		c.timer.Reset(c.span)
	}
}

// Done implements [context.Context].
func (c *Context) Done() <-chan struct{} { return c.done }

// Err implements [context.Context].
func (c *Context) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
