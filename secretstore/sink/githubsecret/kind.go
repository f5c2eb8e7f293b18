package githubsecret

import (
	"context"
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is GitHub in the configuration.
func Kind() sinkkind.Kind {
	return sinkkind.Kind{
		Name: "github", Title: "secrets of GitHub Actions, Dependabot and Codespaces", Settings: func() sinkkind.Settings { return &Settings{} },
	}
}

// Settings say how secrets are reached.
type Settings struct {
	// Address of the API.
	Address string
	// For says who reads the secrets.
	For string
	// Mark: there is a variable beside each secret.
	Mark bool
	// App and Installation of a GitHub App; empty with a token.
	App, Installation string
	// Visibility of an organization's secret that is made.
	Visibility string
}

var _ sinkkind.Settings = (*Settings)(nil)

const tokenOption, keyOption = "token", "private_key"

// Options implements [sinkkind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "app_id", Into: &s.App, Pattern: `^[A-Za-z0-9.]{1,64}$`, Want: "want the App's id or client id",
			Doc: "A GitHub App, by its id or client id, in place of a token; with installation_id and private_key.",
		},
		{
			Name: "installation_id", Into: &s.Installation, Pattern: `^[0-9]{1,20}$`, Want: "want the number in the installation's address",
			Doc: "The App's installation in the account.",
		},
		{
			Name: "for", Into: &s.For, Default: string(Actions), Pattern: `^(actions|dependabot|codespaces)$`, Want: "want actions, dependabot or codespaces",
			Doc: "Who reads the secrets.",
		},
		{
			Name: "mark", Into: &s.Mark, Default: "true",
			Doc: "Keep a variable NAME_KEY_ID beside each secret for Actions, which tells which key it is and shows when somebody changed it. " +
				"false where variables may not be written: what was put there is then noted in the primary store.",
		},
		{
			Name: "visibility", Into: &s.Visibility, Default: "private", Pattern: `^(all|private|selected)$`, Want: "want all, private or selected",
			Doc: "Which repositories see an organization's secret that is made. One that is there keeps its own.",
		},
		{
			Name: "base_url", Into: &s.Address, Default: "https://api.github.com", URL: true, Want: "write for example https://github.example.com/api/v3",
			Doc: "Where the API is; https://HOST/api/v3 for an Enterprise Server.",
		},
	}
}

// Credentials implements [sinkkind.Settings].
func (s *Settings) Credentials() []sinkkind.Credential {
	return []sinkkind.Credential{
		{
			Name: tokenOption, Word: "token", EnvExample: "GITHUB_SECRETS_TOKEN", FileExample: "/run/secrets/github",
			Doc: "Where a fine-grained token is: exactly one of env, file, or store with secret. It needs Secrets: write and, with mark, Variables: write; " +
				"Environments: write for one of an environment, Organization secrets and variables: write for one of an organization.",
		},
		{
			Name: keyOption, Word: "key", PEM: true, EnvExample: "GITHUB_APP_KEY", FileExample: "/run/secrets/github-app.pem",
			Doc: "Where the App's private key is, as GitHub gives it.",
		},
	}
}

// Check implements [sinkkind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	app := c.Written("app_id") || c.Written("installation_id") || c.Written(keyOption)
	switch {
	case c.Written(tokenOption) && app:
		c.Fail(tokenOption, "take out either token, or app_id, installation_id and private_key", "both a token and an App")
	case app && (!c.Written("app_id") || !c.Written("installation_id") || !c.Written(keyOption)):
		c.Fail("app_id", "write app_id, installation_id and private_key", "an App needs all three")
	case !app && !c.Written(tokenOption):
		c.Fail(tokenOption, "write token: {env: NAME}, or app_id, installation_id and private_key", "is missing")
	}
	if s.For != string(Actions) {
		if c.Written("mark") && s.Mark {
			c.Fail("mark", "take the line out", "only Actions have variables")
		}
		s.Mark = false
	}
}

// Refuse implements [sinkkind.Settings].
func (s *Settings) Refuse(place string) string {
	p, what := ParsePlace(place)
	if what == "" && p.Environment != "" && s.For != string(Actions) {
		return "only Actions have secrets of environments"
	}
	return what
}

// Identity implements [sinkkind.Settings]: GitHub's names have no case.
func (s *Settings) Identity(place, _ string) string {
	return strings.ToLower(strings.TrimRight(s.Address, "/") + " " + s.For + " " + place)
}

// Open implements [sinkkind.Settings]. All secrets of a section share a client.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, o sinkkind.Opening) (sink.Sink, error) {
	place, what := ParsePlace(o.Place)
	if what != "" {
		return nil, fmt.Errorf("github: %s", what)
	}
	client, err := storekind.Share(env, s, func() (*Client, error) { return s.connect(env, o) })
	if err != nil {
		return nil, err
	}
	options := Options{Client: client, Address: s.Address, Place: place, For: For(s.For), Visibility: s.Visibility}
	if s.Mark {
		return OpenMarked(options), nil
	}
	return Open(options), nil
}

func (s *Settings) connect(env *storekind.Environment, o sinkkind.Opening) (*Client, error) {
	r, err := rest.New(s.Address, nil)
	if err != nil {
		return nil, err
	}
	read := func(name string) func(context.Context) (secret.Value, error) {
		return func(ctx context.Context) (secret.Value, error) {
			v, err := o.Credential(ctx, name)
			if err != nil {
				return v, fmt.Errorf("github: its %s: %w", name, err)
			}
			return v, nil
		}
	}
	if s.App == "" {
		return NewClient(r, read(tokenOption), sinkkind.Now(env)), nil
	}
	return NewAppClient(r, &App{ID: s.App, Installation: s.Installation, Key: read(keyOption), Now: sinkkind.Now(env)}), nil
}
