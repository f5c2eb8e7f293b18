// Package rotatortest proves the engine's rules on any kind of store. It has a
// world, which is Instantly, the secrets of one target and a clock; a judge, who
// checks them from the outside after every effect; and what may happen to the
// rotators that run there: faults of their outside calls, and each other.
//
// Every backend's tests plug in with a [Backend], and the tests of the engine
// tell their stories in the same [World]. A world lives in a bubble of
// testing/synctest: months pass in no time.
package rotatortest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Backend is one kind of store.
type Backend struct {
	// Name is its row in the table of matrices.
	Name string
	// Stores is in how many secrets the target is kept; 0 stands for 1.
	Stores int
	// Fresh makes a secret that holds nothing yet.
	Fresh func(t testing.TB) Secret
	// Primary makes the first secret, where those of Fresh may only follow; nil stands for
	// Fresh.
	Primary func(t testing.TB) Secret
}

// Secret is one secret as rotators and consumers reach it. Latest and Settled
// may be nil.
type Secret struct {
	// Open gives a store that is bound to the secret, as a process of its own
	// has it. Its outside calls go through hook: the requests to a service, the
	// effects on a disk, or see [Tap]. What hook returns fails the call, in the
	// way in which the backend's calls fail when there is no connection.
	Open func(t testing.TB, hook Hook) secretstore.Store
	// Current is the value that consumers read, found without a store that is
	// under test; empty before a rotator has made one current.
	Current func() string
	// Latest is what those read who do not ask for the current version by name,
	// where that may be another one.
	Latest func() string
	// Settled tells what else should be true of a secret with nothing left to do.
	Settled func(t testing.TB) error
}

// When tells at which end of a call a hook is called.
type When string

const (
	// Before the effect: the call changed nothing.
	Before When = "before"
	// After the effect: it happened, only the answer is lost.
	After When = "after"
)

// A Hook is called before and after every outside call, and may fail it.
type Hook func(call string, when When) error

// ErrInjected is the error of a call that a fault was injected into.
var ErrInjected = fmt.Errorf("%w: injected fault", secretstore.ErrUnavailable)

// around makes a call between the two ends of the hook. A call that fails by
// itself has had no effect.
func (h Hook) around(ctx context.Context, call string, effect func() error) error {
	if err := h(call, Before); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return h(call, After)
}

// Tap takes each method of a store for one outside call: for stores that make
// no calls of their own.
func Tap(s secretstore.Store, hook Hook) secretstore.Store { return tapped{s, hook} }

type tapped struct {
	store secretstore.Store
	hook  Hook
}

func (t tapped) Describe(ctx context.Context) (snap secretstore.Snapshot, err error) {
	err = t.hook.around(ctx, "describe", func() error { snap, err = t.store.Describe(ctx); return err })
	return snap, err
}

func (t tapped) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (snap secretstore.Snapshot, err error) {
	err = t.hook.around(ctx, "annotate", func() error { snap, err = t.store.Annotate(ctx, seen, n); return err })
	return snap, err
}

func (t tapped) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (snap secretstore.Snapshot, err error) {
	err = t.hook.around(ctx, "stage", func() error { snap, err = t.store.Stage(ctx, seen, v, value); return err })
	return snap, err
}

func (t tapped) Read(ctx context.Context, id string) (value secret.Value, err error) {
	err = t.hook.around(ctx, "read", func() error { value, err = t.store.Read(ctx, id); return err })
	return value, err
}

func (t tapped) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (snap secretstore.Snapshot, err error) {
	err = t.hook.around(ctx, "promote", func() error { snap, err = t.store.Promote(ctx, seen, id, at); return err })
	return snap, err
}

func (t tapped) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (snap secretstore.Snapshot, err error) {
	err = t.hook.around(ctx, "destroy", func() error { snap, err = t.store.Destroy(ctx, seen, id); return err })
	return snap, err
}

// Put lets people put a value where the store takes one from them.
func (t tapped) Put(ctx context.Context, seen secretstore.Snapshot, value secret.Value) (snap secretstore.Snapshot, err error) {
	putter, ok := t.store.(secretstore.Putter)
	if !ok {
		return snap, fmt.Errorf("put: %w", secretstore.ErrDenied)
	}
	err = t.hook.around(ctx, "put", func() error { snap, err = putter.Put(ctx, seen, value); return err })
	return snap, err
}
