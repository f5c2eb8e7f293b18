package filestore

import (
	"context"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// notMade stands for a folder that nobody has made yet, where nothing may be made:
// it holds nothing and can be read only.
type notMade struct{}

var _ secretstore.Store = notMade{}

func (notMade) refused(verb string) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, fmt.Errorf("filestore: %s in a folder that is not made: %w", verb, secretstore.ErrDenied)
}

// Describe implements [secretstore.Store].
func (notMade) Describe(context.Context) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{}, nil
}

// Read implements [secretstore.Store].
func (notMade) Read(_ context.Context, id string) (secret.Value, error) {
	return secret.Value{}, fmt.Errorf("filestore: read %s: %w", id, secretstore.ErrNotFound)
}

// Annotate implements [secretstore.Store].
func (n notMade) Annotate(context.Context, secretstore.Snapshot, secretstore.Notes) (secretstore.Snapshot, error) {
	return n.refused("annotate")
}

// Stage implements [secretstore.Store].
func (n notMade) Stage(context.Context, secretstore.Snapshot, secretstore.Version, secret.Value) (secretstore.Snapshot, error) {
	return n.refused("stage")
}

// Promote implements [secretstore.Store].
func (n notMade) Promote(context.Context, secretstore.Snapshot, string, time.Time) (secretstore.Snapshot, error) {
	return n.refused("promote")
}

// Destroy implements [secretstore.Store].
func (n notMade) Destroy(context.Context, secretstore.Snapshot, string) (secretstore.Snapshot, error) {
	return n.refused("destroy")
}
