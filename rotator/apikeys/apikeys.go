// Package apikeys issues a workspace's API keys for the engine. What a key is
// issued for is the scopes that it has.
package apikeys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// SpecOf gives the Spec of a key with these scopes: each once, sorted, with commas
// between them, so that two Specs are equal if and only if they name the same
// scopes.
func SpecOf(scopes []string) secretstore.Spec {
	sorted := slices.Clone(scopes)
	slices.Sort(sorted)
	return secretstore.Spec(strings.Join(slices.Compact(sorted), ","))
}

// scopesOf reads SpecOf's text back.
func scopesOf(spec secretstore.Spec) []string {
	if spec == "" {
		return nil
	}
	return strings.Split(string(spec), ",")
}

// Issuer issues the API keys of the workspace that the client's admin key reaches.
type Issuer struct{ client *instantly.Client }

var _ rotator.Identifier = Issuer{}
var _ rotator.Successor = Issuer{}

// New gives the issuer of a workspace.
func New(client *instantly.Client) Issuer { return Issuer{client} }

// Issue implements [rotator.Issuer].
func (i Issuer) Issue(ctx context.Context, name string, spec secretstore.Spec) (rotator.Key, error) {
	wanted := scopesOf(spec)
	issued, err := i.client.CreateKey(ctx, name, wanted)
	if err != nil {
		return rotator.Key{}, err
	}
	key := keyOf(issued)
	key.Value = issued.Secret
	// The API may write the same scopes in another way: resource:all for its actions.
	if instantly.CoversAll(issued.Scopes, wanted) && instantly.CoversAll(wanted, issued.Scopes) {
		key.Spec = spec
	}
	return key, nil
}

// List implements [rotator.Issuer].
func (i Issuer) List(ctx context.Context) ([]rotator.Key, error) {
	listed, err := i.client.Keys(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]rotator.Key, 0, len(listed))
	for _, k := range listed {
		keys = append(keys, keyOf(k))
	}
	return keys, nil
}

// keyOf leaves the value out: a list may carry values, and nobody needs them.
func keyOf(k instantly.Key) rotator.Key {
	return rotator.Key{ID: k.ID, Name: k.Name, Spec: SpecOf(k.Scopes), Account: k.Organization, Created: k.Created}
}

// Test implements [rotator.Issuer].
func (i Issuer) Test(ctx context.Context, value secret.Value, spec secretstore.Spec) rotator.TestCall {
	p := i.client.Probe(ctx, value, scopesOf(spec))
	if errors.Is(p.Err, instantly.ErrNoKey) {
		p.Err = fmt.Errorf("%w: %w", rotator.ErrNoKey, p.Err)
	}
	if p.Verdict == instantly.Valid && administers(scopesOf(spec)) {
		return i.testAdmin(ctx, value)
	}
	return rotator.TestCall{Verdict: verdictOf(p.Verdict), Err: p.Err}
}

// administers tells whether a key with these scopes can be an admin key.
func administers(scopes []string) bool {
	return instantly.CoversAll(scopes, []string{"api_keys:create", "api_keys:read", "api_keys:delete"})
}

// testAdmin finds out whether a key can list keys and revoke them. That it can create
// them cannot be asked without harm. One that lives but may not says nothing about
// the key's life: nothing goes on with it, and it is not taken for dead.
func (i Issuer) testAdmin(ctx context.Context, value secret.Value) rotator.TestCall {
	err := i.client.CheckAdmin(ctx, value)
	if errors.Is(err, instantly.ErrScope) {
		return rotator.TestCall{Err: err}
	}
	return rotator.TestCall{Verdict: verdictOf(instantly.VerdictOf(err)), Err: err}
}

func verdictOf(v instantly.Verdict) rotator.Verdict {
	switch v {
	case instantly.Valid:
		return rotator.Valid
	case instantly.Invalid:
		return rotator.Invalid
	default:
		return rotator.Indeterminate
	}
}

// Revoke implements [rotator.Issuer].
func (i Issuer) Revoke(ctx context.Context, id string) error { return i.client.DeleteKey(ctx, id) }

// Preflight implements [rotator.Issuer]: may the admin key delete keys?
func (i Issuer) Preflight(ctx context.Context) error { return i.client.CheckDelete(ctx) }

// Account implements [rotator.Issuer]: it is the workspace's organization.
func (i Issuer) Account(ctx context.Context) (string, error) { return i.client.Organization(ctx) }

// ActWith implements [rotator.Successor].
func (i Issuer) ActWith(value secret.Value) { i.client.ActWith(value) }
