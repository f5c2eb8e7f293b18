package vaultkv_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/fixture"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

func TestContract(t *testing.T) {
	h := fixture.Contract(vaulttest.NewKV())
	h.Backend = "vault"
	storetest.Run(t, h)
}
