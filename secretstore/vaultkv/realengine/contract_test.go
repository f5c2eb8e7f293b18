package realengine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/fixture"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/realengine"
)

func newEngine(t testing.TB) realengine.Engine {
	t.Helper()
	e, err := realengine.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.WithoutCancel(t.Context())) })
	return e
}

func TestContractOnTheRealEngine(t *testing.T) { storetest.Run(t, fixture.Contract(newEngine(t))) }

// open gives a store on a secret of the real engine, and what consumers read of it.
func open(t testing.TB, e realengine.Engine, owner string, hook storetest.Hook) (secretstore.Store, storetest.Remote) {
	remote := fixture.Remote(t, e, "growth/instantly", owner)
	return remote.Open(t, hook), remote
}

func quiet(string, bool) error { return nil }

// TestEveryCallFailsOnTheRealEngine is the realengine.Engine's crash matrix.
func TestEveryCallFailsOnTheRealEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on the stand-in")
	}
	rotatortest.Matrix(t, rotatortest.Backend{Fresh: func(t testing.TB) rotatortest.Secret {
		begin, remote := open(t, newEngine(t), rotatortest.Owner, quiet)
		seen, err := begin.Describe(t.Context())
		if err == nil {
			_, err = begin.Annotate(t.Context(), seen, secretstore.Notes{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return rotatortest.Secret{Current: remote.Current, Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
			return remote.Open(t, func(call string, after bool) error {
				if after {
					return hook(call, rotatortest.After)
				}
				return hook(call, rotatortest.Before)
			})
		}}
	}})
}

// TestAForgottenKeyIsNowhereInTheRealEngine looks for its value in all that the realengine.Engine
// has stored, old versions included.
func TestAForgottenKeyIsNowhereInTheRealEngine(t *testing.T) {
	e := newEngine(t)
	s, remote := open(t, e, "prod", quiet)
	snap, err := s.Describe(t.Context())
	for _, id := range []string{"a", "b", "c"} {
		if err == nil {
			snap, err = s.Stage(t.Context(), snap, secretstore.Version{ID: id}, secret.New("value-of-"+id))
		}
		if err == nil && id != "c" {
			snap, err = s.Promote(t.Context(), snap, id, time.Now())
		}
	}
	for _, id := range []string{"a", "c"} {
		if err == nil {
			snap, err = s.Destroy(t.Context(), snap, id)
		}
	}
	if err != nil || len(snap.Versions) != 1 || remote.Current() != "value-of-b" {
		t.Fatalf("%+v, %v", snap.Versions, err)
	}
	found := stored(t, e)
	for value, want := range map[string]bool{"value-of-a": false, "value-of-b": true, "value-of-c": false} {
		if strings.Contains(found, value) != want {
			t.Errorf("%s is stored: %t, want %t", value, !want, want)
		}
	}
}

// stored is all that the realengine.Engine keeps.
func stored(t *testing.T, e realengine.Engine) string {
	t.Helper()
	keys, err := logical.CollectKeys(t.Context(), e.Storage)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, key := range keys {
		entry, err := e.Storage.Get(t.Context(), key)
		if err != nil || entry == nil {
			t.Fatal(key, err)
		}
		fmt.Fprintf(&all, "%s\n", entry.Value)
	}
	return all.String()
}
