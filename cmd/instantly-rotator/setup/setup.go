// Package setup makes a first configuration: it asks a person, or takes what the
// command line says, shows what can be found out meanwhile (the workspace, its keys,
// credentials of this machine that work), and writes a file that was not there.
//
// One place decides what is right: an answer is taken if package config accepts the
// file with it. No secret is in an answer, only the place where one is.
//
// In this package: setup.go (the answers), text.go (the file that they make),
// survey.go and ask_*.go (the questions), find.go (what is found), file.go (writing),
// demo.go (a sandbox with a configuration for it).
package setup

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Answers are what a first configuration says.
type Answers struct {
	Workspace Workspace
	Store     Store
	Keys      []Key
}

// Workspace is where keys are issued.
type Workspace struct {
	Name string
	// AdminKey says where the admin key is. Its Store is that of the answers, and
	// its File as it was typed: relative paths begin in the configuration's folder.
	AdminKey config.SecretRef
	// RotateAdminKey: the admin key, in the store, is a target too.
	RotateAdminKey bool
	// About is what is known of the workspace, for a comment; may be empty.
	About string
	// The rest is left out of the file where it is empty.
	OrganizationID, AsWorkspace, BaseURL string
	// Subs are sub workspaces in which the admin key may act, for comments.
	Subs []string
}

// Store is the one store of a first configuration.
type Store struct {
	Kind string
	// Settings in the order of the kind's options, those within a section named
	// assume_role.arn; their texts are read as the option's type.
	Settings []Setting
}

// Setting is one option of a store.
type Setting struct{ Name, Text string }

// Key is a target.
type Key struct {
	Name   string
	Scopes []string
	// Secret in the store; empty for the name.
	Secret string
	// Reason why critical scopes are wanted; empty if none are.
	Reason string
	// Grace period; empty for the default.
	Grace string
	// For says what the key is for, for a comment; may be empty.
	For string
}

// LocalKind is the store that needs no service.
const LocalKind = "file"

// Name of the store in the configuration.
func (s Store) Name() string {
	if s.Kind == LocalKind {
		return "local"
	}
	return s.Kind
}

// UseCase is one of those that the vendor's documents name, with its scopes.
type UseCase struct {
	Name   string
	Scopes []string
}

// UseCases lists them, the first being what is proposed.
func UseCases() []UseCase {
	return []UseCase{
		{"analytics", []string{"campaigns:read", "accounts:read"}},
		{"lead-import", []string{"leads:update"}},
		{"campaign-launcher", []string{"campaigns:all", "leads:all", "accounts:read"}},
		{"webhook-handler", []string{"leads:read"}},
	}
}

// useCase finds one by its name.
func useCase(name string) (UseCase, bool) {
	cases := UseCases()
	i := slices.IndexFunc(cases, func(u UseCase) bool { return u.Name == name })
	if i < 0 {
		return UseCase{}, false
	}
	return cases[i], true
}

// kindNamed finds a kind of store.
func kindNamed(name string) (storekind.Kind, bool) {
	kinds := primaries()
	i := slices.IndexFunc(kinds, func(k storekind.Kind) bool { return k.Name == name })
	if i < 0 {
		return storekind.Kind{}, false
	}
	return kinds[i], true
}

// primaries lists the kinds of stores that can be a target's first one.
func primaries() []storekind.Kind {
	return slices.DeleteFunc(all.Kinds(), func(k storekind.Kind) bool { return k.FollowerOnly != "" })
}

// KindNames lists the kinds of stores that can be a target's first one.
func KindNames() []string {
	var names []string
	for _, k := range primaries() {
		names = append(names, k.Name)
	}
	return names
}

// optionsOf lists the options of a kind of store; those within a section have its
// name before theirs.
func optionsOf(kind string) []storekind.Option {
	k, known := kindNamed(kind)
	if !known {
		return nil
	}
	var flat []storekind.Option
	for _, o := range k.Settings().Options() {
		within, isSection := o.Into.([]storekind.Option)
		if !isSection {
			flat = append(flat, o)
			continue
		}
		for _, in := range within {
			in.Name, in.Required = o.Name+"."+in.Name, false // required only where the section is written
			flat = append(flat, in)
		}
	}
	return flat
}

// OptionNames lists the options of a kind of store, or of all kinds if it is none.
func OptionNames(kind string) []string {
	kinds := []string{kind}
	if _, known := kindNamed(kind); !known {
		kinds = KindNames()
	}
	var names []string
	for _, k := range kinds {
		for _, o := range optionsOf(k) {
			names = append(names, o.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// placeholder stands for the keys until there are any, so that the rest can be checked.
func placeholder() Key { return Key{Name: "the-first-key", Scopes: []string{"campaigns:read"}} }

// Config reads the answers as the file called name, as every command will.
func (a Answers) Config(name string) (*config.Config, config.Warnings, error) {
	if len(a.Keys) == 0 {
		a.Keys = []Key{placeholder()}
	}
	text, err := a.Text()
	if err != nil {
		return nil, nil, err
	}
	return config.Parse(name, text)
}

// problem gives the first thing that is wrong with a part of the answers, the part
// being a path in the configuration; nil if there is none.
func (a Answers) problem(name, part string) error {
	_, _, err := a.Config(name)
	var problems config.Problems
	if !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Path, part) && p.Path != "" {
			continue
		}
		if p.Hint != "" {
			return fmt.Errorf("%s: %s", p.Message, p.Hint)
		}
		return errors.New(p.Message)
	}
	return nil
}
