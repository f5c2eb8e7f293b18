package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// A settingsForm is a section whose options a kind of store lists: that of a store,
// or one within it.
type settingsForm struct {
	mark
	in       string
	settings []setting
}

// A setting is one option, with what was written for it.
type setting struct {
	Option
	written writable
	// set hands the value over to the kind of store.
	set func(*checker)
}

// A writable is what an option of a kind of store is read into.
type writable interface {
	at() mark
	place(mark)
	JSONSchema() *jsonschema.Schema
}

// newSettingsForm binds the options of a kind of store.
func newSettingsForm(in string, options []storekind.Option) *settingsForm {
	f := &settingsForm{in: in}
	for _, o := range options {
		f.settings = append(f.settings, bind(in, o))
	}
	return f
}

func bind(in string, o storekind.Option) setting {
	s := setting{Option: Option{
		In: in, Name: o.Name, Default: o.Default, Required: o.Required, Doc: o.Doc,
		Pattern: o.Pattern, Want: o.Want, Min: o.Min, Max: o.Max, Examples: o.Examples,
	}}
	switch into := o.Into.(type) {
	case *string:
		t := &text{}
		s.written, s.set = t, func(c *checker) { *into = c.textOf(t, o) }
	case *bool:
		f := &flag{}
		s.written, s.set = f, func(*checker) { *into = f.v }
	case *int:
		n := &integer{}
		s.written, s.set = n, func(*checker) { *into = n.v }
	case *map[string]string:
		m := &texts{}
		s.written, s.set = m, func(*checker) { *into = m.v }
	case *[]string:
		l := &textsOrWord{option: o}
		s.written, s.set = l, func(c *checker) { *into = c.textsOf(l, o) }
	case []storekind.Option:
		f := newSettingsForm(s.Path(), into)
		s.written, s.set = f, f.set
	default: // a mistake in a backend, which a test finds
		panic(fmt.Sprintf("config: option %s cannot be read into %T", s.Path(), into))
	}
	return s
}

func (f *settingsForm) section() string { return f.in }

// fields are what the decoder fills.
func (f *settingsForm) fields() []field {
	var fields []field
	for _, s := range f.settings {
		fields = append(fields, field{s.Name, f.in, reflect.ValueOf(s.written)})
	}
	return fields
}

// options lists the section's options, and behind each those within it.
func (f *settingsForm) options() []Option {
	var options []Option
	for _, s := range f.settings {
		options = append(options, s.Option)
		switch within := s.written.(type) {
		case *settingsForm:
			options = append(options, within.options()...)
		case *credentialForm:
			options = append(options, within.within.options()...)
		}
	}
	return options
}

// set hands all values over.
func (f *settingsForm) set(c *checker) {
	for _, s := range f.settings {
		s.set(c)
	}
}

// find gives the place of an option, named as [storekind.Checker] has it. One that is not
// in the file has no line, but section has that of where it should be.
func (f *settingsForm) find(option string) (at, section mark) {
	name, within, _ := strings.Cut(option, ".")
	name, index, _ := strings.Cut(name, "[")
	for _, s := range f.settings {
		if s.Name != name {
			continue
		}
		at, section = s.written.at(), f.mark
		switch w := s.written.(type) {
		case *settingsForm:
			if within != "" && w.written() {
				at, section = w.find(within)
			}
		case *textsOrWord:
			if i, err := strconv.Atoi(strings.TrimSuffix(index, "]")); err == nil {
				at = w.Items[i].mark
			}
		}
		return at, section
	}
	panic(fmt.Sprintf("config: %s has no option %s", f.in, option))
}

// JSONSchema implements an interface of package jsonschema.
func (f *settingsForm) JSONSchema() *jsonschema.Schema {
	schema := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, s := range f.settings {
		property, o := s.written.JSONSchema(), s.Option
		if _, isList := s.written.(*textsOrWord); isList {
			o.Pattern = "" // it is that of the items
		}
		describeProperty(property, o)
		schema.Properties.Set(s.Name, property)
		if s.Required {
			schema.Required = append(schema.Required, s.Name)
		}
	}
	return schema
}

// textOf gives a text as the kind of store is to have it.
func (c *checker) textOf(t *text, o storekind.Option) string {
	switch {
	case o.Path:
		return c.path(*t)
	case o.URL && t.ok:
		address := strings.TrimRight(t.v, "/")
		c.address(t.mark, address, o.Want)
		return address
	default:
		return t.v
	}
}

// textsOf gives the texts of a list.
func (c *checker) textsOf(l *textsOrWord, o storekind.Option) []string {
	var out []string
	for _, t := range l.Items {
		if t.ok && o.Pattern != "" && !pattern(o.Pattern).MatchString(t.v) {
			c.fail(t.mark, o.Want, "bad %s %s", o.Name, quote(t.v))
		}
		out = append(out, t.v)
	}
	return out
}
