package apikeys_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestTwoSpecsAreEqualIfTheyNameTheSameScopes(t *testing.T) {
	spec := apikeys.SpecOf([]string{"leads:update", "campaigns:read", "leads:update"})
	if spec != "campaigns:read,leads:update" || spec != apikeys.SpecOf([]string{"campaigns:read", "leads:update"}) {
		t.Errorf("spec = %q", spec)
	}
	if apikeys.SpecOf(nil) != "" || spec == apikeys.SpecOf([]string{"campaigns:read"}) {
		t.Error("specs of other scopes are equal to it")
	}
}

func TestAKeyIsIssuedTestedListedAndRevoked(t *testing.T) {
	box := sandbox.New(sandbox.Options{})
	client, err := instantly.NewClient(instantly.Options{
		AdminKey: box.Workspaces()[0].AdminKey, Pacer: instantly.NewPacer(1000), Transport: sandbox.Transport(box),
	})
	if err != nil {
		t.Fatal(err)
	}
	var issuer rotator.Issuer = apikeys.New(client)
	ctx := t.Context()

	if err := issuer.Preflight(ctx); err != nil {
		t.Fatalf("preflight: %v", err)
	}
	account, err := issuer.Account(ctx)
	if err != nil || account == "" {
		t.Fatalf("account = %q, %v", account, err)
	}
	spec := apikeys.SpecOf([]string{"campaigns:read"})
	key, err := issuer.Issue(ctx, "sending", spec)
	if err != nil || key.Spec != spec || key.Account != account || key.Value.IsZero() {
		t.Fatalf("issued %+v, %v", key, err)
	}
	if got := issuer.Test(ctx, key.Value, spec); got.Verdict != rotator.Valid || got.Err != nil {
		t.Errorf("a living key is %v, %v", got.Verdict, got.Err)
	}
	if got := issuer.Test(ctx, secret.New("no-key"), spec); got.Verdict != rotator.Invalid || got.Err == nil {
		t.Errorf("no key is %v, %v", got.Verdict, got.Err)
	}
	if listed := find(t, issuer, key.ID); listed == nil || listed.Name != "sending" || !listed.Value.IsZero() {
		t.Errorf("listed as %+v", listed)
	}
	for range 2 { // the second time it is not there, which is fine
		if err := issuer.Revoke(ctx, key.ID); err != nil {
			t.Fatal(err)
		}
	}
	if find(t, issuer, key.ID) != nil {
		t.Error("a revoked key is listed")
	}
}

// A new admin key that cannot list or revoke is neither promoted nor taken for dead.
func TestAdminKeyIsTestedForWhatItMustBeAbleToDo(t *testing.T) {
	box := sandbox.New(sandbox.Options{})
	client, err := instantly.NewClient(instantly.Options{
		AdminKey: box.Workspaces()[0].AdminKey, Pacer: instantly.NewPacer(1000), Transport: sandbox.Transport(box),
	})
	if err != nil {
		t.Fatal(err)
	}
	issuer, spec := apikeys.New(client), apikeys.SpecOf([]string{"api_keys:all", "workspaces:read"})
	for _, c := range []struct {
		scopes []string
		want   rotator.Verdict
	}{
		{[]string{"api_keys:all", "workspaces:read"}, rotator.Valid},
		{[]string{"api_keys:create", "api_keys:read", "workspaces:read"}, rotator.Indeterminate},
		{[]string{"api_keys:create", "api_keys:delete", "workspaces:read"}, rotator.Indeterminate},
	} {
		k, err := box.AddKey(box.Workspaces()[0].ID, "admin", c.scopes...)
		if err != nil {
			t.Fatal(err)
		}
		got := issuer.Test(t.Context(), k.Value, spec)
		if got.Verdict != c.want || (got.Err == nil) != (c.want == rotator.Valid) {
			t.Errorf("with %v it is %v: %v", c.scopes, got.Verdict, got.Err)
		}
		if err := box.DeleteKey(k.ID); err != nil {
			t.Fatal(err)
		}
		if got := issuer.Test(t.Context(), k.Value, spec); got.Verdict != rotator.Invalid {
			t.Errorf("dead, with %v: %v", c.scopes, got.Verdict)
		}
	}
}

func find(t *testing.T, issuer rotator.Issuer, id string) *rotator.Key {
	t.Helper()
	keys, err := issuer.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.ID == id {
			return &k
		}
	}
	return nil
}
