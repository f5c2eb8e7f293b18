package trail

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The files of a key.
const (
	keyFile    = "key"
	publicFile = "key.pub"
)

// signerIn gives the signing key of a folder, made if there is none, and the public one.
func signerIn(dir, name string) (note.Signer, string, error) {
	text, err := os.ReadFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(dir, name); err != nil {
			return nil, "", err
		}
		text, err = os.ReadFile(filepath.Join(dir, keyFile))
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the trail's signing key: %w", err)
	}
	by, err := note.NewSigner(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, "", fmt.Errorf("the trail's signing key in %s cannot be used: %w", filepath.Join(dir, keyFile), err)
	}
	public, err := PublicKey(dir)
	return by, public, err
}

// signerAt gives the signing key in a file, and the public one, which is made of it.
func signerAt(path string) (note.Signer, string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("read the trail's signing key: %w", err)
	}
	private := strings.TrimSpace(string(text))
	by, err := note.NewSigner(private)
	if err != nil {
		return nil, "", fmt.Errorf("the trail's signing key in %s cannot be used: %w", path, err)
	}
	// As note writes it: PRIVATE+KEY+name+hash+base64 of the algorithm and the seed.
	parts := strings.Split(private, "+")
	seed, err := base64.StdEncoding.DecodeString(strings.Join(parts[4:], "+"))
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, "", fmt.Errorf("the trail's signing key in %s cannot be used: it has no seed", path)
	}
	of, _ := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	public, err := note.NewEd25519VerifierKey(by.Name(), of)
	return by, public, err
}

// MakeKey makes a signing key for a log in a folder that has none, and gives the public one.
func MakeKey(dir, name string) (string, error) {
	if _, err := os.Lstat(filepath.Join(dir, keyFile)); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("make the trail's signing key: %s: %w", filepath.Join(dir, keyFile), errors.Join(fs.ErrExist, err))
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("make the trail's signing key: %w", err)
	}
	if err := makeKey(dir, name); err != nil {
		return "", err
	}
	return PublicKey(dir)
}

// PublicKey gives what the checkpoints of a trail are checked with.
func PublicKey(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, publicFile))
	if err != nil {
		return "", fmt.Errorf("read the trail's public key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// makeKey writes the public key first: a key without it would sign what nobody can check.
func makeKey(dir, name string) error {
	private, public, err := note.GenerateKey(rand.Reader, keyName(name))
	if err != nil {
		return fmt.Errorf("make the trail's signing key: %w", err)
	}
	if err := writeWhole(filepath.Join(dir, publicFile), []byte(public+"\n"), 0o644); err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, keyFile), []byte(private+"\n"), 0o600)
}

// writeWhole puts a file into its place, durable and in one step.
func writeWhole(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("write the trail: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path + ".new")
		return fmt.Errorf("write the trail: %w", err)
	}
	return nil
}

// syncDir makes what was renamed in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
