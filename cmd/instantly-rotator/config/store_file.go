package config

import (
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/invopop/jsonschema"
)

// FileStore is a folder with age-encrypted values, a folder inside for each secret.
type FileStore struct {
	// Path of the folder, absolute.
	Path string
	// Identity is the absolute path of the file with the age identity that
	// reads the store.
	Identity string
	// Recipients are age public keys that can read the store too.
	Recipients []string
}

// Dir gives the folder of one secret.
func (s FileStore) Dir(secret string) string { return filepath.Join(s.Path, secret) }

func (s FileStore) place(secret string) string { return s.Dir(secret) }

func (s FileStore) refuse(secret string) string {
	switch {
	case !pattern(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`).MatchString(secret):
		return "want letters, digits, dots, underscores and hyphens: it is the name of a folder"
	case s.place(secret) == s.Identity:
		return "the store's identity file has that name"
	default:
		return ""
	}
}

// fileStoreForm is an entry of stores with kind: file.
type fileStoreForm struct {
	mark
	Kind       text       `json:"kind"`
	Path       text       `json:"path"`
	Identity   text       `json:"identity"`
	Recipients list[text] `json:"recipients"`
}

func (fileStoreForm) section() string { return "stores.*(file)" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f fileStoreForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

func fileKind() storeKind {
	in := fileStoreForm{}.section()
	return storeKind{
		name: "file",
		form: func() storeKindForm { return &fileStoreForm{} },
		options: []Option{
			{In: in, Name: "kind", Required: true, Doc: "What kind of store it is."},
			{
				In: in, Name: "path", Required: true,
				Doc: "The store's folder, made on first use. Relative paths begin in the folder of this file.",
			},
			{
				In: in, Name: "identity",
				Doc: "File with the age identity that reads the store, made on first use; " +
					"left out, the file identity inside path.",
			},
			{
				In: in, Name: "recipients", Default: "[]",
				Doc: "age public keys (age1…) of others who may read the store, such as a team or a backup key.",
			},
		},
	}
}

func (f *fileStoreForm) resolve(c *checker) Backend {
	s := FileStore{Path: c.path(f.Path), Identity: c.path(f.Identity)}
	if !f.Identity.ok {
		s.Identity = filepath.Join(s.Path, "identity")
	}
	for _, recipient := range f.Recipients.Items {
		if !recipient.ok {
			continue
		}
		if _, err := age.ParseX25519Recipient(recipient.v); err != nil {
			c.fail(recipient.mark, recipientHint(recipient.v), "bad recipient %s", quote(recipient.v))
			continue
		}
		s.Recipients = append(s.Recipients, recipient.v)
	}
	return s
}

// recipientHint says what is likely wrong with a recipient.
func recipientHint(s string) string {
	if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") {
		return "that is an identity: take it out, replace it, and write its public key (age1…)"
	}
	return "want a public key as age-keygen prints it: age1 and 58 more characters"
}
