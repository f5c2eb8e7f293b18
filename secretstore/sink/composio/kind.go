package composio

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is Composio in the configuration.
func Kind() sinkkind.Kind {
	return sinkkind.Kind{
		Name: "composio", Title: "connected accounts at Composio", Settings: func() sinkkind.Settings { return &Settings{} },
	}
}

// Settings say how the accounts of a project are reached.
type Settings struct {
	// Address of the service.
	Address string
	// Field of the credential; empty for what the account's scheme has.
	Field string
	// Tool that is run to find out whether a key works; none if it is empty.
	Tool, User, Arguments string
}

var _ sinkkind.Settings = (*Settings)(nil)

const (
	keyOption = "api_key"
	// noTool is written where none is to be run.
	noTool = "off"
)

// Options implements [sinkkind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "base_url", Into: &s.Address, Default: "https://backend.composio.dev", URL: true, Want: "write for example https://composio.example.com",
			Doc: "Where Composio is; another address for a deployment of your own.",
		},
		{
			Name: "field", Into: &s.Field, Pattern: `^[A-Za-z_][A-Za-z0-9_]{0,63}$`, Want: "want the name of a field",
			Doc: "The field of the account's credential that has the key. Left out, token of a BEARER_TOKEN account, and api_key or generic_api_key of an API_KEY account.",
		},
		{
			Name: "check_tool", Into: &s.Tool, Default: "INSTANTLY_LIST_CAMPAIGNS", Pattern: `^([A-Z0-9_]{1,128}|off)$`, Want: "want the slug of a tool, or off",
			Doc: "The tool that is run through Composio to find out whether a new key works there; it should change nothing. Once a key, since runs are billed. off: none is run.",
		},
		{
			Name: "check_arguments", Into: &s.Arguments, Default: `'{"limit": 1}'`,
			Doc: "The tool's arguments, as JSON.",
		},
		{
			Name: "user_id", Into: &s.User,
			Doc: "Whose connected account it is at Composio, where the tool asks for it.",
		},
	}
}

// Credentials implements [sinkkind.Settings].
func (s *Settings) Credentials() []sinkkind.Credential {
	return []sinkkind.Credential{{
		Name: keyOption, Word: "key", Required: true, EnvExample: "COMPOSIO_API_KEY", FileExample: "/run/secrets/composio",
		Doc: "Where the project's API key is: exactly one of env, file, or store with secret. It may change every connected account of the project.",
	}}
}

// Check implements [sinkkind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	for _, option := range []string{"check_arguments", "user_id"} {
		if s.Tool == noTool && c.Written(option) {
			c.Fail(option, "name a tool, or leave it out", "has no effect with check_tool: off")
		}
	}
	if c.Failed("check_arguments") {
		return
	}
	if _, err := arguments(s.Arguments); err != nil {
		c.Fail("check_arguments", `write for example '{"limit": 1}'`, "want an object of JSON")
	}
}

func arguments(text string) (map[string]any, error) {
	var object map[string]any
	if text == "" {
		return map[string]any{}, nil
	}
	err := json.Unmarshal([]byte(text), &object)
	return object, err
}

// Refuse implements [sinkkind.Settings].
func (s *Settings) Refuse(place string) string {
	if !storekind.Pattern(`^(ca|con)_[A-Za-z0-9_-]{1,64}$`).MatchString(place) {
		return "want the id of a connected account: ca_…"
	}
	return ""
}

// Identity implements [sinkkind.Settings]: an account has one mark, whatever its fields.
func (s *Settings) Identity(place, _ string) string {
	return strings.ToLower(strings.TrimRight(s.Address, "/")) + " " + place
}

// Open implements [sinkkind.Settings]. All accounts of a deployment share their connections.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, o sinkkind.Opening) (sink.Sink, error) {
	type address string
	client, err := storekind.Share(env, address(s.Address), func() (*rest.Client, error) { return rest.New(s.Address, nil) })
	if err != nil {
		return nil, err
	}
	args, err := arguments(s.Arguments)
	if err != nil {
		return nil, err
	}
	account := Open(Options{
		Client: client, Address: s.Address, Account: o.Place, Field: s.Field, Tool: s.Tool, Arguments: args, User: s.User,
		Key: func(ctx context.Context) (secret.Value, error) { return o.Credential(ctx, keyOption) },
	})
	if s.Tool == noTool || s.Tool == "" {
		return account, nil
	}
	return Checking{account}, nil
}
