package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// This file is the only one of the package that opens a secret.Value.

// digest finds a key by its value without keeping the value as a plain string.
type digest [sha256.Size]byte

func digestOf(v secret.Value) digest { return sha256.Sum256([]byte(v.Reveal())) }

// newValue makes up a key in the one format that was seen in public: 68
// characters, the base64 of "<uuid>:<12 characters>". The uuid is not the
// key's id: whether it is at the vendor's is not known, so nobody shall rely
// on it.
func newValue(now time.Time) secret.Value {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails, as crypto/rand documents
	plain := newID(now) + ":" + hex.EncodeToString(random[:])
	return secret.New(base64.StdEncoding.EncodeToString([]byte(plain)))
}

// headersText gives headers as an answer carries them, or the state file (in full).
func headersText(headers map[string]secret.Value, form KeyForm) map[string]string {
	texts := make(map[string]string, len(headers))
	for name, value := range headers {
		texts[name] = valueText(value, form)
	}
	return texts
}

// setHeaders puts a webhook's headers on a delivery.
func setHeaders(header http.Header, headers map[string]secret.Value) {
	for name, value := range headers {
		header.Set(name, value.Reveal())
	}
}

// valueText gives a value as an answer carries it, or the state file (in full).
func valueText(v secret.Value, form KeyForm) string {
	text := v.Reveal()
	switch form {
	case KeyMasked:
		return "********" + text[max(0, len(text)-4):]
	case KeyEmpty:
		return ""
	default:
		return text
	}
}
