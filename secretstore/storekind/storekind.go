// Package storekind says what a kind of store is to whoever configures and opens
// stores without knowing any kind by name. A backend exports one [Kind], which
// stands in the list of package all: its section of the configuration, the strict
// reading of it, its schema, its checks and the opening of its stores follow.
package storekind

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Kind is one kind of store.
type Kind struct {
	// Name is what the configuration calls it, in lower-case letters.
	Name string
	// Title says to people what it is, in a few words.
	Title string
	// Settings gives those of one store, with nothing set.
	Settings func() Settings
	// FollowerOnly says why a store of this kind may not be a target's primary, which keeps
	// the notes and decides; empty if it may.
	FollowerOnly string
	// Discover tells what the surroundings of this process have for it: credentials that
	// the service accepts now. It calls the service and changes nothing. Nil: there is
	// nothing to find.
	Discover func(ctx context.Context) (Discovery, error)
}

// Discovery is what works here for a kind of store.
type Discovery struct {
	// As says as whom the service is called, and where.
	As string
	// Settings that go with it, by the names of options.
	Settings map[string]string
}

// Settings say where and how one configured store keeps its secrets.
type Settings interface {
	// Options lists what the configuration can set, in the order in which it is
	// shown, each bound to the field that it sets. The fields are set before any
	// other method is called.
	Options() []Option
	// Check reports what is wrong with the settings taken together, and completes
	// them. It is called once. What an option demands of its own value is checked
	// already; where that failed, the value is still set.
	Check(c Checker)
	// Refuse says what the name of a secret must look like if this is none; empty
	// if it is one.
	Refuse(secret string) string
	// Place names where a secret is kept: two of this kind that are the same are
	// one secret.
	Place(secret string) string
	// Open gives the store of one secret. It calls no service: what is wrong with
	// the secret, Describe finds out. The settings passed the checks.
	Open(ctx context.Context, env *Environment, secret string) (secretstore.Store, error)
}

// ByHand is what [Settings] have of a kind whose service has a tool of its own for
// people who put a value into a secret.
type ByHand interface {
	// PutCommand is what a person types, with the value on standard input.
	PutCommand(secret string) string
}

// Option is one option of a store in the configuration.
type Option struct {
	// Name of the option in its section.
	Name string
	// Into is where the value goes: a *string, *bool, *int, *[]string,
	// *map[string]string, or []Option for a section within the section, whose
	// required options are so only where that section is written.
	Into any
	// Doc says what the option is for and why its default is what it is. Its first
	// sentence stands by itself.
	Doc string
	// Default as YAML; empty if there is none.
	Default string
	// Required options must be written.
	Required bool
	// Asked: whoever sets up a store is asked for it, although it may be left out.
	Asked bool

	// Pattern is what a text, and each text of a list, must match, if not empty.
	// Want says it in words, as it does for Min and Max of a number.
	Pattern, Want string
	Min, Max      float64
	// Word may be written in place of a list, and means the empty one.
	Word string
	// Path: it is the path of a file or folder. It is made absolute; relative ones
	// begin in the configuration's folder.
	Path bool
	// URL: it is the address of a web server to which secrets may be sent, https
	// unless it is on this machine. A slash at the end is taken off. Want has an
	// example.
	URL bool
	// Examples of values, as text.
	Examples []string
}

// Checker takes what [Settings.Check] finds. Options are named as they stand in
// the section: "region", "assume_role.arn", "recipients[2]".
type Checker interface {
	// Written tells whether an option is in the file.
	Written(option string) bool
	// Failed tells whether something is wrong with an option already.
	Failed(option string) bool
	// Fail reports what is wrong with an option, and what to write instead. The
	// message repeats what was written by means of Quote, if at all.
	Fail(option, hint, format string, args ...any)
	// Quote repeats a text unless it may be a secret that was pasted.
	Quote(text string) string
	// LooksSecret tells whether a text may be a secret that was pasted.
	LooksSecret(text string) bool
}
