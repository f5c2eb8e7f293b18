// Package instantly is a thin client of the Instantly API V2: the few calls
// that keeping API keys fresh needs, each with the care that a credential wants.
//
// What is known about the API comes from the vendor's OpenAPI file and
// documents; where those are silent or disagree, the comments say so and the
// code survives either reading.
package instantly

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Key is an API key as the API describes it (schema APIKey of the OpenAPI
// file). A key has no expiry, no last-used time and cannot be changed.
type Key struct {
	// ID is opaque; the documents show UUIDs. It is safe to print.
	ID string
	// Name as given on creation. Not known to be unique.
	Name string
	// Scopes as granted, in "resource:action" form.
	Scopes []string
	// Secret is the value. It is only relied upon in the answer to a create:
	// whether lists carry it in full, masked or empty is not documented.
	Secret secret.Value
	// Organization is the id of the workspace the key belongs to.
	Organization string
	// Created is the API's timestamp_created; zero if it was not readable.
	Created time.Time
}

// Verdict is what a test call says about a key.
type Verdict int

const (
	// Indeterminate: the answer says nothing about the key: 402, 403, 429, 5xx,
	// timeouts, answers that cannot be read. The zero value.
	Indeterminate Verdict = iota
	// Valid: the key is alive. A 401 "Invalid scope" says so too.
	Valid
	// Invalid: the API does not know the key, or no longer: a readable 401 that
	// is not "Invalid scope".
	Invalid
)

// String gives the verdict in lower case, as logs and metrics have it.
func (v Verdict) String() string {
	switch v {
	case Valid:
		return "valid"
	case Invalid:
		return "invalid"
	default:
		return "indeterminate"
	}
}

// Probe is the outcome of a test call.
type Probe struct {
	Verdict Verdict
	// Found are the key's scopes, where the API named them ("Invalid scope.
	// Required: … Found: …"). Undocumented by the vendor, so advice only.
	Found []string
	// Err is why the verdict is not Valid; nil if it is.
	Err error
}
