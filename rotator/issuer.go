package rotator

import (
	"context"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Issuer makes, lists, tests and revokes the keys of one kind in one account, with
// the credential that may do so. What a key may do is in its Spec, which the issuer
// alone understands. Package apikeys has that of a workspace's API keys. Errors
// never carry a secret.
type Issuer interface {
	// Issue issues a key, with one request that is never sent twice. An error does
	// not say that there is no key now. The Spec of the key that it gives equals the
	// one that was asked for if and only if the key may do just that.
	Issue(ctx context.Context, name string, spec secretstore.Spec) (Key, error)
	// List gives every key of the account, or fails: never a part of them. Their
	// values and Specs are not relied upon.
	List(ctx context.Context) ([]Key, error)
	// Test makes a test call without side effects, with value as the key, that a key
	// of that Spec is allowed to make. A value that can never be a key is Invalid, and
	// ErrNoKey.
	Test(ctx context.Context, value secret.Value, spec secretstore.Spec) TestCall
	// Revoke revokes a key; one that is not there is fine.
	Revoke(ctx context.Context, id string) error
	// Preflight tells whether what is issued could be revoked again, without
	// revoking anything.
	Preflight(ctx context.Context) error
	// Account gives the id of the account, or "" if the credential may not ask.
	Account(ctx context.Context) (string, error)
}

// Key is a key as its issuer knows it.
type Key struct {
	// ID is opaque, and safe to print.
	ID string
	// Name as given when it was issued. Not known to be unique.
	Name string
	// Spec is what the key may do.
	Spec secretstore.Spec
	// Value is only there in the answer to Issue.
	Value secret.Value
	// Account is the id of the account that the key belongs to; empty if not known.
	Account string
	// Created is when it was issued, by the issuer's clock; zero if not known.
	Created time.Time
}

// Verdict is what a test call says about a key.
type Verdict int

const (
	// Indeterminate: the answer says nothing about the key: an outage, a limit, an
	// answer that cannot be read. The zero value.
	Indeterminate Verdict = iota
	// Valid: the key works.
	Valid
	// Invalid: the issuer does not know the key, or no longer.
	Invalid
)

// String gives the verdict in lower case, as logs and metrics have it.
func (v Verdict) String() string {
	switch v {
	case Valid:
		return "valid"
	case Invalid:
		return "invalid"
	default:
		return "indeterminate"
	}
}

// TestCall is the outcome of a test call.
type TestCall struct {
	Verdict Verdict
	// Err is why the verdict is not Valid; nil if it is.
	Err error
}
