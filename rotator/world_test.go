package rotator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

const (
	// due is when a key falls due after its promotion, graceOver when the one
	// before may go.
	due       = rotatortest.Interval + rotatortest.Late
	graceOver = rotatortest.Grace + rotatortest.Late
)

// world is one whose secrets are in memory, where people change them by hand.
type world struct {
	*rotatortest.World
	stores []*memstore.Store
}

func newWorld(t testing.TB, stores int) *world {
	w := &world{}
	var secrets []rotatortest.Secret
	for range stores {
		s := memstore.New("")
		w.stores, secrets = append(w.stores, s), append(secrets, secretIn(s))
	}
	w.World = rotatortest.NewWorld(t, secrets...)
	return w
}

// instance is one with the gestures of the stories.
type instance struct{ *rotatortest.Instance }

// Start starts an instance without faults.
func (w *world) Start() *instance { return &instance{w.World.Start()} }

// StartAt starts an instance with a clock of its own.
func (w *world) StartAt(now func() time.Time) *instance {
	return &instance{w.StartWith(rotator.Options{Now: now})}
}

// tap lets the calls to another store go through the instance's hook, as those
// to the primary do.
func (in *instance) tap(s secretstore.Store) secretstore.Store {
	return rotatortest.Tap(s, func(call string, when rotatortest.When) error { return in.Hook(call+"@0", when) })
}

func inMemory(name string, stores int) rotatortest.Backend {
	return rotatortest.Backend{Name: name, Stores: stores, Fresh: func(testing.TB) rotatortest.Secret {
		return secretIn(memstore.New(""))
	}}
}

func secretIn(s *memstore.Store) rotatortest.Secret {
	return rotatortest.Secret{
		Open: func(_ testing.TB, hook rotatortest.Hook) secretstore.Store {
			return rotatortest.Tap(s, hook)
		},
		Current: func() string { return currentValue(s) },
	}
}

func currentValue(s *memstore.Store) string {
	for _, h := range s.Contents() {
		if h.Stage == secretstore.Current {
			return h.Value.Reveal()
		}
	}
	return ""
}

// swap exchanges the first two stores in the configuration.
func (w *world) swap() {
	w.stores[0], w.stores[1] = w.stores[1], w.stores[0]
	w.Swap(0, 1)
}

// failure gives the failure on record in the primary store.
func (w *world) failure() secretstore.Failure { return w.Snapshot(0).Notes.Failure }

func story(t *testing.T, stores int, tell func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stores)
		tell(t, w)
		w.Check("the rules")
	})
}

func mustSettle(t *testing.T, res rotator.Result) rotator.Result {
	t.Helper()
	if res.Err != nil {
		t.Fatalf("run failed: %v", res.Err)
	}
	return res
}

func expectSteps(t *testing.T, in *instance, want string) {
	t.Helper()
	if got := in.Steps(); got != want {
		t.Errorf("steps:\n got %s\nwant %s", got, want)
	}
}

// failing fails one kind of call, always, before its effect.
func failing(call string, err error) rotatortest.Hook {
	return func(c string, when rotatortest.When) error {
		if c == call && when == rotatortest.Before {
			return err
		}
		return nil
	}
}

// losingAnswer lets the first such call have its effect and fail.
func losingAnswer(call string) rotatortest.Hook {
	lost := false
	return func(c string, when rotatortest.When) error {
		if c == call && when == rotatortest.After && !lost {
			lost = true
			return rotatortest.ErrInjected
		}
		return nil
	}
}

// rotateAndEndGrace leaves a world in which the old key is to be revoked now.
func rotateAndEndGrace(t *testing.T, w *world) {
	t.Helper()
	w.Begin("retirement")
	if n := len(w.OldVersions()); n != 1 {
		t.Fatalf("%d old versions", n)
	}
}

// meanwhile does something once, before the nth call of that kind.
func meanwhile(call string, nth int, does func()) rotatortest.Hook {
	seen := 0
	return func(c string, when rotatortest.When) error {
		if when == rotatortest.Before && strings.HasPrefix(c, call) {
			if seen++; seen == nth {
				does()
			}
		}
		return nil
	}
}
