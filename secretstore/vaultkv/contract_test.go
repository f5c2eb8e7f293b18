package vaultkv_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

func TestContract(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	storetest.Run(t, storetest.Harness{Backend: "vault", Fresh: func(t *testing.T) storetest.Secret {
		path := w.fresh(t)
		return storetest.Secret{
			Open:           func(t *testing.T) secretstore.Store { return w.open(t, path) },
			PutByHand:      func(_ *testing.T, value secret.Value) { w.put(path, value.Reveal()) },
			ForgetPromoted: func(t *testing.T) { w.forgetPromoted(t, path) },
			FailNextWrite:  func(_ *testing.T, afterEffect bool) { w.tap.LoseNext(afterEffect) },
		}
	}})
}
