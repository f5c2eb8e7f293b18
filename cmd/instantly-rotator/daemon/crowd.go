package daemon

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// mostConnections is how many there may be at a time: more than all who have something to
// ask, and few enough that they cost nothing.
const mostConnections = 512

// crowd keeps connections that ask for nothing from keeping others away: where there are
// too many, the one goes that has been waiting longest.
type crowd struct {
	most int

	mu      sync.Mutex
	waiting *list.List // of net.Conn; the oldest first
	at      map[net.Conn]*list.Element
	served  map[net.Conn]bool
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, waiting: list.New(), at: map[net.Conn]*list.Element{}, served: map[net.Conn]bool{}}
}

// connKey is where a request's connection is in its context.
type connKey struct{}

// enter is for [http.Server.ConnContext].
func (c *crowd) enter(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.at)+len(c.served) >= c.most {
		oldest := c.waiting.Front()
		if oldest == nil {
			_ = conn.Close() // all others are being answered
			return ctx
		}
		gone := c.waiting.Remove(oldest).(net.Conn)
		delete(c.at, gone)
		_ = gone.Close()
	}
	c.at[conn] = c.waiting.PushBack(conn)
	return context.WithValue(ctx, connKey{}, conn)
}

// state is for [http.Server.ConnState].
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	if s != http.StateClosed && s != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(conn)
}

func (c *crowd) forget(conn net.Conn) {
	if e, ok := c.at[conn]; ok {
		c.waiting.Remove(e)
		delete(c.at, conn)
	}
	delete(c.served, conn)
}

// serving keeps the connection of a request that has come whole, until it is answered.
func (c *crowd) serving(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(net.Conn)
		if ok {
			c.mu.Lock()
			c.forget(conn)
			c.served[conn] = true
			c.mu.Unlock()
			defer func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				if c.served[conn] { // else it is closed already
					delete(c.served, conn)
					c.at[conn] = c.waiting.PushBack(conn)
				}
			}()
		}
		h.ServeHTTP(w, r)
	})
}
