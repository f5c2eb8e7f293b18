package awssecretsmanager_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Backend: "aws",
		Fresh:   func(t *testing.T) storetest.Secret { return newBench(t).secret() },
		Skip: map[string]string{
			"Of many annotates at once exactly one wins": "a secret without a version has nothing to compare and swap on: all may stand back; see TestAtMostOneOfManyWins",
		},
	})
}

// secret leads the suite to a bench.
func (b *bench) secret() storetest.Secret {
	var injected atomic.Pointer[fault]
	injected.Store(&fault{})
	hook := func(c awstest.Call, when awstest.When) error { return injected.Load().hook(c, when) }
	byHand := 0
	return storetest.Secret{
		Open: func(*testing.T) secretstore.Store { return b.openVia(hook) },
		PutByHand: func(_ *testing.T, value secret.Value) {
			byHand++
			b.putByHand(fmt.Sprintf("by-hand-%032d", byHand), value.Reveal())
		},
		ForgetPromoted: func(*testing.T) { b.server.DropLabels(b.name, isMarkOf("promoted")) },
		FailNextWrite: func(t *testing.T, after bool) {
			injected.Store(&fault{TB: t, observer: b.open(), armed: true, after: after, was: b.means(t)})
		},
	}
}

// fault breaks the one call of a write that decides it: before its effect, or
// after it. Repetitions by the SDK are broken too.
type fault struct {
	testing.TB
	observer     secretstore.Store
	armed, after bool
	was          string // what the secret meant before
	invocation   string
}

func (s *fault) hook(c awstest.Call, when awstest.When) error {
	switch {
	case s.invocation != "" && c.Invocation == s.invocation:
		return awstest.ErrTorn
	case !s.armed || !c.Writes() || s.after != (when == awstest.After):
		return nil
	case s.after && means(s, s.observer) == s.was:
		return nil
	}
	s.armed, s.invocation = false, c.Invocation
	return awstest.ErrTorn
}

func (b *bench) means(t testing.TB) string { return means(t, b.open()) }

// means is what a snapshot of a secret says, but for the revision and which
// secret it is.
func means(t testing.TB, s secretstore.Store) string {
	t.Helper()
	snap := snapshotOf(t, s)
	snap.Revision, snap.Identity = "", ""
	return fmt.Sprintf("%+v", snap)
}
