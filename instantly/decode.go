package instantly

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// decode reads a 2xx answer. Its errors are fixed texts: those of
// encoding/json quote what they stumbled over.
func decode[T any](op string, got answer) (T, error) {
	var into T
	err := json.Unmarshal(got.body, &into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return into, nil
	case errors.As(err, &wrongType):
		return into, malformed(op, got.status, "a field is of the wrong type")
	default:
		return into, malformed(op, got.status, "not JSON")
	}
}

// keyAnswer is the schema APIKey of the vendor's OpenAPI file. That schema
// requires all fields; what we can do without may be missing or of any type.
type keyAnswer struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Scopes       []string      `json:"scopes"`
	Key          lenientSecret `json:"key"`
	Organization string        `json:"organization_id"`
	Created      lenientTime   `json:"timestamp_created"`
}

func (k keyAnswer) toKey() Key {
	return Key{
		ID:           k.ID,
		Name:         k.Name,
		Scopes:       k.Scopes,
		Secret:       k.Key.Value,
		Organization: k.Organization,
		Created:      k.Created.Time,
	}
}

// isID tells whether s can be an id: a plain token of letters, digits, "-" and
// "_", at most 128 of them. The documents show UUIDs, but an id is opaque.
// Anything else is not taken from an answer, since ids go into paths, into the
// metadata of stores and onto screens.
func isID(s string) bool {
	const most = 128
	return s != "" && len(s) <= most && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}

// idOrNone gives an id that nothing is done with, or none where it cannot be one.
func idOrNone(s string) string {
	if !isID(s) {
		return ""
	}
	return s
}

// countOf reads a whole number; 0 if it is none, or one that nothing is counted to.
func countOf(number float64) int {
	const most = 1 << 40
	if n := int(max(0, min(number, most))); float64(n) == number {
		return n
	}
	return 0
}

// decodeCreated wants what a create is made for: an id and a value.
func decodeCreated(op string, got answer) (Key, error) {
	k, err := decode[keyAnswer](op, got)
	if err != nil {
		return Key{}, err
	}
	if !isID(k.ID) {
		return Key{}, malformed(op, got.status, "no id, or none that can be one")
	}
	if err := checkSendable(k.Key.Value); err != nil {
		return Key{}, malformed(op, got.status, err.Error())
	}
	return k.toKey(), nil
}

// lenientSecret is a secret from its first moment on. What is not a string is
// no secret: lists may carry anything there, or nothing.
type lenientSecret struct{ secret.Value }

// UnmarshalJSON implements json.Unmarshaler.
func (l *lenientSecret) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		l.Value = secret.New(text)
	}
	return nil
}

// lenientTime is a point in time, zero if it cannot be read: no decision hangs
// on it alone.
type lenientTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (l *lenientTime) UnmarshalJSON(b []byte) error {
	var at time.Time
	if at.UnmarshalJSON(b) == nil {
		l.Time = at
	}
	return nil
}
