package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// ErrNoAdminKey: a workspace's admin key is not where the configuration says.
var ErrNoAdminKey = errors.New("no admin key")

// ErrNoKeyYet: a store has no current version.
var ErrNoKeyYet = errors.New("the store has no key yet")

// adminKey reads the key from where the configuration refers to.
func (c *Connections) adminKey(ctx context.Context, ref config.SecretRef) (secret.Value, error) {
	value, err := c.Secret(ctx, ref)
	if err != nil {
		return value, fmt.Errorf("%w: %w", ErrNoAdminKey, err)
	}
	return value, nil
}

// Secret reads what the configuration refers to. White space around it is not
// part of it: files end in a newline.
func (c *Connections) Secret(ctx context.Context, ref config.SecretRef) (secret.Value, error) {
	var value secret.Value
	var from string
	switch {
	case ref.Env != "":
		value, from = secret.New(strings.TrimSpace(c.Getenv(ref.Env))), "environment variable "+ref.Env
	case ref.File != "":
		data, err := os.ReadFile(ref.File)
		if err != nil {
			return value, err
		}
		value, from = secret.New(strings.TrimSpace(string(data))), "file "+ref.File
	default:
		return storedSecret(ctx, ref, c.Store(ctx, config.StoreRef{Store: ref.Store, Secret: ref.Secret}))
	}
	if value.IsZero() {
		return value, fmt.Errorf("%s is empty or not set", from)
	}
	return value, nil
}

// storedSecretTimeout is how long a store may take to give a secret.
const storedSecretTimeout = time.Minute

// storedSecret reads what is the current version of a secret.
func storedSecret(ctx context.Context, ref config.SecretRef, st secretstore.Store) (secret.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, storedSecretTimeout)
	defer cancel()
	_, value, err := Current(ctx, st)
	if err != nil {
		return value, fmt.Errorf("store %s, secret %s: %w", ref.Store, ref.Secret, err)
	}
	return value, nil
}

// Current reads what consumers of a store read, and the id of that version.
func Current(ctx context.Context, st secretstore.Store) (id string, value secret.Value, err error) {
	snap, err := st.Describe(ctx)
	if err != nil {
		return "", value, err
	}
	cur, ok := snap.Versions[secretstore.Current]
	if !ok {
		return "", value, ErrNoKeyYet
	}
	value, err = st.Read(ctx, cur.ID)
	return cur.ID, value, err
}
