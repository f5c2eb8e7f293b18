package config

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// Schema gives the JSON Schema (draft 2020-12) of the file, for editors. It
// knows the file's structure; what needs more than one value at a time, such as
// references between sections, only [Parse] checks.
func Schema() ([]byte, error) {
	s := reflector().Reflect(&fileForm{})
	s.Title = "Configuration of instantly-rotator"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the configuration's schema: %w", err)
	}
	return append(out, '\n'), nil
}

// reflector writes one tree: the file is small and has no recursion.
func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{DoNotReference: true, Anonymous: true, RequiredFromJSONSchemaTags: true}
}

// describe puts the words and bounds of the table of options on the properties
// of one section.
func describe(s *jsonschema.Schema, section string) {
	for _, o := range Options() {
		property, ok := s.Properties.Get(o.Name)
		if !ok || o.In != section {
			continue
		}
		describeProperty(property, o)
		if o.Required && o.Unless == "" {
			s.Required = append(s.Required, o.Name)
		}
	}
}

func describeProperty(p *jsonschema.Schema, o Option) {
	p.Description = o.Doc
	p.Default = defaultValue(o)
	if o.Pattern != "" {
		p.Pattern = o.Pattern
	}
	if o.Max > 0 {
		p.Minimum, p.Maximum = jsonNumber(o.Min), jsonNumber(o.Max)
	}
	for _, e := range o.Examples {
		p.Examples = append(p.Examples, e)
	}
	if !o.Required || o.Unless != "" {
		return
	}
	atLeast := uint64(1)
	switch {
	case p.Type == "array":
		p.MinItems = &atLeast
	case p.Type == "object" && p.Properties == nil: // names of the user's choice
		p.MinProperties = &atLeast
		p.PropertyNames = &jsonschema.Schema{Pattern: namePattern}
	}
}

func jsonNumber(f float64) json.Number {
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// defaultValue gives the default as a value rather than as YAML; nil if none.
func defaultValue(o Option) any {
	if o.Default == "" {
		return nil
	}
	var v any
	if err := yaml.Unmarshal([]byte(o.Default), &v); err != nil { // a mistake in the table, which a test finds
		panic(fmt.Sprintf("config: default of %s: %v", o.Path(), err))
	}
	return v
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f keyForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describeRotation(s)
	describe(s, f.section())
	describeScopes(s)
}

// describeRotation puts the words of the options that are inherited on a section.
func describeRotation(s *jsonschema.Schema) {
	describe(s, rotationForm{}.section())
	for _, field := range fieldsOf(&rotationForm{}) {
		if p, ok := s.Properties.Get(field.name); ok {
			p.Default = nil // it is inherited
			p.Description += " If left out: as in defaults."
		}
	}
}

func describeScopes(s *jsonschema.Schema) {
	if p, ok := s.Properties.Get("scopes"); ok {
		p.UniqueItems = true
		p.Items.Pattern = scopePattern
		p.Items.Examples = []any{"campaigns:read", "leads:all"}
	}
}
