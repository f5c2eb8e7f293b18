package rotatortest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

const (
	// Grace and Interval are the target's.
	Grace    = 24 * time.Hour
	Interval = 90 * 24 * time.Hour
	// Late is by how much a promotion is written down later than it begins: the
	// longest that it can take.
	Late = 30 * time.Second
	// Owner is whose keys and secrets are ours.
	Owner = "instantly-rotator"
	// Lease is longer than any backend gives a writer that may have died.
	Lease = 3 * time.Minute
)

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

// Next implements [rotator.Schedule].
func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// World is everything outside of the engine, and a judge who checks the rules
// after every effect.
type World struct {
	t         testing.TB
	Instantly *Instantly
	Policy    rotator.Policy
	// GraceEnded: somebody ended the grace period on purpose.
	GraceEnded bool
	// Credential is the value of the hand-made admin key with which the target's first key
	// is issued, where the target is the admin key itself; empty if it is not.
	Credential string

	// Sinks that the target is given to besides. SinksChanged: people change them. Incident:
	// nobody is waited for.
	Sinks                  []*memsink.Place
	SinksChanged, Incident bool

	// Trailed: writing the trail is an outside call too.
	Trailed bool

	secrets   []Secret
	acting    string              // the admin key that the newest instance acts with
	observers []secretstore.Store // of the judge's own, one a secret

	mu         sync.Mutex
	violations []string
	current    []string             // per secret: the value that consumers read now
	supplied   []string             // per sink: the value that it has
	displaced  map[string]time.Time // value → when it was last current anywhere
}

// NewWorld makes a world with a target that is kept in these secrets, the first
// of which is its primary.
func NewWorld(t testing.TB, secrets ...Secret) *World {
	w := &World{
		t: t, Instantly: &Instantly{Keys: map[string]*Key{}, proven: map[string]time.Time{}},
		secrets: secrets, current: make([]string, len(secrets)), displaced: map[string]time.Time{},
	}
	for _, s := range secrets {
		w.observers = append(w.observers, s.Open(t, func(string, When) error { return nil }))
	}
	w.Policy = rotator.Policy{
		Owner: Owner, Spec: "campaigns:read,leads:update", Schedule: every(Interval),
		Grace: Grace, Activation: time.Minute, Revocation: time.Minute,
	}
	return w
}

// world makes the world that a backend's matrices begin with.
func (b Backend) world(t testing.TB) *World {
	secrets := make([]Secret, max(b.Stores, 1))
	for i := range secrets {
		secrets[i] = b.Fresh(t)
	}
	if b.Primary != nil {
		secrets[0] = b.Primary(t)
	}
	return NewWorld(t, secrets...)
}

// HoldCredential makes the target the admin key itself. The first one is made by hand.
func (w *World) HoldCredential() {
	w.Credential = w.Instantly.Add("admin key made by hand").Value
	w.acting = w.Credential
}

// Swap exchanges two stores in the target's configuration.
func (w *World) Swap(i, j int) {
	w.secrets[i], w.secrets[j] = w.secrets[j], w.secrets[i]
	w.observers[i], w.observers[j] = w.observers[j], w.observers[i]
	w.current[i], w.current[j] = w.current[j], w.current[i]
}

// Snapshot gives what the store number i holds.
func (w *World) Snapshot(i int) secretstore.Snapshot {
	w.t.Helper()
	snap, err := w.observers[i].Describe(w.t.Context())
	if err != nil {
		w.t.Fatalf("read store %d: %v", i, err)
	}
	return snap
}

// Live leads the target through its first key, a rotation and the end of the old
// key, one process after another; spare many more of them than that needs make
// up for faults. born is called for each.
func (w *World) Live(hook Hook, spare int, born func()) {
	run := func(pause time.Duration) {
		born()
		in := w.Start()
		in.Hook = hook
		in.Run(carryOn())
		time.Sleep(pause)
	}
	for range 3 + spare {
		run(Lease)
	}
	time.Sleep(Interval + Late)
	for range 2 + spare {
		run(Grace + Late)
	}
}

// carryOn is what a run is asked for that is to settle the target at last. A key of
// another deployment that is named alike must not make a new store a lost one.
func carryOn() rotator.Request { return rotator.Request{IgnoreBackoff: true, BeginAnew: true} }

// Settle runs until nothing is left to do, over all grace periods, with nothing
// going wrong any more, and fails the test if that does not come about.
func (w *World) Settle() {
	w.t.Helper()
	if err := w.settle(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *World) settle() error {
	// What may have been current is retired, not swept; and nothing is before the
	// rotation that ends a quarantine.
	waits := []time.Duration{Grace + Late}
	if len(w.Sinks) > 0 {
		waits[0] += 10 * time.Minute // by which clocks may differ: one may have what no store refers to
	}
	if w.holdsForeign() {
		waits = append(waits, Interval+Late, Grace+Late, Grace+Late)
	}
	for range 20 {
		in := w.Start()
		res := in.Run(carryOn())
		if res.Err != nil && !errors.Is(res.Err, rotator.ErrNeverValid) && !errors.Is(res.Err, rotator.ErrUnlisted) {
			return fmt.Errorf("does not settle: %w; steps: %s", res.Err, in.Steps())
		}
		switch {
		case res.Err != nil || len(w.OldVersions()) > 0:
			time.Sleep(max(time.Until(res.Next), time.Second))
		case w.hasStray() && len(waits) > 0:
			time.Sleep(waits[0])
			waits = waits[1:]
		default:
			w.JudgeEnd()
			return nil
		}
	}
	return errors.New("does not settle in 20 runs")
}

// hasStray tells whether a key of ours lives that the primary does not give.
func (w *World) hasStray() bool {
	return slices.ContainsFunc(w.Instantly.All(), func(k *Key) bool { return !k.Foreign && k.Listed() && k.Value != w.current[0] })
}

// holdsForeign tells whether a store has a value of unknown origin.
func (w *World) holdsForeign() bool {
	for i := range w.secrets {
		for _, v := range w.Snapshot(i).Versions {
			if v.Foreign {
				return true
			}
		}
	}
	return false
}

// OldVersions lists the ids of our versions that are not current.
func (w *World) OldVersions() (ids []string) {
	for i := range w.secrets {
		for stage, v := range w.Snapshot(i).Versions {
			if stage != secretstore.Current && !v.Foreign {
				ids = append(ids, v.ID)
			}
		}
	}
	return ids
}
