package kubernetessecret_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

func TestContract(t *testing.T) {
	c, _ := standIn()
	h := harness(c)
	h.Backend = "kubernetes"
	storetest.Run(t, h)
}

// TestContractOnARealCluster is the same suite on the API server that the
// environment names.
func TestContractOnARealCluster(t *testing.T) {
	storetest.Run(t, harness(newCluster(kubetest.Real(t))))
}

func harness(c *cluster) storetest.Harness {
	return storetest.Harness{Fresh: func(t *testing.T) storetest.Secret {
		name := c.fresh(t)
		return storetest.Secret{
			Open:           func(t *testing.T) secretstore.Store { return c.open(t, name) },
			PutByHand:      func(t *testing.T, value secret.Value) { c.put(t, name, "api-key", value.Reveal()) },
			ForgetPromoted: func(t *testing.T) { c.forgetPromoted(t, name) },
			FailNextWrite:  func(_ *testing.T, afterEffect bool) { c.tap.LoseNext(afterEffect, wire.IsWrite) },
		}
	}}
}
