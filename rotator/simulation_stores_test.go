package rotator_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest/simulation"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// simulated are the stores of the simulation: of a hundred, what the kinds ask for,
// and else the quickest. What a seed stands for hangs on that.
func simulated() []simulation.Backend {
	backends := []simulation.Backend{{Name: "memory", Weight: 100, Fresh: memoryForSimulation}}
	for _, f := range alltest.Fixtures() {
		if f.Weight > 0 {
			backends[0].Weight -= f.Weight
			backends = append(backends, simulation.Backend{
				Name: f.Kind, Weight: f.Weight, Blind: f.Blind,
				Fresh: func(t testing.TB, name string) simulation.Secret { return forSimulation(f.Fresh(t, name)) },
			})
		}
	}
	return backends
}

func memoryForSimulation(_ testing.TB, name string) simulation.Secret {
	s := memstore.New(name)
	return simulation.Secret{
		Secret: secretIn(s),
		Put:    func(value string) { s.PutByHand(secret.New(value)) },
		Wipe:   s.ForgetRecord,
	}
}

func forSimulation(r storetest.Remote) simulation.Secret {
	open := func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
		if r.Local {
			return rotatortest.Tap(r.Open(t, nil), hook)
		}
		return r.Open(t, func(call string, after bool) error {
			if after {
				return hook(call, rotatortest.After)
			}
			return hook(call, rotatortest.Before)
		})
	}
	return simulation.Secret{
		Secret: rotatortest.Secret{Open: open, Current: r.Current, Latest: r.Latest},
		Put:    r.Put, Wipe: r.Wipe,
	}
}
