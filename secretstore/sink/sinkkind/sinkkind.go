// Package sinkkind says what a kind of sink is to whoever configures and opens sinks
// without knowing any kind by name, as package storekind does for stores. A kind exports
// one [Kind], which stands in the list of package all: its section of the configuration,
// the strict reading of it, its schema, its checks and the opening of its sinks follow.
//
//	sinks:
//	  composio: {kind: composio, api_key: {env: COMPOSIO_API_KEY}}
//	keys:
//	  - name: sending
//	    sinks: [{sink: composio, place: ca_1a2b3c}]
//
// A section says how a service is reached, a target's entry the place in it.
package sinkkind

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is one kind of sink.
type Kind struct {
	// Name is what the configuration calls it, in lower-case letters.
	Name string
	// Title says to people what it is, in a few words.
	Title string
	// Settings gives those of one section, with nothing set.
	Settings func() Settings
}

// Settings say how the places of one configured sink are reached.
type Settings interface {
	// Options lists what the configuration can set, in the order in which it is shown,
	// each bound to the field that it sets. The fields are set before any other method
	// is called.
	Options() []storekind.Option
	// Credentials lists the secrets that the sink itself needs. Each is an option of the
	// section besides, whose value says where the secret is, as admin_key does.
	Credentials() []Credential
	// Check reports what is wrong with the settings taken together, and completes them.
	// It is called once. Credentials are named as options are: c.Written("token").
	Check(c storekind.Checker)
	// Refuse says what a place must look like if this is none; empty if it is one.
	// A place that was left out is empty.
	Refuse(place string) string
	// Identity tells a place from all others of the kind, however it is written: two uses of
	// one have the same. The settings and the place passed the checks.
	Identity(place, target string) string
	// Open gives the sink of one place for one target. It calls no service. The settings
	// and the place passed the checks.
	Open(ctx context.Context, env *storekind.Environment, o Opening) (sink.Sink, error)
}

// Credential is a secret that a sink needs.
type Credential struct {
	// Name of the option in the section.
	Name string
	// Word is what it is in short, for messages: "key", "token".
	Word string
	// Doc says what it is for and what right it needs. Its first sentence stands by itself.
	Doc string
	// Required credentials must be written.
	Required bool
	// PEM: it is a key in PEM, which has many lines. Others have one.
	PEM bool
	// EnvExample and FileExample are examples of where it is.
	EnvExample, FileExample string
}

// Opening is what one sink is opened with.
type Opening struct {
	// Section is what the configuration calls the sink: its name under sinks.
	Section string
	// Place in it, as the target's entry has it; may be empty.
	Place string
	// Target is the name of the target that it is for.
	Target string
	// Credential reads a secret that the settings list, when it is needed: another one may
	// stand there by then. It gives the zero value for one that is not configured. It may
	// be called from any goroutine.
	Credential func(ctx context.Context, name string) (secret.Value, error)
	// Environ is the environment for programs, without any secret.
	Environ []string
}

// Now tells the time of an environment; it may have none.
func Now(env *storekind.Environment) func() time.Time {
	if env == nil || env.Now == nil {
		return time.Now
	}
	return env.Now
}

// maxName is the most bytes that a sink's name may have.
const maxName = 64

// Name makes a sink's name out of its kind or section and its place. One that would be
// too long ends in a hash of the whole: it must be the same for good, and nobody else's.
func Name(of, place string) string {
	name := of
	if place != "" {
		name += ":" + place
	}
	if len(name) <= maxName {
		return name
	}
	const digits = 12
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s~%s", name[:maxName-digits-1], hex.EncodeToString(sum[:])[:digits])
}
