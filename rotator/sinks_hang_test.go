package rotator_test

// Sinks that hang hold up nobody else, and a compromised key no longer than one of them.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

// hungSink takes nothing, after a long time.
type hungSink string

func (h hungSink) Name() string { return string(h) }

func (hungSink) Put(ctx context.Context, _ string, _ secret.Value) error {
	select {
	case <-ctx.Done():
	case <-time.After(30 * time.Second):
	}
	return errSinkDown
}

// reconcileSinks reconciles targets of one workspace and one store side by side, each with the
// sinks that it is to have, and tells how long each took.
func reconcileSinks(t *testing.T, w *world, concurrency int, sinks ...[]sink.Sink) map[string]time.Duration {
	t.Helper()
	in := &instance{w.StartWith(rotator.Options{Concurrency: concurrency})}
	space := in.Target().Workspace
	var ts []rotator.Target
	for i, of := range sinks {
		x := in.Target()
		x.Workspace, x.Name, x.Sinks = space, fmt.Sprint("target-", i), of
		x.Stores = []rotator.NamedStore{{Name: "s", Store: memstore.New(x.Name)}}
		ts = append(ts, x)
	}
	began, took := time.Now(), map[string]time.Duration{}
	var mu sync.Mutex
	in.Rotator.ReconcileAll(t.Context(), ts, rotator.Request{}, func(r rotator.Result) {
		mu.Lock()
		defer mu.Unlock()
		took[r.Target] = time.Since(began)
	})
	return took
}

// TestSinksThatHangHoldUpNoTargetWithoutThem: many more than are worked on side by side.
func TestSinksThatHangHoldUpNoTargetWithoutThem(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		var sinks [][]sink.Sink
		for i := range 20 {
			sinks = append(sinks, []sink.Sink{hungSink(fmt.Sprint("composio:ca_", i))})
		}
		took := reconcileSinks(t, w, 2, append(sinks, nil, []sink.Sink{memsink.New("crm:a", memsink.Kind{}).Open(memsink.Direct)})...)
		for _, name := range []string{"target-20", "target-21"} {
			if took[name] > 10*time.Second {
				t.Errorf("%s was held up for %s by sinks of others", name, took[name])
			}
		}
	})
}

// TestATargetThatWaitsForASinkLeavesItsSlot: as one does whose store is being written.
func TestATargetThatWaitsForASinkLeavesItsSlot(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		fine := memsink.New("crm:b", memsink.Kind{}).Open(memsink.Direct)
		if took := reconcileSinks(t, w, 1, []sink.Sink{hungSink("crm:a")}, []sink.Sink{fine}); took["target-1"] > 10*time.Second {
			t.Errorf("it was held up for %s", took["target-1"])
		}
	})
}

// TestSinksThatHangKeepACompromisedKeyAliveNoLongerThanOneOfThem: sixteen, of which none answers.
func TestSinksThatHangKeepACompromisedKeyAliveNoLongerThanOneOfThem(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		for i := range rotator.MaxSinks {
			w.AddSink(fmt.Sprint("sink-", i), memsink.Kind{})
		}
		w.Begin("rotation")
		w.GraceEnded, w.Incident = true, true
		leaked := w.Snapshot(0).Versions[secretstore.Current].ID
		in := besides(w)
		in.Hook = func(call string, when rotatortest.When) error {
			if strings.HasPrefix(call, "supply") && when == rotatortest.Before {
				time.Sleep(15 * time.Second)
				return errSinkDown
			}
			return nil
		}
		began := time.Now()
		res := in.Run(rotator.Request{Incident: "INC-1"})
		if !errors.Is(res.Err, rotator.ErrSinkBehind) {
			t.Errorf("err = %v", res.Err)
		}
		if lived := w.Instantly.Keys[leaked].DeletedAt.Sub(began); lived < 0 || lived > 25*time.Second {
			t.Errorf("the compromised key lived for %s", lived)
		}
	})
}
