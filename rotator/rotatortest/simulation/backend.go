package simulation

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Backend is one kind of store.
type Backend struct {
	Name string
	// Weight is how many of the stores are of this kind, in relation to the others.
	Weight int
	// Blind: there is nothing to compare and swap a reservation on, so that one on
	// a view that is out of date is noticed only afterwards, if its writer lives
	// to read again, if that is answered, and if the clocks agree. Else a key may be
	// rotated once more than needed.
	Blind bool
	// Fresh makes a secret that holds nothing yet; name tells it from the world's
	// others.
	Fresh func(t testing.TB, name string) Secret
}

// Secret is one secret, as rotators, consumers and people reach it.
type Secret struct {
	rotatortest.Secret
	// Put is what somebody does who knows nothing of the rotator: the value is
	// current at once. nil where people cannot.
	Put func(value string)
	// Wipe takes all marks away that a tool may not know. nil where there is no
	// such tool.
	Wipe func()
}

// Read gives what consumers read of a store without a better view from
// the outside.
func Read(t testing.TB, observer secretstore.Store) func() string {
	id, value := "", ""
	return func() string {
		snap, err := observer.Describe(t.Context())
		if err != nil {
			t.Fatalf("read a store: %v", err)
		}
		current, ok := snap.Versions[secretstore.Current]
		if !ok {
			return ""
		}
		if current.ID != id {
			read, err := observer.Read(t.Context(), current.ID)
			if err != nil {
				t.Fatalf("read version %s: %v", current.ID, err)
			}
			id, value = current.ID, read.Reveal()
		}
		return value
	}
}
