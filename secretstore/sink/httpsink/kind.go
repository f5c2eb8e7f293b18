package httpsink

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is a service with an HTTP interface in the configuration.
func Kind() sinkkind.Kind {
	return sinkkind.Kind{
		Name: "http", Title: "a service that takes the key by an HTTP request", Settings: func() sinkkind.Settings { return &Settings{} },
	}
}

// Settings say which request it is.
type Settings struct {
	Method, Address, Body string
	Headers               map[string]string
	HoldsAddress, HoldsAt string
}

var _ sinkkind.Settings = (*Settings)(nil)

const (
	credentialOption = "credential"
	keyHolder        = "{key}"
)

// Options implements [sinkkind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "method", Into: &s.Method, Default: "PUT", Pattern: `^(PUT|PATCH|POST)$`, Want: "want PUT, PATCH or POST",
			Doc: "The request's method. It may be sent more than once for a key: the service must take that for the same.",
		},
		{
			Name: "url", Into: &s.Address, Required: true,
			Doc:      "The address, https unless it is on this machine. {place} is the place in the target's entry, {credential} the credential, {id} the key's id, {target} the target. No redirect is followed.",
			Examples: []string{"https://n8n.example.com/api/v1/credentials/{place}"},
		},
		{
			Name: "body", Into: &s.Body, Required: true,
			Doc:      "The request's body, as JSON. {key} within a string of it is the key, and {id}, {target} and {place} are as in url.",
			Examples: []string{`{"value": "{key}", "comment": "key-id {id}"}`},
		},
		{
			Name: "headers", Into: &s.Headers, Default: "{}",
			Doc: "Headers of the request, in which {credential} is the credential: {Authorization: Bearer {credential}}.",
		},
		{
			Name: "holds_url", Into: &s.HoldsAddress,
			Doc: "What is read with GET, and the same headers, to learn which key the service has. Left out, what was put there is noted in the primary store.",
		},
		{
			Name: "holds_at", Into: &s.HoldsAt, Pattern: `^(/[^\s]*)?$`, Want: "want a JSON pointer, such as /comment",
			Doc:      "Where in that answer is a text that ends in key-id {id}, as a JSON pointer.",
			Examples: []string{"/comment"},
		},
	}
}

// Credentials implements [sinkkind.Settings].
func (s *Settings) Credentials() []sinkkind.Credential {
	return []sinkkind.Credential{{
		Name: credentialOption, Word: "credential", EnvExample: "N8N_API_KEY", FileExample: "/run/secrets/n8n",
		Doc: "Where the service's own credential is: exactly one of env, file, or store with secret. It is sent where {credential} stands.",
	}}
}

// Check implements [sinkkind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	s.checkAddress(c, "url", s.Address)
	if c.Written("holds_url") {
		s.checkAddress(c, "holds_url", s.HoldsAddress)
	}
	if c.Written("holds_url") != c.Written("holds_at") {
		c.Fail("holds_url", "write holds_url and holds_at, or neither", "one is of no use without the other")
	}
	if c.Written("holds_at") && !strings.Contains(s.Body, "key-id {id}") {
		c.Fail("holds_at", "let a text in the body end in key-id {id}", "the body does not say which key it is")
	}
	if c.Written("body") && !c.Failed("body") {
		s.checkBody(c)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		switch text := s.Headers[name]; {
		case !storekind.Pattern(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`).MatchString(name), strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }):
			c.Fail("headers", "want NAME: TEXT", "a header that cannot be sent")
		case slices.Contains(ofTheConnection(), http.CanonicalHeaderKey(name)):
			c.Fail("headers", "leave it out", "header %s is made for each request", c.Quote(name))
		case c.LooksSecret(besidesCredential(text)):
			c.Fail("headers", "write {credential} in its place, and credential: {env: NAME}", "header %s looks like a secret", c.Quote(name))
		}
	}
	uses := strings.Contains(s.Address+s.HoldsAddress+strings.Join(slices.Collect(maps.Values(s.Headers)), " ")+s.Body, "{credential}")
	if uses != c.Written(credentialOption) {
		c.Fail(credentialOption, "write credential: {env: NAME}, and {credential} where it belongs, or neither", "one is of no use without the other")
	}
}

// ofTheConnection are headers that say how a request is sent: written by hand they are not
// sent, or belie it.
func ofTheConnection() []string {
	return []string{"Connection", "Content-Length", "Trailer", "Transfer-Encoding"}
}

// besidesCredential is what stands in a header beside {credential}, but for the word before it
// that says of what scheme it is.
func besidesCredential(text string) string {
	return storekind.Pattern(`([A-Za-z]+ )?\{credential\}`).ReplaceAllString(text, "")
}

// checkAddress repeats nothing: what lets one call it may be there.
func (s *Settings) checkAddress(c storekind.Checker, option, address string) {
	const hint = "write for example https://n8n.example.com/api/v1/credentials/{place}"
	if !c.Written(option) || c.Failed(option) {
		return
	}
	base, path, err := split(address)
	if err == nil {
		_, err = rest.New(base, nil)
	}
	of, _, _ := split(s.Address)
	switch {
	case err != nil:
		c.Fail(option, hint, "want an address of https, with placeholders in its path only")
	case base != of:
		c.Fail(option, "write an address of the same host as in url", "another host: the credential is for one")
	case strings.Contains(path, keyHolder):
		c.Fail(option, "the key belongs into the body", "addresses are written into logs")
	}
}

// checkBody fills the template in with what JSON needs to escape.
func (s *Settings) checkBody(c storekind.Checker) {
	odd := `"\` + "\n"
	filled := facts{key: secret.New(odd), credential: secret.New(odd), id: odd, target: odd, place: odd}.body(s.Body)
	switch {
	case !strings.Contains(s.Body, keyHolder):
		c.Fail("body", `write for example {"value": "{key}"}`, "has no {key}")
	case !json.Valid(filled):
		c.Fail("body", `write for example '{"value": "{key}"}'`, "want JSON, with the placeholders within its strings")
	}
}

// Refuse implements [sinkkind.Settings].
func (s *Settings) Refuse(place string) string {
	uses := strings.Contains(s.Address+s.HoldsAddress+s.Body, "{place}")
	switch {
	case uses && place == "":
		return "url, holds_url or body has {place}: want what it stands for"
	case !uses && place != "":
		return "neither url, holds_url nor body has {place}: leave it out"
	case !storekind.Pattern(`^[!-~]{0,200}$`).MatchString(place), place == ".", place == "..":
		return "want at most 200 printable characters, no spaces"
	default:
		return ""
	}
}

// Identity implements [sinkkind.Settings]: the address and what the body says, with the place in
// them. How JSON is written makes no difference.
func (s *Settings) Identity(place, target string) string {
	base, path, _ := split(s.Address)
	f := facts{place: place, target: target}
	body := f.body(s.Body)
	var said any
	if json.Unmarshal(body, &said) == nil {
		body, _ = json.Marshal(said) // it was JSON
	}
	return strings.TrimSuffix(strings.ToLower(base), ":443") + f.address(path) + " " + string(body)
}

// Open implements [sinkkind.Settings]. All places of a service share their connections.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, o sinkkind.Opening) (sink.Sink, error) {
	base, path, err := split(s.Address)
	if err != nil {
		return nil, err
	}
	type address string
	client, err := storekind.Share(env, address(base), func() (*rest.Client, error) { return rest.New(base, nil) })
	if err != nil {
		return nil, err
	}
	options := Options{
		Name: sinkkind.Name(o.Section, o.Place), Where: fmt.Sprintf("%q", []string{s.Method, s.Address, s.Body}), Client: client, Method: s.Method, Path: path, Headers: s.Headers, Body: s.Body,
		Target: o.Target, Place: o.Place,
		Credential: func(ctx context.Context) (secret.Value, error) { return o.Credential(ctx, credentialOption) },
	}
	if s.HoldsAddress == "" {
		return Open(options), nil
	}
	if _, options.HoldsPath, err = split(s.HoldsAddress); err != nil {
		return nil, err
	}
	options.HoldsAt = s.HoldsAt
	return OpenTelling(options), nil
}
