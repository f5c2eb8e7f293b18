package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// engine is one instance of the rotator: what a process of its own would be. It
// has its own connections and store handle, and knows nothing to begin with.
type engine struct {
	rotator *rotator.Rotator
	target  rotator.Target
	api     *witness
}

// step is an event of the engine with the answer to the test call in it, if the
// step was one.
type step struct {
	rotator.Event
	Answer rotator.TestCall
}

// newEngine starts an instance. observe is told of every step when it is done,
// in the goroutine that reconciles.
func newEngine(w *world, c *calendar, observe func(step)) (*engine, error) {
	// Less than the outage lasts, so that the engine gets to see it.
	client, err := w.newClient(w.pace.retry / 2)
	if err != nil {
		return nil, fmt.Errorf("start a rotator: %w", err)
	}
	store, err := w.openStore()
	if err != nil {
		return nil, fmt.Errorf("start a rotator: %w", err)
	}
	e := &engine{api: &witness{Issuer: apikeys.New(client)}}
	e.rotator = rotator.New(rotator.Options{
		StepTimeout: 5 * time.Second,
		Observe:     func(ev rotator.Event) { observe(step{Event: ev, Answer: e.api.newest}) },
	})
	e.target = rotator.Target{
		Name:      targetName,
		Workspace: rotator.NewWorkspace("sandbox", e.api, ""),
		Policy:    policy(w.pace, c),
		Stores:    []rotator.NamedStore{{Name: storeName, Store: store}},
	}
	return e, nil
}

func policy(p pace, c *calendar) rotator.Policy {
	return rotator.Policy{
		Owner: owner, Spec: apikeys.SpecOf(scopes()), Schedule: c,
		Grace: p.grace, Activation: p.budget, Revocation: p.budget,
	}
}

// reconcile runs the engine once, as the daemon does when it is time to.
func (e *engine) reconcile(ctx context.Context) rotator.Result {
	// A demo waits for no backoff: it has twelve seconds.
	return e.rotator.Reconcile(ctx, e.target, rotator.Request{IgnoreBackoff: true})
}

// witness passes everything on to the API and remembers the newest answer to a
// test call, so that the story can tell it.
type witness struct {
	rotator.Issuer
	newest rotator.TestCall
}

// Test implements [rotator.Issuer].
func (i *witness) Test(ctx context.Context, value secret.Value, spec secretstore.Spec) rotator.TestCall {
	i.newest = i.Issuer.Test(ctx, value, spec)
	return i.newest
}
