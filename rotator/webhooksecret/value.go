package webhooksecret

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// most bytes that a value may have: servers refuse longer headers.
const most = 4096

// sendable tells whether a value can be a header's: printable ASCII, without spaces.
func sendable(v secret.Value) bool {
	text := v.Reveal()
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return text != "" && len(text) <= most
}

// secretOf gives the secret in a header's value; what is not of that format is one that no
// store has.
func secretOf(header secret.Value, format webhookauth.Format) secret.Value {
	if value, ok := format.Secret(header.Reveal()); ok {
		return secret.New(value)
	}
	return header
}

// headerOf gives the header's value for a secret.
func headerOf(value secret.Value, format webhookauth.Format) secret.Value {
	return secret.New(format.HeaderValue(value.Reveal()))
}

// isHidden tells whether the API does not show a header in full: who writes that back
// destroys it. An empty one may be hidden, too.
func isHidden(v secret.Value) bool {
	text := v.Reveal()
	return text == "" || strings.Contains(text, "***") || strings.ContainsAny(text, "•…")
}
