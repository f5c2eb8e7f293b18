package webhookauth

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// Queue answers deliveries at once and works them off behind: Instantly waits for an answer
// no longer than seconds, and disables a webhook that gives none. What is in the queue is
// lost if the process dies; what must not be belongs into a queue of yours.
type Queue struct {
	mu     sync.RWMutex // closed while others are sending, it would panic
	closed bool
	bodies chan []byte
	worked sync.WaitGroup
}

// NewQueue makes a queue that keeps at most size deliveries, and has work called with the
// body of each, one after the other.
func NewQueue(size int, work func(body []byte)) *Queue {
	q := &Queue{bodies: make(chan []byte, size)}
	q.worked.Go(func() {
		for body := range q.bodies {
			work(body)
		}
	})
	return q
}

// ServeHTTP answers 202 for what is queued. A full or closed queue answers 503, and Instantly
// sends the delivery again.
func (q *Queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	if !q.put(body) {
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (q *Queue) put(body []byte) bool {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return false
	}
	select {
	case q.bodies <- body:
		return true
	default:
		return false
	}
}

// Close takes nothing more and waits until what is queued is worked off, or ctx ends.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.bodies)
	}
	q.mu.Unlock()
	done := make(chan struct{})
	go func() { q.worked.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
