package notify

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// How a message is sent.
const (
	// An attempt is given up after attemptTime; the services answer within seconds.
	attemptTime = 15 * time.Second
	// After a failed attempt comes another, first after firstRetry, then after
	// retryFactor times the last wait: 1 s, 5 s, 25 s.
	maxAttempts = 4
	firstRetry  = time.Second
	retryFactor = 5
)

// A mailbox is the inbox of one receiver with the goroutine that empties it.
type mailbox struct {
	Receiver
	from    string
	deliver Delivery
	observe func(Outcome)
	ctx     context.Context // bounds the life of run
	filled  chan struct{}   // holds one thing if there may be something new

	mu     sync.Mutex
	inbox  inbox
	closed bool
}

func newMailbox(ctx context.Context, o Options, r Receiver) *mailbox {
	open, observe := o.Open, o.Observe
	if open == nil {
		open = Shoutrrr
	}
	if observe == nil {
		observe = func(Outcome) {}
	}
	return &mailbox{Receiver: r, from: o.From, deliver: open(), observe: observe, ctx: ctx, filled: make(chan struct{}, 1)}
}

// put takes a message in, if it is wanted.
func (m *mailbox) put(msg Message) {
	if !slices.Contains(m.On, msg.Kind) {
		return
	}
	folded, dropped := m.add(msg)
	if folded {
		m.tell(msg.Kind, Folded, 0, nil)
	}
	m.tellDropped(dropped)
	m.signal()
}

func (m *mailbox) add(msg Message) (folded bool, dropped []Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, []Message{msg}
	}
	return m.inbox.add(time.Now(), msg)
}

// shut lets run end once everything is sent.
func (m *mailbox) shut() {
	m.mu.Lock()
	m.closed = true
	dropped := m.inbox.finish(time.Now())
	m.mu.Unlock()
	m.tellDropped(dropped)
	m.signal()
}

func (m *mailbox) signal() {
	select {
	case m.filled <- struct{}{}:
	default: // it knows already
	}
}

// run sends what comes in until the mailbox is shut and empty, or cut off.
func (m *mailbox) run() {
	for m.ctx.Err() == nil {
		n, ready, over := m.next()
		switch {
		case ready:
			m.send(n)
		case over:
			return
		default:
			m.rest()
		}
	}
	m.abandon()
}

// next gives the next note; over says that there will be none.
func (m *mailbox) next() (n note, ready, over bool) {
	m.mu.Lock()
	n, ready, dropped := m.inbox.next(time.Now())
	if m.closed && !ready {
		n, ready = m.inbox.last(time.Now())
	}
	over = m.closed && !ready
	m.mu.Unlock()
	m.tellDropped(dropped)
	return n, ready, over
}

// rest waits until there may be something to do.
func (m *mailbox) rest() {
	m.mu.Lock()
	at, some := m.inbox.wake()
	m.mu.Unlock()
	var due <-chan time.Time
	if some {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-m.filled:
	case <-m.ctx.Done():
	}
}

// abandon drops what was not sent in time.
func (m *mailbox) abandon() {
	m.mu.Lock()
	left := m.inbox.queue
	m.inbox.queue = nil
	m.mu.Unlock()
	for _, n := range left {
		m.tell(n.Kind, Dropped, 0, nil)
	}
}

// send sends a note, in several attempts if need be, and tells how it went.
func (m *mailbox) send(n note) {
	attempts, err := m.attempts(n)
	if err == nil {
		m.tell(n.Kind, Sent, attempts, nil)
		return
	}
	m.mu.Lock()
	m.inbox.miss(n)
	m.mu.Unlock()
	m.tell(n.Kind, Undelivered, attempts, err)
}

func (m *mailbox) attempts(n note) (made int, err error) {
	wait := firstRetry
	for made = 1; ; made++ {
		err = m.attempt(m.ctx, n)
		if err == nil || made == maxAttempts || lasting(err) || !m.pause(wait) {
			return made, err
		}
		wait *= retryFactor
	}
}

// attempt reads the URL and sends the note to it, once.
func (m *mailbox) attempt(ctx context.Context, n note) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	url, err := m.URL(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoURL, err)
	}
	return m.deliver(ctx, url, n.title(m.from), n.body(m.from))
}

// pause waits; false if it was cut off.
func (m *mailbox) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-m.ctx.Done():
		return false
	}
}

func (m *mailbox) tell(kind Kind, result Result, attempts int, err error) {
	m.observe(Outcome{Receiver: m.Name, Kind: kind, Result: result, Attempts: attempts, Err: err})
}

func (m *mailbox) tellDropped(dropped []Message) {
	for _, d := range dropped {
		m.tell(d.Kind, Dropped, 0, nil)
	}
}
