package vaultkv_test

import (
	"fmt"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

func onVault() rotatortest.Backend {
	return rotatortest.Backend{Name: "vault", Fresh: func(t testing.TB) rotatortest.Secret {
		kv := vaulttest.NewKV()
		w := newWorld(kv)
		return forEngine(w, kv, w.fresh(t, func(o *vaultkv.Options) { o.Owner = rotatortest.Owner }), tokenFile(t, vaulttest.RootToken))
	}}
}

// forEngine leads the engine's tests to a secret.
func forEngine(w *world, kv *vaulttest.KV, path, token string) rotatortest.Secret {
	return rotatortest.Secret{
		Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
			own := &world{w.server, &vaulttest.Tap{}}
			own.tap.On(
				func(c vaulttest.Call) error { return hook(c.Method, rotatortest.Before) },
				func(c vaulttest.Call) error { return hook(c.Method, rotatortest.After) },
			)
			return own.openAs(t, path, vaultkv.Auth{TokenFile: token}, func(o *vaultkv.Options) { o.Owner = rotatortest.Owner })
		},
		Current: func() string { return w.server.Field(path, "api_key") },
		Settled: func(testing.TB) error {
			for _, field := range []string{"pending", "previous"} {
				// The current one stands as pending until the next write after its promotion.
				if left := w.server.Field(path+"-rotator", field); left != "" && left != w.server.Field(path, "api_key") {
					return fmt.Errorf("the state still has a %s value", field)
				}
			}
			if left := kv.Holding(path + "-rotator"); len(left) > 1 {
				return fmt.Errorf("versions %v of the state are left", left)
			}
			return nil
		},
	}
}

func TestEveryCallFails(t *testing.T) { rotatortest.Matrix(t, onVault()) }

func TestPairsOfCallsFail(t *testing.T) {
	draws := 2000
	if testing.Short() {
		draws = 150
	}
	rotatortest.Pairs(t, onVault(), draws)
}

func TestTwoInstancesInterleaved(t *testing.T) {
	oneOf := 2
	if testing.Short() {
		oneOf = 31
	}
	rotatortest.Interleave(t, onVault(), rotatortest.Meetings{OneOf: oneOf})
}
