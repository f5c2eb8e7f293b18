package config_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// An agency's admin key serves its own workspace and one that it acts for.
const agency = `
defaults: {grace_period: 2h, keep_apart: all/1d, after_promote: [{url: "https://example.com/hook"}]}
workspaces:
  client:
    admin_key: {store: local, secret: admin, rotate: {max_age: 30d, schedule: "@weekly", followers: [{store: local, secret: copy}]}}
    as_workspace: sub
  own:
    admin_key: {store: local, secret: admin}
  apart:
    admin_key: {env: OTHER}
stores: {local: {kind: file, path: ./store}}
keys:
  - {name: sending, workspace: client, scopes: [campaigns:read], stores: [{store: local}]}
`

func TestAdminKeyOfSeveralWorkspacesIsOneTarget(t *testing.T) {
	cfg, _, err := config.Parse("c.yaml", []byte(agency))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Keys) != 2 || cfg.Keys[1].Name != "sending" || cfg.Keys[1].Admin {
		t.Fatalf("targets %+v", cfg.Keys)
	}
	k := cfg.Keys[0]
	if k.Name != "client-admin-key" || !k.Admin || k.Workspace != "own" || k.MaxAge != 30*24*time.Hour || k.Grace != 2*time.Hour {
		t.Errorf("admin key %+v", k)
	}
	if !slices.Equal(k.Scopes, []string{"api_keys:all", "workspaces:read"}) || k.Group != "" || len(k.AfterPromote) > 0 {
		t.Errorf("scopes %v, kept apart in %q, hooks %v: what is for consumers' keys is not inherited", k.Scopes, k.Group, k.AfterPromote)
	}
	if diff := cmp.Diff([]config.StoreRef{{Store: "local", Secret: "admin"}, {Store: "local", Secret: "copy"}}, k.Stores); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"client": k.Name, "own": k.Name, "apart": ""} {
		if got := cfg.Workspaces[name].AdminTarget; got != want {
			t.Errorf("workspace %s: admin key is the target %q, want %q", name, got, want)
		}
	}
}
