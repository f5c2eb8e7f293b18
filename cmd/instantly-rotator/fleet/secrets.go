package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// ErrNoKeyYet: a store has no current version.
var ErrNoKeyYet = errors.New("the store has no key yet")

// NotStoredError says that the configuration refers to a secret in a store that
// holds nothing yet. It is [ErrNoKeyYet].
type NotStoredError struct {
	Ref config.SecretRef
	// Command is what puts a value there, with it on standard input.
	Command string
}

// Error implements error.
func (e *NotStoredError) Error() string {
	return fmt.Sprintf("store %s, secret %s: nothing was put there yet", e.Ref.Store, e.Ref.Secret)
}

// Unwrap implements errors.Unwrap.
func (e *NotStoredError) Unwrap() error { return ErrNoKeyYet }

// PutCommand is what a person types to put a value into a secret.
func PutCommand(cfg *config.Config, ref config.StoreRef) string {
	if other, ok := cfg.Stores[ref.Store].Settings.(storekind.ByHand); ok {
		return other.PutCommand(ref.Secret)
	}
	return fmt.Sprintf("instantly-rotator put --store %s --secret %s", ref.Store, ref.Secret)
}

// ShellQuote writes a word as a shell takes it for one.
func ShellQuote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@+,") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Secret reads what the configuration refers to.
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
		from = "file " + ref.File
		if value, err = TypedSecret(data); err != nil {
			return value, fmt.Errorf("%s %w", from, err)
		}
	default:
		return c.storedSecret(ctx, ref, c.Store(ctx, config.StoreRef{Store: ref.Store, Secret: ref.Secret}))
	}
	if value.IsZero() {
		return value, fmt.Errorf("%s is empty or not set", from)
	}
	return value, nil
}

// TypedSecret takes a secret out of what a person or an editor wrote down: without
// the white space around it, since files end in a newline, and without the mark
// that some editors and shells of Windows put before it. The error goes on after
// the name of the place.
func TypedSecret(data []byte) (secret.Value, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return secret.Value{}, errors.New("is in UTF-16: write it as plain text (UTF-8)")
	}
	return secret.New(strings.TrimSpace(string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))), nil
}

// storedSecretTimeout is how long a store may take to give a secret.
const storedSecretTimeout = time.Minute

// storedSecret reads what is the current version of a secret.
func (c *Connections) storedSecret(ctx context.Context, ref config.SecretRef, st secretstore.Store) (secret.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, storedSecretTimeout)
	defer cancel()
	_, value, err := Current(ctx, st)
	switch {
	case errors.Is(err, ErrNoKeyYet):
		return value, &NotStoredError{ref, PutCommand(c.Config, config.StoreRef{Store: ref.Store, Secret: ref.Secret})}
	case err != nil:
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

// Previous reads the previous value of a store; the zero value if it has none, or none any
// more.
func Previous(ctx context.Context, st secretstore.Store) (secret.Value, error) {
	snap, err := st.Describe(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	ver, ok := snap.Versions[secretstore.Previous]
	if !ok {
		return secret.Value{}, nil
	}
	value, err := st.Read(ctx, ver.ID)
	if errors.Is(err, secretstore.ErrNotFound) {
		return secret.Value{}, nil
	}
	return value, err
}
