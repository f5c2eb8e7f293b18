package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// outcome is how a request of an app ended.
type outcome int

const (
	// answered: the request did what it was meant to.
	answered outcome = iota
	// refused: the API did not accept the key. The rotator's fault.
	refused
	// unavailable: the API answered 503, as it does in the outage, whatever the
	// key. Nobody's fault here, and the app tries again.
	unavailable
	// failed in any other way, not being able to read the store included.
	failed
)

// use is one request of an app.
type use struct {
	App     string
	At      time.Time // just before it was sent
	KeyID   string    // empty if the store could not be read
	Outcome outcome
	Err     error // why it was not answered
}

// app is a consumer: a program that reads the key from the store and calls the
// API with it.
type app struct {
	name  string
	keep  time.Duration // how long it goes on with a key it has read; 0: reads every time
	pause time.Duration // between two requests
	store secretstore.Store
	// client sends the requests. The admin key it was made with stays unused.
	client *instantly.Client
	tell   func(use)

	held  heldKey
	asked time.Time // when held was read
}

// heldKey is a key as it was read.
type heldKey struct {
	id    string
	value secret.Value
}

// serve makes requests until ctx ends. The request in hand is finished, so that
// the apps' counts and the sandbox's agree.
func (a *app) serve(ctx context.Context) {
	tick := time.NewTicker(a.pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.tell(a.request(context.WithoutCancel(ctx)))
		}
	}
}

func (a *app) request(ctx context.Context) use {
	u := use{App: a.name, At: time.Now()}
	if err := a.refresh(ctx, u.At); err != nil {
		u.Outcome, u.Err = failed, err
		return u
	}
	u.KeyID, u.At = a.held.id, time.Now()
	p := a.client.Probe(ctx, a.held.value, []string{scopeOfApps})
	u.Outcome, u.Err = outcomeOf(p), p.Err
	return u
}

// refresh reads the current key, unless the one in hand is recent enough.
func (a *app) refresh(ctx context.Context, now time.Time) error {
	if a.held.id != "" && now.Sub(a.asked) < a.keep {
		return nil
	}
	h, err := readCurrent(ctx, a.store)
	if err != nil {
		return fmt.Errorf("%s: read the current key: %w", a.name, err)
	}
	// The age counts from before the reading, so that it is never underrated.
	a.held, a.asked = h, now
	return nil
}

// readCurrent reads the current key the way any consumer can.
func readCurrent(ctx context.Context, store secretstore.Store) (heldKey, error) {
	snap, err := store.Describe(ctx)
	if err != nil {
		return heldKey{}, err
	}
	cur, ok := snap.Versions[secretstore.Current]
	if !ok {
		return heldKey{}, secretstore.ErrNotFound
	}
	value, err := store.Read(ctx, cur.ID)
	return heldKey{id: cur.ID, value: value}, err
}

func outcomeOf(p instantly.Probe) outcome {
	var e *instantly.Error
	switch {
	case p.Verdict == instantly.Valid:
		return answered
	case p.Verdict == instantly.Invalid:
		return refused
	case errors.As(p.Err, &e) && e.Status == http.StatusServiceUnavailable:
		return unavailable
	default:
		return failed
	}
}

// apps are all consumers, and the ledger of what they did.
type apps struct {
	narrator *narrator
	cancel   context.CancelFunc // nil before start
	running  sync.WaitGroup

	mu     sync.Mutex
	uses   []use
	newest map[string]use // by app
}

// start lets two apps use the key: one that reads the store for every request,
// and one that goes on for a while with what it has read.
func (as *apps) start(ctx context.Context, w *world) error {
	ctx, as.cancel = context.WithCancel(ctx)
	return errors.Join(as.add(ctx, w, appRereads, 0), as.add(ctx, w, appCaches, w.pace.keep))
}

func (as *apps) add(ctx context.Context, w *world, name string, keep time.Duration) error {
	store, err := w.openStore()
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	client, err := w.newClient(-1)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	a := &app{name: name, keep: keep, pause: w.pace.request, store: store, client: client, tell: as.note}
	as.running.Go(func() { a.serve(ctx) })
	return nil
}

const (
	appRereads = "app A"
	appCaches  = "app B"
)

// stop waits until the last request is answered. Stopping again is harmless.
func (as *apps) stop() {
	if as.cancel != nil {
		as.cancel()
	}
	as.running.Wait()
}

// note writes a request into the ledger and tells of it if it is anything new.
func (as *apps) note(u use) {
	as.mu.Lock()
	before := as.newest[u.App]
	as.newest[u.App] = u
	as.uses = append(as.uses, u)
	as.mu.Unlock()
	if before.KeyID != u.KeyID || before.Outcome != u.Outcome {
		as.narrator.app(before, u)
	}
}

// ledger gives all requests so far, those of each app in their order.
func (as *apps) ledger() []use {
	as.mu.Lock()
	defer as.mu.Unlock()
	return slices.Clone(as.uses)
}
