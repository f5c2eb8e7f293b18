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

// verbatim begins what stands for a header's value that is not of the configured format. No
// secret has such a character, so it is no value of a store, is not taken over, and is written
// back as it was.
const verbatim = "\x00"

// secretOf gives the secret in a header's value.
func secretOf(header secret.Value, format webhookauth.Format) secret.Value {
	if value, ok := format.Secret(header.Reveal()); ok {
		return secret.New(value)
	}
	return secret.New(verbatim + header.Reveal())
}

// headerOf gives the header's value for what secretOf gave, or for a secret.
func headerOf(value secret.Value, format webhookauth.Format) secret.Value {
	if header, ok := strings.CutPrefix(value.Reveal(), verbatim); ok {
		return secret.New(header)
	}
	return secret.New(format.HeaderValue(value.Reveal()))
}

// isHidden tells whether the API does not show a header in full: who writes that back
// destroys it. An empty one may be hidden, too.
func isHidden(v secret.Value) bool {
	text := v.Reveal()
	return text == "" || strings.Contains(text, "***") || strings.ContainsAny(text, "•…")
}
