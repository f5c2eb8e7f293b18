// Package secret holds the one type that a secret value may have in this
// project, from the moment the value exists.
package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// redacted is all that any formatting of a Value shows.
const redacted = "[redacted]"

// Value is a secret string. It prints as "[redacted]" under every fmt verb,
// in JSON, in text encodings and in structured logs, also when it is nested
// in an unexported field: the pointer inside is what reflection finds there.
// The zero Value is empty.
//
// Only [Value.Reveal] gives the string. It is called in the few files that put
// a value on the wire or on disk; a linter keeps that list.
type Value struct{ s *string }

// New wraps s. An empty s gives the zero Value.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{s: &s}
}

// Reveal gives the secret itself. Call it only where the value goes on the
// wire or on disk.
func (v Value) Reveal() string {
	if v.s == nil {
		return ""
	}
	return *v.s
}

// IsZero tells whether the value is empty.
func (v Value) IsZero() bool { return v.s == nil }

// Equal tells whether both hold the same secret, in a time that says nothing of
// where they differ: one of them may come from the network.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(w.Reveal())) == 1
}

// MAC authenticates a message with the secret as the key (HMAC-SHA-256): whoever does not
// know the secret can neither make it nor learn the secret from it.
func (v Value) MAC(message string) []byte {
	h := hmac.New(sha256.New, []byte(v.Reveal()))
	_, _ = io.WriteString(h, message) // never fails
	return h.Sum(nil)
}

// IsIn tells whether a text has the secret in it, in clear or in one of the forms in
// which programs print bytes: somebody else's error may repeat what it was sent.
func (v Value) IsIn(text string) bool {
	if v.IsZero() {
		return false
	}
	quoted, raw := strconv.Quote(*v.s), []byte(*v.s)
	for _, form := range []string{
		*v.s, quoted[1 : len(quoted)-1], hex.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// String implements [fmt.Stringer] without the secret.
func (v Value) String() string { return redacted }

// GoString implements [fmt.GoStringer] without the secret.
func (v Value) GoString() string { return redacted }

// Format implements [fmt.Formatter] without the secret, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler] without the secret.
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements [encoding/json.Marshaler] without the secret.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements [slog.LogValuer] without the secret.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }
