package storekind

import "context"

// Named is implemented by [Settings] of services that call a secret by a name of their own
// when they tell of it.
type Named interface {
	// IsSecret tells whether the service means the secret that the configuration names so. It
	// does not know which account the credentials are of.
	IsSecret(secret, called string) bool
}

// Rotated is implemented by stores whose service can begin a rotation by itself, and asks
// for each of its steps.
type Rotated interface {
	// Begun tells how far the rotation has come that the service called by that token.
	Begun(ctx context.Context, token string) (Progress, error)
}

// Progress is how far a rotation has come that a service began.
type Progress struct {
	// Secret is the service's full name for the secret.
	Secret string
	State  State
	// KeyID is its key's; empty if there is none.
	KeyID string
}

// State is what became of such a rotation.
type State int

// The states, in the order of a rotation.
const (
	// NeverBegun: the service does not know of such a rotation, or not any more.
	NeverBegun State = iota
	// Begun: there is no key for it yet.
	Begun
	// PutByOthers: something else than the rotator has put a value for it.
	PutByOthers
	// Staged: its key is pending.
	Staged
	// Promoted: its key is current.
	Promoted
	// Displaced: its key was current, another one is now.
	Displaced
)
