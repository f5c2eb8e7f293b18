package azurekeyvault_test

import (
	"fmt"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// noSwap is what the claims of a crowd of writers need and the service has not.
const noSwap = "Key Vault has no conditional write: it may only follow a primary that compares and swaps"

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Backend: "azure",
		Skip: map[string]string{
			"Of many annotates at once exactly one wins": noSwap,
			"Of many stages at once exactly one wins":    noSwap,
			"Of many promotes at once exactly one wins":  noSwap,
			"Of many destroys at once exactly one wins":  noSwap,
			"A value of 64 KiB comes back whole":         "Key Vault takes values of 25 KB",
		},
		Fresh: func(t *testing.T) storetest.Secret {
			w := newWorld()
			w.secret = fmt.Sprintf("sending-%d", secrets.Add(1))
			return storetest.Secret{
				Open:           func(t *testing.T) secretstore.Store { return w.open(t) },
				PutByHand:      func(_ *testing.T, value secret.Value) { w.server.Put(w.secret, value.Reveal()) },
				ForgetPromoted: func(t *testing.T) { w.forgetPromoted(t) },
				FailNextWrite:  func(_ *testing.T, after bool) { w.loseNext(after) },
			}
		},
	})
}
