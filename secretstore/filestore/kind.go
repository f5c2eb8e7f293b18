package filestore

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"filippo.io/age"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is folders on this machine in the configuration.
func Kind() storekind.Kind {
	return storekind.Kind{Name: "file", Title: "folders on this machine, encrypted with age", Settings: func() storekind.Settings { return &Settings{} }}
}

// Settings say where a folder is that has a folder inside for each secret.
type Settings struct {
	// Path of the folder, absolute.
	Path string
	// Identity is the absolute path of the file with the age identity that reads
	// the store.
	Identity string
	// Recipients are age public keys that can read the store too.
	Recipients []string
}

var _ storekind.Settings = (*Settings)(nil)

// Options implements [storekind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "path", Into: &s.Path, Path: true, Required: true,
			Doc:      "The store's folder, made on first use. Relative paths begin in the folder of this file.",
			Examples: []string{"./store"},
		},
		{
			Name: "identity", Into: &s.Identity, Path: true,
			Doc: "File with the age identity that reads the store, made on first use; " +
				"left out, the file identity inside path.",
		},
		{
			Name: "recipients", Into: &s.Recipients, Default: "[]",
			Doc: "age public keys (age1…) of others who may read the store, such as a team or a backup key.",
		},
	}
}

// Check implements [storekind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	if s.Identity == "" {
		s.Identity = filepath.Join(s.Path, "identity")
	}
	for i, recipient := range s.Recipients {
		option := fmt.Sprintf("recipients[%d]", i)
		if _, err := age.ParseX25519Recipient(recipient); err != nil && !c.Failed(option) {
			c.Fail(option, recipientHint(recipient), "bad recipient %s", c.Quote(recipient))
		}
	}
}

// recipientHint says what is likely wrong with a recipient.
func recipientHint(s string) string {
	if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") {
		return "that is an identity: take it out, replace it, and write its public key (age1…)"
	}
	return "want a public key as age-keygen prints it: age1 and 58 more characters"
}

// Refuse implements [storekind.Settings].
func (s *Settings) Refuse(secret string) string {
	switch {
	case !storekind.Pattern(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`).MatchString(secret):
		return "want letters, digits, dots, underscores and hyphens: it is the name of a folder"
	case s.Place(secret) == s.Identity:
		return "the store's identity file has that name"
	default:
		return ""
	}
}

// Place implements [storekind.Settings]. It is the secret's folder.
func (s *Settings) Place(secret string) string { return filepath.Join(s.Path, secret) }

// supported refuses systems on which what a store promises does not hold: Windows makes
// no rename durable, and its file modes keep nobody out.
func supported(system string) error {
	if system == "windows" {
		return fmt.Errorf("filestore: a store of kind file is not to be had on Windows, where files are neither replaced for good in one step nor kept from others by their mode: %w",
			secretstore.ErrUnfit)
	}
	return nil
}

// identitiesKey is what the identities are shared under.
type identitiesKey struct{}

// Open implements [storekind.Settings]. It makes nothing: a folder that is not there is
// made, with the identity, by the first write.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, secret string) (secretstore.Store, error) {
	identities, err := storekind.Share(env, identitiesKey{}, func() (*Identities, error) { return &Identities{}, nil })
	if err != nil {
		return nil, err
	}
	o := Options{Dir: s.Place(secret), Identity: s.Identity, Recipients: s.Recipients, Shelf: s.Path, Identities: identities, Now: env.Now}
	if err := supported(runtime.GOOS); err != nil {
		return nil, err
	}
	if !isThere(o.Dir) {
		return &unmade{options: o, readOnly: env.ReadOnly}, nil
	}
	return Open(o)
}
