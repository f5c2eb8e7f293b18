package rotator

import (
	"context"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// slots bound how many targets are reconciled side by side. A target whose store is
// being written, or that waits for a sink, leaves its slot to another one meanwhile, so that
// waiting for a disk or a service does not keep Instantly waiting. It goes on at once afterwards, even
// if all slots are taken by then: what was begun is finished before anything new.
type slots struct {
	mu    sync.Mutex
	freed sync.Cond
	free  int // below 0 while targets go on without one
}

func newSlots(n int) *slots {
	s := &slots{free: n}
	s.freed.L = &s.mu
	return s
}

// acquire waits until a slot is free, for a target that has not begun.
func (s *slots) acquire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.free <= 0 {
		s.freed.Wait()
	}
	s.free--
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.freed.Signal()
}

// resume takes a slot back, if need be one that is not there.
func (s *slots) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free--
}

// aside does what needs no slot.
func (s *slots) aside(wait func()) {
	s.release()
	defer s.resume()
	wait()
}

// during is aside for a write to a store.
func (s *slots) during(write func() (secretstore.Snapshot, error)) (snap secretstore.Snapshot, err error) {
	s.aside(func() { snap, err = write() })
	return snap, err
}

// yielding gives the target that leaves its slot to others while its stores are
// written and its sinks called, which it does one after the other.
func (s *slots) yielding(t Target) Target {
	stores := make([]NamedStore, len(t.Stores))
	for i, st := range t.Stores {
		stores[i] = NamedStore{Name: st.Name, Store: yieldingStore{st.Store, s}}
	}
	t.Stores, t.aside = stores, s.aside
	return t
}

type yieldingStore struct {
	secretstore.Store
	slots *slots
}

// Inspect implements [secretstore.Inspector].
func (y yieldingStore) Inspect(ctx context.Context) error {
	if st, ok := y.Store.(secretstore.Inspector); ok {
		return st.Inspect(ctx)
	}
	return nil
}

// Annotate implements [secretstore.Store].
func (y yieldingStore) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	return y.slots.during(func() (secretstore.Snapshot, error) { return y.Store.Annotate(ctx, seen, n) })
}

// Stage implements [secretstore.Store].
func (y yieldingStore) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	return y.slots.during(func() (secretstore.Snapshot, error) { return y.Store.Stage(ctx, seen, v, value) })
}

// Promote implements [secretstore.Store].
func (y yieldingStore) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	return y.slots.during(func() (secretstore.Snapshot, error) { return y.Store.Promote(ctx, seen, id, at) })
}

// Destroy implements [secretstore.Store].
func (y yieldingStore) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	return y.slots.during(func() (secretstore.Snapshot, error) { return y.Store.Destroy(ctx, seen, id) })
}
