//go:build linux && amd64

package crash

import (
	"fmt"
	"net"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// google is GCP Secret Manager.
type google struct {
	server *gcptest.Server
	conns  *connections

	mu   sync.Mutex
	open map[int]passage // calls under way, by their number
}

func refusalsOfGoogle() []refusal {
	return []refusal{
		{"403", int(gcptest.Denied), ""},
		{"500", int(gcptest.Internal), ""},
		{"503", int(gcptest.LostRequest), ""},
		{"429", int(gcptest.Exhausted), ""},
		{"connection reset", reset, ""},
	}
}

func openGoogle(w *world) site {
	l, err := (&net.ListenConfig{}).Listen(w.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	g := &google{server: gcptest.New(), conns: &connections{Listener: l}, open: map[int]passage{}}
	w.Cleanup(g.server.Close)
	g.server.Before = func(c gcptest.Call) gcptest.Fault { return g.enter(w.desk, c) }
	g.server.After = g.leave
	g.server.Serve(g.conns)
	return g
}

func (g *google) enter(d *desk, c gcptest.Call) gcptest.Fault {
	p, f := d.enter("gcp " + c.Method + " " + bySecret(fmt.Sprint(c.Request)))
	if f.lost || f.refused != nil && f.refused.code == reset {
		g.conns.cut()
		return gcptest.LostRequest
	}
	if f.refused != nil {
		return gcptest.Fault(f.refused.code)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[c.Number] = p
	return gcptest.None
}

func (g *google) leave(c gcptest.Call) {
	g.mu.Lock()
	p := g.open[c.Number]
	delete(g.open, c.Number)
	g.mu.Unlock()
	if p.leave().lost {
		g.conns.cut()
	}
}

func (g *google) stores() string {
	one := fmt.Sprintf("{kind: gcp, project: %s, endpoint: %q, create_missing: true}", gcptest.Project, g.conns.Addr())
	return "  a: " + one + "\n  b: " + one
}

func (g *google) env() []string { return nil }

func (g *google) traced() bool { return false }

func (g *google) serves() map[string]string {
	return map[string]string{
		"latest of store a": g.server.Served(inA, "latest"), "current of store a": g.server.Served(inA, "current"),
		"latest of store b": g.server.Served(inB, "latest"), "current of store b": g.server.Served(inB, "current"),
	}
}

func (g *google) remains() (left []string) {
	for _, secret := range []string{inA, inB} {
		for _, v := range g.server.Versions(secret) {
			if v.Value != "" && v.Value != g.server.Served(secret, "current") {
				left = append(left, fmt.Sprintf("version %d of %s", v.Number, secret))
			}
		}
	}
	return left
}

// connections is a listener whose connections can be cut.
type connections struct {
	net.Listener
	mu  sync.Mutex
	all []net.Conn
}

// Accept implements [net.Listener].
func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = append(c.all, conn)
	}
	return conn, err
}

func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.all {
		_ = conn.Close()
	}
	c.all = nil
}
