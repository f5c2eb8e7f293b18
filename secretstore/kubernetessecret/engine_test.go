package kubernetessecret_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
)

func onKubernetes() rotatortest.Backend {
	return rotatortest.Backend{Name: "kubernetes", Fresh: func(t testing.TB) rotatortest.Secret {
		c, server := standIn()
		return forEngine(c, server, c.fresh(t))
	}}
}

// forEngine leads the engine's tests to a Secret.
func forEngine(c *cluster, server *kubetest.Server, name string) rotatortest.Secret {
	return rotatortest.Secret{
		Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
			own := newCluster(c.cfg, c.namespace)
			own.tap.On(
				func(r *http.Request) error { return hook(r.Method, rotatortest.Before) },
				func(r *http.Request) error { return hook(r.Method, rotatortest.After) },
			)
			return own.open(t, name, func(o *kubernetessecret.Options) { o.Owner = rotatortest.Owner })
		},
		Current: func() string { return server.Served(c.namespace, name, "api-key") },
		Settled: func(testing.TB) error {
			if data := server.Secret(c.namespace, name).Data; len(data) != 1 {
				return fmt.Errorf("the Secret has %d values, want the current one", len(data))
			}
			return nil
		},
	}
}

func TestEveryCallFails(t *testing.T) { rotatortest.Matrix(t, onKubernetes()) }

func TestEveryCallFailsWithSinks(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on stores in memory")
	}
	rotatortest.SinkMatrix(t, onKubernetes())
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 2000
	if testing.Short() {
		draws = 150
	}
	rotatortest.Pairs(t, onKubernetes(), draws)
}

func TestTwoInstancesInterleaved(t *testing.T) {
	oneOf := 2
	if testing.Short() {
		oneOf = 31
	}
	rotatortest.Interleave(t, onKubernetes(), rotatortest.Meetings{OneOf: oneOf})
}
