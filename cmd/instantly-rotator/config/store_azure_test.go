package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
)

func TestAzureStoreFollowsAndIsTakenAsWritten(t *testing.T) {
	text := strings.Replace(minimal, "  local: {kind: file, path: ./store}", `  local: {kind: file, path: ./store}
  keyvault: {kind: azure, vault_url: "https://acme-prod.vault.azure.net/"}`, 1)
	text = strings.Replace(text, "[{store: local}]", "[{store: local}, {store: keyvault}]", 1)
	got := parse(t, text)
	settings := &azurekeyvault.Settings{Vault: "https://acme-prod.vault.azure.net"}
	want := config.Store{Name: "keyvault", Kind: "azure", Settings: settings}
	if diff := cmp.Diff(want, got.Stores["keyvault"]); diff != "" {
		t.Errorf("store (-want +got):\n%s", diff)
	}
	if put, want := settings.PutCommand("sending"), "az keyvault secret set --vault-name acme-prod --name sending --file /dev/stdin"; put != want {
		t.Errorf("a person types %s, want %s", put, want)
	}
	if refs := got.Keys[0].Stores; len(refs) != 2 || refs[1].Store != "keyvault" {
		t.Errorf("stores are %+v", refs)
	}
}
