//go:build linux && amd64

package crash

import (
	"slices"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// follows tells whether a kind of store may only follow. Its primary is on the local disk
// then, whose calls meet no faults.
func follows(k kind) bool { return alltest.FollowerOnly(k.Kind) }

// serve brings up what both stores are at.
func serve(t *testing.T, k kind, s storetest.Site) storetest.Service {
	if !follows(k) {
		return k.Serve(t, s)
	}
	all := alltest.Fixtures()
	file := slices.IndexFunc(all, func(f kind) bool { return f.Kind == "file" })
	return led{all[file].Serve(t, s), k.Serve(t, s)}
}

// led is a store that follows, and its primary.
type led struct{ primary, follower storetest.Service }

func (l led) of(store string) storetest.Service {
	if store == places()[0].Store {
		return l.primary
	}
	return l.follower
}

// Settings implements [storetest.Service].
func (l led) Settings(store string) string { return l.of(store).Settings(store) }

// Env implements [storetest.Service].
func (l led) Env() []string { return slices.Concat(l.primary.Env(), l.follower.Env()) }

// Serves implements [storetest.Service].
func (l led) Serves(p storetest.Place) map[string]string { return l.of(p.Store).Serves(p) }

// Remains implements [storetest.Service].
func (l led) Remains(p storetest.Place) []string { return l.of(p.Store).Remains(p) }
