package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// A path may mix capitals, small letters and digits as long as it likes: it is one if it
// leads through folders, or if there is such a file.
func TestPathOfAnAdminKeyIsNotTakenForTheKey(t *testing.T) {
	dir := t.TempDir()
	const there = "InstantlyAdminKeyOf2026"
	if err := os.WriteFile(filepath.Join(dir, there), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, isPath := range map[string]bool{
		"/etc/credstore/InstantlyAdminKeyOfProduction2026": true,
		"Secrets/Instantly/AdminKey-Production-2026":       true,
		there:                              true,
		"InstantlyAdminKeyOf2027":          false,
		"Y2FuYXJ5Y2FuYXJ5Y2FuY/J5MTIzNA==": false,
		"https://hooks.example.com/services/T0123456/B0123456/x9Yz": false,
		"AGE-SECRET-KEY-1CANARY/CANARY":                             false,
	} {
		text := "workspaces: {main: {admin_key: {file: '" + file + "'}}}\nstores: {local: {kind: file, path: ./store}}\n" +
			"keys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}]}]\n"
		_, _, err := config.Parse(filepath.Join(dir, "c.yaml"), []byte(text))
		if (err == nil) != isPath {
			t.Errorf("%s: %v", file, err)
		}
		if err != nil && strings.Contains(err.Error(), file) {
			t.Errorf("what may be the key is repeated: %v", err)
		}
	}
}
