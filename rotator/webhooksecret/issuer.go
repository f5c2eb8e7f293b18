// Package webhooksecret is about the secrets that authenticate the deliveries of Instantly's
// webhooks: it makes them for the engine, and sets them as a header on the webhooks.
package webhooksecret

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Spec is that of every webhook secret: nothing about one can be asked for.
const Spec secretstore.Spec = "webhook-secret"

// Issuer makes webhook secrets. It keeps none: what is not stored is gone, and there is
// nothing to be listed or revoked.
type Issuer struct {
	// Of tells the account that the webhooks are of; may be nil.
	Of func(context.Context) (string, error)
	// Now tells the time.
	Now func() time.Time
}

var _ rotator.Issuer = Issuer{}

// size of a secret in bytes: 256 bits.
const size = 32

// Issue implements [rotator.Issuer]: a random value that is safe in a header and in a URL.
func (i Issuer) Issue(_ context.Context, name string, spec secretstore.Spec) (rotator.Key, error) {
	var b [size]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return rotator.Key{
		ID: rotator.NewID(), Name: name, Spec: spec, Created: i.Now(),
		Value: secret.New(base64.RawURLEncoding.EncodeToString(b[:])),
	}, nil
}

// List implements [rotator.Issuer].
func (Issuer) List(context.Context) ([]rotator.Key, error) { return nil, nil }

// Test implements [rotator.Issuer]: any value will do that a header can have.
func (Issuer) Test(_ context.Context, value secret.Value, _ secretstore.Spec) rotator.TestCall {
	if !sendable(value) {
		return rotator.TestCall{Verdict: rotator.Invalid, Err: fmt.Errorf("%w: no header can have it", rotator.ErrNoKey)}
	}
	return rotator.TestCall{Verdict: rotator.Valid}
}

// Revoke implements [rotator.Issuer].
func (Issuer) Revoke(context.Context, string) error { return nil }

// Preflight implements [rotator.Issuer].
func (Issuer) Preflight(context.Context) error { return nil }

// Account implements [rotator.Issuer].
func (i Issuer) Account(ctx context.Context) (string, error) {
	if i.Of == nil {
		return "", nil
	}
	return i.Of(ctx)
}
