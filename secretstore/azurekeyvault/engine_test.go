package azurekeyvault_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// following is a target with its primary in memory, and Key Vault following.
func following() rotatortest.Backend {
	return rotatortest.Backend{
		Name: "azure", Stores: 2,
		Primary: func(testing.TB) rotatortest.Secret { return inMemory() },
		Fresh:   func(testing.TB) rotatortest.Secret { return newWorld().forEngine() },
	}
}

func inMemory() rotatortest.Secret {
	s := memstore.New("")
	return rotatortest.Secret{
		Open: func(_ testing.TB, hook rotatortest.Hook) secretstore.Store { return rotatortest.Tap(s, hook) },
		Current: func() string {
			for _, h := range s.Contents() {
				if h.Stage == secretstore.Current {
					return h.Value.Reveal()
				}
			}
			return ""
		},
	}
}

// forEngine leads the engine's tests to the secret.
func (w *world) forEngine() rotatortest.Secret {
	return rotatortest.Secret{
		Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
			own := *w
			own.hook = func(r *http.Request, after bool) error {
				if after {
					return hook(r.Method, rotatortest.After)
				}
				return hook(r.Method, rotatortest.Before)
			}
			return own.open(t, func(o *azurekeyvault.Options) { o.Owner = rotatortest.Owner })
		},
		Current: func() string { return w.server.Served(w.secret) },
		Settled: func(testing.TB) error { return w.settled() },
	}
}

// settled tells what is left of values that are not current. What a write that was cut off
// has left is on record, for the next one to see to.
func (w *world) settled() error {
	current, state := w.server.Served(w.secret), w.server.Served(w.state())
	for _, name := range []string{w.secret, w.state()} {
		for i, v := range w.server.Versions(name) {
			switch {
			case !v.Enabled || v.Value == current || strings.Contains(state, `"`+v.ID+`"`):
			case name == w.secret:
				return fmt.Errorf("version %d of %s has an old value and is enabled", i, name)
			case strings.Contains(v.Value, `"pending_value"`) && !strings.Contains(v.Value, current):
				return fmt.Errorf("version %d of %s has a pending value and is enabled", i, name)
			}
		}
	}
	return nil
}

func TestEveryCallFails(t *testing.T) {
	if testing.Short() {
		t.Skip("two stores make many calls: pairs of faults are drawn from them below")
	}
	rotatortest.Matrix(t, following())
}

func TestEveryCallFailsWithSinks(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on stores in memory")
	}
	rotatortest.SinkMatrix(t, following())
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 300
	if testing.Short() {
		draws = 100
	}
	rotatortest.Pairs(t, following(), draws)
}

func TestTwoInstancesInterleaved(t *testing.T) {
	oneOf := 12
	if testing.Short() {
		oneOf = 61
	}
	rotatortest.Interleave(t, following(), rotatortest.Meetings{OneOf: oneOf})
}
