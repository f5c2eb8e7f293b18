package vaultkv_test

import (
	"fmt"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/fixture"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

func onVault() rotatortest.Backend {
	return rotatortest.Backend{Name: "vault", Fresh: func(t testing.TB) rotatortest.Secret {
		kv, path := vaulttest.NewKV(), newPath()
		remote := fixture.Remote(t, kv, path, rotatortest.Owner)
		// The engine's tests begin with a secret that is there.
		begin := remote.Open(t, func(string, bool) error { return nil })
		if _, err := begin.Annotate(t.Context(), steps.Describe(t, begin), secretstore.Notes{}); err != nil {
			t.Fatal(err)
		}
		return rotatortest.Secret{
			Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
				return remote.Open(t, func(call string, after bool) error {
					if after {
						return hook(call, rotatortest.After)
					}
					return hook(call, rotatortest.Before)
				})
			},
			Current: remote.Current,
			Settled: func(testing.TB) error { return onlyCurrentIn(kv, path) },
		}
	}}
}

// onlyCurrentIn tells whether another value than the current one is left in any version.
// The current one stands as pending too until the next write after its promotion.
func onlyCurrentIn(kv *vaulttest.KV, path string) error {
	public := kv.Holding(path)
	current := kv.Value(path, public[len(public)-1], "api_key")
	for _, n := range public {
		// A version without a key was made so that no late write could be the first.
		if left := kv.Value(path, n, "api_key"); left != "" && left != current {
			return fmt.Errorf("version %d of %s has another value than the newest", n, path)
		}
	}
	for _, n := range kv.Holding(path + "-rotator") {
		for _, field := range []string{"pending", "current", "previous"} {
			if left := kv.Value(path+"-rotator", n, field); left != "" && left != current {
				return fmt.Errorf("version %d of the state has another %s value than the current one", n, field)
			}
		}
	}
	return nil
}

func TestEveryCallFails(t *testing.T) {
	if testing.Short() {
		t.Skip("two paths make many calls: pairs of faults are drawn from them below")
	}
	rotatortest.Matrix(t, onVault())
}

func TestEveryCallFailsWithSinks(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on stores in memory")
	}
	rotatortest.SinkMatrix(t, onVault())
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 400
	if testing.Short() {
		draws = 60
	}
	rotatortest.Pairs(t, onVault(), draws)
}

func TestTwoInstancesInterleaved(t *testing.T) {
	oneOf := 8
	if testing.Short() {
		oneOf = 61
	}
	rotatortest.Interleave(t, onVault(), rotatortest.Meetings{OneOf: oneOf})
}
