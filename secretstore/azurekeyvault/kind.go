package azurekeyvault

import (
	"context"
	"net/url"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is Azure Key Vault in the configuration.
func Kind() storekind.Kind {
	return storekind.Kind{
		Name: "azure", Title: "Azure Key Vault", Settings: func() storekind.Settings { return &Settings{} },
		FollowerOnly: "Azure Key Vault has no conditional write to keep two rotators apart",
	}
}

// Settings say which vault it is.
type Settings struct {
	// Vault is its URL.
	Vault string
}

var (
	_ storekind.Settings = (*Settings)(nil)
	_ storekind.ByHand   = (*Settings)(nil)
)

// Options implements [storekind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{{
		Name: "vault_url", Into: &s.Vault, Required: true, URL: true, Want: "want the vault's URL, such as https://acme-prod.vault.azure.net",
		Doc: "The vault's URL. A secret sending is kept in the vault's secrets sending and sending-rotator, which are made by the first write. " +
			"Credentials are those of the default chain: environment variables, a workload identity, a managed identity, az login.",
		Examples: []string{"https://acme-prod.vault.azure.net"},
	}}
}

// Check implements [storekind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	u, err := url.Parse(s.Vault)
	if c.Failed("vault_url") || err != nil {
		return
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		c.Fail("vault_url", "want nothing after the host: the secret's name is that of the target, or stands in its stores", "bad URL of a vault")
	}
}

// Refuse implements [storekind.Settings].
func (s *Settings) Refuse(secret string) string { return refuse(secret) }

// Place implements [storekind.Settings]. Names are the same in upper and lower case.
func (s *Settings) Place(secret string) string { return strings.ToLower(s.Vault + " " + secret) }

// PutCommand implements [storekind.ByHand].
func (s *Settings) PutCommand(secret string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(s.Vault, "https://"), ".")
	return "az keyvault secret set --vault-name " + host + " --name " + secret + " --file /dev/stdin"
}

// Open implements [storekind.Settings]. All secrets of a vault share a client.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, secret string) (secretstore.Store, error) {
	client, err := storekind.Share(env, *s, func() (*Client, error) { return Connect(s.Vault) })
	if err != nil {
		return nil, err
	}
	return client.Open(Options{Secret: secret, Owner: env.Owner, Now: env.Now})
}
