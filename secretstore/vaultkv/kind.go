package vaultkv

import (
	"context"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is the KV engine of Vault and OpenBao in the configuration.
func Kind() storekind.Kind {
	return storekind.Kind{
		Name: "vault", Title: "HashiCorp Vault or OpenBao (KV version 2)", Settings: func() storekind.Settings { return &Settings{} },
	}
}

// Settings say which engine of which server keeps the secrets.
type Settings struct {
	Site Site
	// Mount is the path of the engine.
	Mount string
	// Payload is how a key is written: always as JSON.
	Payload payload.Settings
}

var (
	_ storekind.Settings = (*Settings)(nil)
	_ storekind.ByHand   = (*Settings)(nil)
)

// segments is what a path of a server looks like.
const segments = `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`

// Options implements [storekind.Settings].
func (s *Settings) Options() []storekind.Option {
	s.Payload.Kind = "json"
	return []storekind.Option{
		{
			Name: "address", Into: &s.Site.Address, Asked: true, URL: true, Want: "write for example https://vault.example.com:8200",
			Doc: "The server's URL. Left out, what BAO_ADDR or VAULT_ADDR says.", Examples: []string{"https://vault.example.com:8200"},
		},
		{
			Name: "namespace", Into: &s.Site.Namespace, Pattern: segments, Want: "want names with slashes between them",
			Doc: "The namespace. Left out, what BAO_NAMESPACE or VAULT_NAMESPACE says.",
		},
		{
			Name: "mount", Into: &s.Mount, Asked: true, Default: "secret", Pattern: segments, Want: "want names with slashes between them",
			Doc: "The path of the KV engine, which must be of version 2.",
		},
		{
			Name: "ca_file", Into: &s.Site.CAFile, Path: true,
			Doc: "A file with certificates to trust. Left out, what BAO_CACERT or VAULT_CACERT says, and those of the system.",
		},
		{Name: "auth", Into: s.Site.Auth.options(), Doc: "As whom the server is called. Left out, by the token in BAO_TOKEN or VAULT_TOKEN."},
		{
			Name: "json", Into: &s.Payload.JSON,
			Doc: "The text of each field. One is {key} alone; others may have {id}, {name}, {spec} (its scopes), " +
				"{account} (its organization) and {issued_at} in them. Fields that are not named here are kept. Left out, {api_key: \"{key}\"}.",
		},
	}
}

func (a *Auth) options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "method", Into: &a.Method, Default: byToken, Pattern: `^(token|kubernetes|approle|jwt)$`, Want: "want token, kubernetes, approle or jwt",
			Doc: "The auth method. All but token log in anew before the token that they got expires, or when it is refused.",
		},
		{
			Name: "mount", Into: &a.Mount, Pattern: segments, Want: "want names with slashes between them",
			Doc: "The path of the auth method, of all but token. Left out, its name.",
		},
		{Name: "role", Into: &a.Role, Doc: "The role, of kubernetes and jwt."},
		{
			Name: "token_file", Into: &a.TokenFile, Path: true,
			Doc: "A file with the token, of token, such as the sink of Vault Agent; read again when the token is refused. Left out, BAO_TOKEN or VAULT_TOKEN.",
		},
		{Name: "role_id", Into: &a.RoleID, Doc: "The role id, of approle."},
		{
			Name: "secret_id_file", Into: &a.SecretIDFile, Path: true,
			Doc: "A file with the secret id, of approle. Left out, BAO_SECRET_ID or VAULT_SECRET_ID.",
		},
		{
			Name: "jwt_file", Into: &a.JWTFile, Path: true,
			Doc: "A file with the token that is presented, of jwt and kubernetes. Left out, the pod's own.",
		},
	}
}

// Check implements [storekind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	s.Payload.Check(c)
	a := &s.Site.Auth
	if a.Method == "" {
		a.Method = byToken
	}
	if c.Failed("auth.method") {
		return
	}
	a.refuseOthers(c)
	name, value := "auth.role", a.Role
	if a.Method == byAppRole {
		name, value = "auth.role_id", a.RoleID
	}
	if a.Method != byToken && value == "" && !c.Failed(name) {
		c.Fail(name, "write it", "is missing: the method %s needs it", a.Method)
	}
}

// refuseOthers reports what is written for another method: whoever writes it believes that
// the server is called as that.
func (a *Auth) refuseOthers(c storekind.Checker) {
	for _, option := range []struct {
		name string
		of   []string
	}{
		{"auth.mount", []string{byKubernetes, byAppRole, byJWT}},
		{"auth.role", []string{byKubernetes, byJWT}},
		{"auth.token_file", []string{byToken}},
		{"auth.role_id", []string{byAppRole}},
		{"auth.secret_id_file", []string{byAppRole}},
		{"auth.jwt_file", []string{byKubernetes, byJWT}},
	} {
		if c.Written(option.name) && !slices.Contains(option.of, a.Method) {
			last := len(option.of) - 1
			of := strings.Join(option.of[:last], ", ")
			if last > 0 {
				of += " or "
			}
			c.Fail(option.name, "write method: "+of+option.of[last]+", or leave it out", "has no effect with method: %s", a.Method)
		}
	}
}

// Refuse implements [storekind.Settings].
func (s *Settings) Refuse(secret string) string {
	switch {
	case !storekind.Pattern(segments).MatchString(secret):
		return "want the path below the mount, such as growth/instantly, without data/"
	case strings.HasSuffix(secret, stateSuffix):
		return "the rotator adds " + stateSuffix + " itself"
	default:
		return ""
	}
}

// Place implements [storekind.Settings].
func (s *Settings) Place(secret string) string {
	return strings.Join([]string{s.Site.Address, s.Site.Namespace, s.Mount, secret}, " ")
}

// PutCommand implements [storekind.ByHand]. Other fields stay as they are.
func (s *Settings) PutCommand(secret string) string {
	namespace := ""
	if s.Site.Namespace != "" {
		namespace = " -namespace=" + s.Site.Namespace
	}
	field := "api_key"
	for name, text := range s.Payload.JSON {
		if text == "{key}" {
			field = name
		}
	}
	return "vault kv patch" + namespace + " -mount=" + s.Mount + " " + secret + " " + field + "=-"
}

// Open implements [storekind.Settings]. All secrets of a site share a client.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, secret string) (secretstore.Store, error) {
	form, err := s.Payload.Form()
	if err != nil {
		return nil, err
	}
	client, err := storekind.Share(env, s.Site, func() (*Client, error) { return Connect(s.Site, nil) })
	if err != nil {
		return nil, err
	}
	return client.Open(Options{Mount: s.Mount, Path: secret, Payload: form, Owner: env.Owner, Now: env.Now})
}
