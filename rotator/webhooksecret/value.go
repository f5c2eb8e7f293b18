package webhooksecret

import "github.com/instantly-rotator/instantly-rotator/secretstore/secret"

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
