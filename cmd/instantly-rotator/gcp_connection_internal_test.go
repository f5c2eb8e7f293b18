package main

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A countedListener counts the connections that were made to it, and knows when
// they have ended.
type countedListener struct {
	net.Listener
	made  atomic.Int32
	alive sync.WaitGroup
}

// Accept implements [net.Listener].
func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.made.Add(1)
	l.alive.Add(1)
	return &countedConn{Conn: conn, ended: sync.OnceFunc(l.alive.Done)}, nil
}

type countedConn struct {
	net.Conn
	ended func()
}

// Close implements [net.Conn].
func (c *countedConn) Close() error {
	c.ended()
	return c.Conn.Close()
}

// wantOneThatEnded wants one connection to have been made, and ended by the other
// side.
func (l *countedListener) wantOneThatEnded(t *testing.T, after string) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		l.alive.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: a connection to the store was left open", after)
	}
	if n := l.made.Swap(0); n != 1 {
		t.Errorf("%s made %d connections to the store, want one for all secrets", after, n)
	}
}

func TestEachCommandMakesOneConnectionToGCPAndEndsIt(t *testing.T) {
	d := newGCPFixture(t, ", create_missing: true", "sending", "reporting", "warehouse")
	for _, args := range [][]string{{"rotate"}, {"status"}, {"plan"}, {"verify"}, {"get", "reporting"}} {
		if code, stdout, stderr := d.run(args...); code != exitSettled {
			t.Fatalf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
		d.listener.wantOneThatEnded(t, args[0])
	}
}
