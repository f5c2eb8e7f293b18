package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
)

func TestVaultStoreIsTakenAsWritten(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "  local: {kind: file, path: ./store}", `  local: {kind: vault}
  all:
    kind: vault
    address: https://vault.example.com:8200/
    namespace: growth/eu
    mount: kv
    ca_file: /etc/ca.pem
    auth: {method: approle, mount: roles, role_id: r, secret_id_file: /etc/secret-id}
    json: {token: "{key}"}`, 1))
	want := map[string]config.Store{
		"local": {Name: "local", Kind: "vault", Settings: &vaultkv.Settings{
			Mount: "secret", Site: vaultkv.Site{Auth: vaultkv.Auth{Method: "token"}},
			Payload: payload.Settings{Kind: "json", JSON: payload.Default()},
		}},
		"all": {Name: "all", Kind: "vault", Settings: &vaultkv.Settings{
			Site: vaultkv.Site{
				Address: "https://vault.example.com:8200", Namespace: "growth/eu", CAFile: "/etc/ca.pem",
				Auth: vaultkv.Auth{Method: "approle", Mount: "roles", RoleID: "r", SecretIDFile: "/etc/secret-id"},
			},
			Mount: "kv", Payload: payload.Settings{Kind: "json", JSON: map[string]string{"token": "{key}"}},
		}},
	}
	if diff := cmp.Diff(want, got.Stores); diff != "" {
		t.Errorf("stores (-want +got):\n%s", diff)
	}
}
