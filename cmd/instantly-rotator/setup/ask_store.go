package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// What a person types for "leave it out".
const (
	nothing = "-"
	no      = "no"
)

// askStore finds the kind of store.
func (s *Survey) askStore(ctx context.Context) error {
	proposed := LocalKind
	if s.Person != nil && s.Given.Store == "" {
		for _, found := range s.surroundings() {
			s.Person.tell(fmt.Sprintf("Found here: %s: %s\n", found.Kind, comment(found.As)))
			proposed = found.Kind
		}
		s.Person.tell("Where are the keys to be kept?\n")
		for _, k := range primaries() {
			s.Person.tell(fmt.Sprintf("  %-12s%s\n", k.Name, k.Title))
		}
	}
	return s.put(ctx, question{
		flag: "--store", given: s.Given.Store, text: "Store", proposed: proposed,
		set: func(kind string) error {
			if _, known := kindNamed(kind); !known {
				return errors.New(notFirst(kind) + "want one of " + strings.Join(KindNames(), ", "))
			}
			s.answers.Store = Store{Kind: kind}
			return nil
		},
	})
}

// notFirst says why a kind of store cannot be the first; empty if it is none that there is.
func notFirst(kind string) string {
	for _, k := range all.Kinds() {
		if k.Name == kind && k.FollowerOnly != "" {
			return kind + " can only follow another store: " + k.FollowerOnly + "; "
		}
	}
	return ""
}

func (s *Survey) surroundings() []Surrounding {
	if s.Given.Offline || s.Surroundings == nil {
		return nil
	}
	return s.Surroundings()
}

// askSettings finds what the kind of store has to be told.
func (s *Survey) askSettings(ctx context.Context) error {
	given, err := pairs("--store-option", s.Given.Options)
	if err != nil {
		return err
	}
	if given, err = s.required(given); err != nil {
		return err
	}
	for _, o := range optionsOf(s.answers.Store.Kind) {
		text, isGiven := given[o.Name]
		delete(given, o.Name)
		if !isGiven && (s.Person == nil || !o.Required && !o.Asked) {
			continue
		}
		err := s.put(ctx, question{
			flag: "--store-option " + o.Name, given: text, text: o.Name + ": " + o.Doc,
			proposed: s.proposal(o),
			set:      func(text string) error { return s.setOption(o, text) },
		})
		if err != nil {
			return err
		}
	}
	for name := range given {
		return &FlagError{"--store-option", s.unknownOption(name)}
	}
	return nil
}

// required adds what can be proposed for required options, where nobody is asked, and
// names those that are missing.
func (s *Survey) required(given map[string]string) (map[string]string, error) {
	var missing []string
	for _, o := range optionsOf(s.answers.Store.Kind) {
		if _, isGiven := given[o.Name]; isGiven || !o.Required || s.Person != nil {
			continue
		}
		if len(o.Examples) > 0 {
			given[o.Name] = o.Examples[0]
			continue
		}
		missing = append(missing, "--store-option "+o.Name+"=…")
	}
	if len(missing) > 0 {
		return nil, &MissingError{missing}
	}
	return given, nil
}

// proposal is what Enter takes for an option of the store.
func (s *Survey) proposal(o storekind.Option) string {
	if s.Person == nil {
		return ""
	}
	for _, found := range s.surroundings() {
		if text := found.Settings[o.Name]; found.Kind == s.answers.Store.Kind && text != "" {
			return text
		}
	}
	if _, isFlag := o.Into.(*bool); isFlag {
		return no
	}
	if o.Required && len(o.Examples) > 0 {
		return o.Examples[0]
	}
	if !o.Required {
		return nothing
	}
	return ""
}

// setOption takes one option of the store.
func (s *Survey) setOption(o storekind.Option, text string) error {
	if s.Person != nil && !o.Required && (text == nothing || text == no) {
		return nil // left out, it means the same
	}
	next := s.answers
	next.Store.Settings = append(slices.Clone(next.Store.Settings), Setting{o.Name, text})
	section, _, _ := strings.Cut(o.Name, ".")
	return s.try(next, "stores."+next.Store.Name()+"."+section)
}

func (s *Survey) unknownOption(name string) error {
	known := OptionNames(s.answers.Store.Kind)
	if near, ok := config.Nearest(name, known); ok {
		return fmt.Errorf("a store of kind %s has no option %q; did you mean %q?", s.answers.Store.Kind, name, near)
	}
	return fmt.Errorf("a store of kind %s has no option %q: it has %s", s.answers.Store.Kind, name, strings.Join(known, ", "))
}

// pairs reads NAME=VALUE, each name once.
func pairs(flag string, given []string) (map[string]string, error) {
	read := map[string]string{}
	for _, text := range given {
		name, value, found := strings.Cut(text, "=")
		if _, twice := read[name]; twice {
			return nil, &FlagError{flag, fmt.Errorf("%q is given twice", name)}
		}
		if !found || name == "" || value == "" {
			return nil, &FlagError{flag, errors.New("want NAME=VALUE")}
		}
		read[name] = value
	}
	return read, nil
}
