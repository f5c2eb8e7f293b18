package gcpsecretmanager_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

func TestContract(t *testing.T) {
	h := harness(gcptest.Quirks{})
	h.Backend = "gcp"
	storetest.Run(t, h)
}

func TestContractWithJSONPayload(t *testing.T) {
	h := harness(gcptest.Quirks{}, storing(t, map[string]string{"token": "{key}", "id": "{id}"}))
	h.Skip = map[string]string{"A value of 64 KiB comes back whole": "the limit is that of the whole object"}
	storetest.Run(t, h)
}

func harness(quirks gcptest.Quirks, change ...func(*gcpsecretmanager.Options)) storetest.Harness {
	var n atomic.Int64
	return storetest.Harness{Fresh: func(t *testing.T) storetest.Secret {
		server := newServer(t)
		server.Quirks = quirks
		// Two secrets of one project differ by their names.
		other := fmt.Sprintf("sending-%d", n.Add(1))
		server.Make(other)
		return storetest.Secret{
			Open: func(t *testing.T) secretstore.Store {
				named := func(o *gcpsecretmanager.Options) { o.Secret = other }
				return open(t, server, append(slices.Clone(change), named)...)
			},
			PutByHand:      func(_ *testing.T, value secret.Value) { server.Put(other, value.Reveal()) },
			ForgetPromoted: func(t *testing.T) { forgetPromoted(t, server, other) },
			FailNextWrite:  func(_ *testing.T, afterEffect bool) { failNext(server, afterEffect) },
		}
	}}
}

// failNext fails the next write: before its first call has its effect, or after
// the call that completes it.
func failNext(server *gcptest.Server, afterEffect bool) {
	server.Before = func(c gcptest.Call) gcptest.Fault {
		if c.Method != "UpdateSecret" || afterEffect && announces(c) {
			return gcptest.None
		}
		server.Before = nil
		if afterEffect {
			return gcptest.LostAnswer
		}
		return gcptest.LostRequest
	}
}
