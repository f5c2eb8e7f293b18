package instantly

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// This file holds all that needs a secret in clear: putting it on the wire,
// and keeping it out of texts. Reveal is called nowhere else in the package.

// authorize puts the credential on the wire: HTTP bearer, the vendor's OpenAPI
// file's only scheme.
func authorize(header http.Header, credential secret.Value) {
	header.Set("Authorization", "Bearer "+credential.Reveal())
}

// headersBody puts a webhook's headers on the wire.
func headersBody(headers map[string]secret.Value) ([]byte, error) {
	texts := make(map[string]string, len(headers))
	for name, value := range headers {
		texts[name] = value.Reveal()
	}
	return json.Marshal(map[string]any{"headers": texts})
}

// checkSendable tells why a value cannot be sent as a bearer token. What the
// vendor's keys look like is not documented, so any printable ASCII passes.
func checkSendable(v secret.Value) error {
	if v.IsZero() {
		return errors.New("the key is empty")
	}
	if !isToken(v.Reveal()) {
		return errors.New("the key has a space, a line end or another character that no key has")
	}
	return nil
}

// Sendable tells why a value can never be a key; nil if it may be one. Nobody is asked.
func Sendable(v secret.Value) error { return checkSendable(v) }

// isToken tells whether s is visible ASCII throughout, and not empty.
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// minLeak is the shortest piece of a secret, in bytes, that is cut out of a
// text: servers like to quote the first or last part of a key they refuse.
const minLeak = 6

// censor cuts the secrets out of text, and every piece of them of at least
// minLeak bytes.
func censor(text string, secrets ...secret.Value) string {
	for _, s := range secrets {
		text = cut(text, s.Reveal())
	}
	return text
}

func cut(text, hidden string) string {
	shortest := min(minLeak, len(hidden))
	if shortest == 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		n := shared(text[i:], hidden, shortest)
		if n == 0 {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString("[redacted]")
		i += n
	}
	return b.String()
}

// shared is the length of the longest beginning of text that occurs in hidden;
// 0 if it is under shortest.
func shared(text, hidden string, shortest int) int {
	n := 0
	for l := shortest; l <= len(text) && l <= len(hidden); l++ {
		if !strings.Contains(hidden, text[:l]) {
			break
		}
		n = l
	}
	return n
}
