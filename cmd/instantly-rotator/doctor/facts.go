package doctor

import (
	"errors"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Facts are what was found out. A zero error says that it went well; what was not
// asked is [ErrNotAsked], and what has not come in time is [ErrNotAnswered].
type Facts struct {
	Now        time.Time
	Config     *config.Config
	Warnings   config.Warnings
	Workspaces []Workspace
	Secrets    []Secret
	Hooks      []Hook
	Sinks      []Sink
	Senders    []Sender
	// Trail is nil if none is configured.
	Trail     *Trail
	Receivers []Receiver
	Files     []File
	Clocks    []Clock
}

var (
	// ErrNotAsked: something that comes before it failed.
	ErrNotAsked = errors.New("not asked")
	// ErrNotAnswered: it has not come in time.
	ErrNotAnswered = errors.New("not answered in time; give it longer with --timeout")
)

// Workspace is what Instantly says.
type Workspace struct {
	config.Workspace
	// Owner that our keys are named with.
	Owner string
	// Opened is why the admin key cannot be had.
	Opened error
	// Listed is why the keys could not be listed; Keys are without their values.
	Listed error
	Keys   []instantly.Key
	// Organization that the admin key belongs to, by the key list or when asked.
	Organization string
	Organized    error
	MayDelete    error
	MayCreate    error
	// Scopes of the admin key, as the API attests them; Attested tells whether it did.
	Scopes   []string
	Attested bool
	Scoped   error
	Rate     instantly.RateLimit
}

// Role is what a secret is for.
type Role string

// The roles.
const (
	Target   Role = "target"    // of the rotator's own keys
	AdminKey Role = "admin key" // of a workspace
	Address  Role = "receiver's URL"
)

// Secret is what a store says of one secret.
type Secret struct {
	Ref  config.StoreRef
	Role Role
	// For is the target, workspace or receiver.
	For       string
	Workspace string // of the target
	Primary   bool   // the target's first store
	Kind      string

	Described error
	Snapshot  secretstore.Snapshot
	// Lost is why a store that holds nothing is not taken for a new one.
	Lost error
	// Read is why the current value could not be read.
	Read error
	// Tested is what Instantly says of a current value of unknown origin. Of others the
	// key list tells.
	Tested rotator.TestCall
	// Inspected is what a store found that inspects itself.
	Inspected error
	// Probed is why writing could not be asked about. Probes tells whether the store
	// is one that can be asked.
	Probed error
	Probes bool
	Writes secretstore.WriteProbe
}

// Hook is what brings consumers to a new key.
type Hook struct {
	Target string
	Name   string
	// Found is why it would fail.
	Found error
}

// Sink is a place that is given a target's key after the stores.
type Sink struct {
	Target, Name string
	// Asked is why it cannot be asked, or what is in the way of the next key.
	Asked error
	// Found is what was found there; empty if nothing can be known without a write.
	Found string
}

// Sender is a target whose secret webhooks send.
type Sender struct {
	Target, Workspace string
	// Replaced is why what they send cannot be replaced.
	Replaced error
}

// Trail is where it is recorded what is done.
type Trail struct {
	// Written is why it cannot be written.
	Written error
	// Warn: what cannot be recorded is done all the same.
	Warn bool
}

// Receiver is somebody who is told what happened.
type Receiver struct {
	Name string
	// URL is where its URL is.
	URL config.SecretRef
	// Found is why its URL cannot be had, or cannot be used.
	Found error
}

// File is one with a secret in it, outside of a store.
type File struct {
	Path, Of string
	// Mode is its permissions; Found is why they are not known.
	Mode  uint32
	Found error
}

// Clock is somebody else's.
type Clock struct {
	Of string
	// Ahead is by how much it is ahead of ours, about.
	Ahead time.Duration
}
