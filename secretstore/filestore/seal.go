package filestore

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// seal encrypts a value on its way to the disk.
func seal(value secret.Value, to []age.Recipient) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to...)
	if err != nil {
		return nil, fmt.Errorf("encrypt the value: %w: %w", secretstore.ErrUnavailable, err)
	}
	if _, err := io.WriteString(w, value.Reveal()); err != nil {
		return nil, fmt.Errorf("encrypt the value: %w: %w", secretstore.ErrUnavailable, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt the value: %w: %w", secretstore.ErrUnavailable, err)
	}
	return sealed.Bytes(), nil
}

// unseal decrypts a value. Nothing of it is given unless all of it is authentic.
func unseal(sealed []byte, with []age.Identity) (secret.Value, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), with...)
	if err != nil {
		return secret.Value{}, unopened(err)
	}
	value, err := io.ReadAll(r)
	if err != nil {
		return secret.Value{}, damaged(err)
	}
	return secret.New(string(value)), nil
}

// opens fails if none of the identities opens a value. It does not decrypt the value, which
// would cost several times as much.
func opens(sealed []byte, with []age.Identity) error {
	header, err := age.ExtractHeader(bytes.NewReader(sealed))
	if err != nil {
		return damaged(err)
	}
	if _, err := age.DecryptHeader(header, with...); err != nil {
		return unopened(err)
	}
	return nil
}

// unopened says why no identity opens a value.
func unopened(cause error) error {
	var noMatch *age.NoIdentityMatchError
	if errors.As(cause, &noMatch) {
		return fmt.Errorf("it was encrypted to other recipients; open it with the identity file that was in use then: %w",
			secretstore.ErrCorrupt)
	}
	return damaged(cause)
}

func damaged(cause error) error {
	return fmt.Errorf("the ciphertext is damaged: restore the file from a backup: %w: %w", secretstore.ErrCorrupt, cause)
}
