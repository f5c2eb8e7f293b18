// Package payload turns a key's value into what a cloud secret store keeps, and
// back: the key alone, or a JSON object around it. It is for backends whose
// values applications read directly.
package payload

import (
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Form is how a version's value is written in the store. Its errors never carry
// a value.
type Form interface {
	// Encode gives what is stored for key, the value of version v. current is
	// what the store holds as the current version, zero if nothing: a form that
	// has more than the key in it keeps the rest.
	Encode(v secretstore.Version, key, current secret.Value) (secret.Value, error)
	// Decode finds the key in what is stored. What it cannot understand is
	// secretstore.ErrCorrupt.
	Decode(stored secret.Value) (secret.Value, error)
}

// Raw is the key and nothing else: what most applications read.
type Raw struct{}

// Encode implements [Form].
func (Raw) Encode(_ secretstore.Version, key, _ secret.Value) (secret.Value, error) { return key, nil }

// Decode implements [Form].
func (Raw) Decode(stored secret.Value) (secret.Value, error) { return stored, nil }
