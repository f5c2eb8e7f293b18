package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	owner      = "demo"
	targetName = "crm"
	storeName  = "local"
	// strangerName is the key that a person made and that is nobody's business.
	strangerName = "Zapier (made by hand)"

	// The engine tests keys by the first scope, the apps use the second: so the
	// sandbox counts the apps' requests apart.
	scopeOfTests = "campaigns:read"
	scopeOfApps  = "lead_lists:read"
)

// scopes of the key that is kept fresh.
func scopes() []string { return []string{scopeOfTests, scopeOfApps} }

// world is what the story happens in: the sandbox on its port and the folder of
// the store. Engines and apps reach both as programs of their own would.
type world struct {
	pace    pace
	sandbox *sandbox.Server
	url     string
	dir     string
	// stranger is the id of the key made by hand.
	stranger string

	server  *http.Server
	served  chan struct{}       // closed when the server has ended
	clients []*instantly.Client // whose connections are to be closed
}

// openWorld serves the sandbox on a free loopback port and makes the folder.
func openWorld(ctx context.Context, tempDir string, p pace) (*world, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the sandbox: %w", err)
	}
	dir, err := os.MkdirTemp(tempDir, "instantly-rotator-demo-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a temporary folder: %w", err), listener.Close())
	}
	w := &world{
		pace: p, sandbox: sandbox.New(sandbox.Options{}), dir: dir,
		url: "http://" + listener.Addr().String(), served: make(chan struct{}),
	}
	w.server = &http.Server{
		Handler: w.sandbox, ReadHeaderTimeout: 5 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // the story has the only say on the screen
	}
	go func() {
		defer close(w.served)
		_ = w.server.Serve(listener) // ends when close closes it
	}()
	if err := w.people(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// people set the sandbox up: a key made by hand, and the lags of real services.
func (w *world) people() error {
	k, err := w.sandbox.AddKey(sandbox.DefaultWorkspaceID, strangerName, scopeOfTests)
	if err != nil {
		return fmt.Errorf("make a key by hand: %w", err)
	}
	w.stranger = k.ID
	w.sandbox.SetFaults(w.usual())
	return nil
}

// usual is how the sandbox behaves when nothing is wrong.
func (w *world) usual() sandbox.Faults {
	return sandbox.Faults{ActivationDelay: w.pace.lag, RevocationDelay: w.pace.lag}
}

// breakDown makes the API answer 503 to everybody, until mend.
func (w *world) breakDown() {
	f := w.usual()
	f.Unavailable = true
	w.sandbox.SetFaults(f)
}

func (w *world) mend() { w.sandbox.SetFaults(w.usual()) }

// openStore opens the folder anew, as another process would.
func (w *world) openStore() (*filestore.Store, error) {
	return filestore.Open(filestore.Options{
		Dir: filepath.Join(w.dir, targetName), Identity: filepath.Join(w.dir, "identity.txt"),
	})
}

// newClient gives a client with connections of its own. budget is how long it
// tries a call again by itself; negative means that it does not.
func (w *world) newClient(budget time.Duration) (*instantly.Client, error) {
	c, err := instantly.NewClient(instantly.Options{
		BaseURL:  w.url,
		AdminKey: w.adminKey(),
		// The sandbox allows the workspace 100 requests a second, as the vendor
		// does; the apps together make half of them.
		Pacer:       instantly.NewPacer(40),
		Timeout:     5 * time.Second,
		RetryBudget: budget,
	})
	if err != nil {
		return nil, err
	}
	w.clients = append(w.clients, c)
	return c, nil
}

// adminKey is what the rotator issues and revokes keys with.
func (w *world) adminKey() secret.Value { return w.sandbox.Workspaces()[0].AdminKey }

// keys gives what the sandbox knows of every key there ever was.
func (w *world) keys() []sandbox.KeyRecord { return w.sandbox.Keys(sandbox.DefaultWorkspaceID) }

// close ends the server and removes the folder. Nothing may be using them.
func (w *world) close() error {
	for _, c := range w.clients {
		c.CloseIdleConnections()
	}
	err := w.server.Close()
	<-w.served
	return errors.Join(err, os.RemoveAll(w.dir))
}

// calendar is the schedule of the demonstration: it has the ticks that the story
// puts into it. It is not for concurrent use: the story and the engine take
// turns.
type calendar struct{ ticks []time.Time }

var _ rotator.Schedule = (*calendar)(nil)

// add puts a tick into the calendar. Like the times that a store keeps, it is
// without a monotonic reading.
func (c *calendar) add(t time.Time) { c.ticks = append(c.ticks, t.Round(0)) }

// Next implements [rotator.Schedule].
func (c *calendar) Next(t time.Time) time.Time {
	for _, tick := range c.ticks {
		if tick.After(t) {
			return tick
		}
	}
	return time.Time{}
}
