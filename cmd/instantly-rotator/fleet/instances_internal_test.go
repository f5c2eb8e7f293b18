package fleet

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// One of two instances replaces the admin key. The other one acts with the new one from
// its next run over the admin key on: when the old one goes, no call of it is refused.
func TestOtherInstancesTakeANewAdminKeyUpBeforeTheOldOneGoes(t *testing.T) {
	const handMade = "the-admin-key-that-a-person-made"
	server, err := sandbox.Open(sandbox.Options{Workspaces: []sandbox.Workspace{{ID: "w", Name: "Acme", AdminKey: secret.New(handMade)}}})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(server)
	defer api.Close()
	o := options(t, `
defaults: {grace_period: 1h}
workspaces:
  main:
    admin_key: {store: local, secret: admin, rotate: {}}
    base_url: `+api.URL+`
stores: {local: {kind: file, path: ./store}}
keys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}]}]
`, nil)
	putAdminKey(t, o, handMade)
	var refused atomic.Int64
	first := All(t.Context(), o)
	defer first.Close()
	o.Called = func(_ string, c instantly.Call) {
		if c.Status == http.StatusUnauthorized {
			refused.Add(1)
		}
	}
	second := All(t.Context(), o)
	defer second.Close()

	settle(t, first, rotator.Request{RotateSince: time.Now()})
	settle(t, second, rotator.Request{})
	revokeByHand(t, first, "admin")
	settle(t, second, rotator.Request{})
	if n := refused.Load(); n != 0 {
		t.Errorf("%d calls of the second instance were refused", n)
	}
}

// settle runs over all targets, and wants no failure.
func settle(t *testing.T, f *Fleet, req rotator.Request) {
	t.Helper()
	for _, r := range f.ReconcileAll(t.Context(), f.Targets, req, nil) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Target, r.Err)
		}
	}
}

// putAdminKey puts the first one into its store, as a person does.
func putAdminKey(t *testing.T, o Options, value string) {
	t.Helper()
	c := Connect(o)
	defer c.Close()
	st := c.Store(t.Context(), config.StoreRef{Store: "local", Secret: "admin"})
	seen, err := st.Describe(t.Context())
	if err == nil {
		_, err = st.(secretstore.Putter).Put(t.Context(), seen, secret.New(value))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// revokeByHand revokes the key of that name.
func revokeByHand(t *testing.T, f *Fleet, name string) {
	t.Helper()
	client, err := f.Client(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := client.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(keys, func(k instantly.Key) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("no key %s among %d", name, len(keys))
	}
	if err := client.DeleteKey(t.Context(), keys[i].ID); err != nil {
		t.Fatal(err)
	}
}
