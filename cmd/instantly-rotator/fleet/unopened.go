package fleet

import (
	"context"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// unopened stands for a store that could not be opened: it fails the targets
// that need it, each with the reason, and leaves the others alone.
type unopened struct{ err error }

var _ secretstore.Store = unopened{}

func (u unopened) Describe(context.Context) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, u.err
}

func (u unopened) Annotate(context.Context, secretstore.Snapshot, secretstore.Notes) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, u.err
}

func (u unopened) Stage(context.Context, secretstore.Snapshot, secretstore.Version, secret.Value) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, u.err
}

func (u unopened) Read(context.Context, string) (secret.Value, error) { return secret.Value{}, u.err }

func (u unopened) Promote(context.Context, secretstore.Snapshot, string, time.Time) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, u.err
}

func (u unopened) Destroy(context.Context, secretstore.Snapshot, string) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, u.err
}

// unreachable stands for a workspace whose admin key cannot be had.
type unreachable struct{ err error }

func (u unreachable) Issue(context.Context, string, secretstore.Spec) (rotator.Key, error) {
	return rotator.Key{}, u.err
}

func (u unreachable) List(context.Context) ([]rotator.Key, error) { return nil, u.err }

func (u unreachable) Revoke(context.Context, string) error { return u.err }

func (u unreachable) Test(context.Context, secret.Value, secretstore.Spec) rotator.TestCall {
	return rotator.TestCall{Err: u.err}
}

func (u unreachable) Account(context.Context) (string, error) { return "", u.err }

func (u unreachable) Preflight(context.Context) error { return u.err }
