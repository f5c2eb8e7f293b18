package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds the work that aliases can multiply: a file of the greatest
// size, written out, has fewer values than this.
const maxNodes = 500_000

// A decoder fills forms from YAML nodes, strictly: every field must be known,
// be set once and have the right type. What is wrong is reported and left out.
type decoder struct {
	*report
	options map[string]Option
	nodes   int // seen so far
	// quiet: nothing that was written may be repeated in a message.
	quiet bool
}

func newDecoder(r *report) *decoder {
	d := &decoder{report: r, options: map[string]Option{}}
	for _, o := range Options() {
		d.options[o.Path()] = o
	}
	return d
}

// A leaf is an option that is written as one value.
type leaf interface {
	place(mark)
	// parse takes the value. Its error is shown to the user.
	parse(n *yaml.Node) error
}

// A branch is a part of the file that reads itself.
type branch interface {
	decode(d *decoder, n *yaml.Node, at mark)
}

// A form is a mapping with a fixed set of fields.
type form interface {
	place(mark)
	// section is the [Option.In] of its fields.
	section() string
}

// decodeRoot reads the whole file; false if there is too much of it.
func (d *decoder) decodeRoot(root *yaml.Node, f *fileForm) bool {
	d.decode(root, reflect.ValueOf(f), "", Option{})
	return d.nodes <= maxNodes
}

// decode reads a node into what target points to.
func (d *decoder) decode(n *yaml.Node, target reflect.Value, path string, opt Option) {
	at := mark{line: n.Line, column: n.Column, path: path}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.nodes++; d.nodes > maxNodes {
		if d.nodes == maxNodes+1 {
			d.fail(at, "", "aliases multiply the file beyond %d values", maxNodes)
		}
		return
	}
	switch t := target.Interface().(type) {
	case leaf:
		d.leaf(n, t, at, opt)
	case branch:
		t.decode(d, n, at)
	case form:
		d.form(n, t, at)
	default:
		panic(fmt.Sprintf("config: no way to decode into %T", t))
	}
}

// leaf reads one value and checks it against its option's bounds.
func (d *decoder) leaf(n *yaml.Node, l leaf, at mark, opt Option) {
	l.place(at)
	if n.ShortTag() == "!!null" {
		d.fail(at, "give it a value, or leave the line out", "is empty")
		return
	}
	if err := l.parse(n); err != nil {
		d.failErr(at, err)
		return
	}
	if err := opt.check(l); err != nil {
		if d.quiet {
			err = &hinted{"bad " + opt.Name, opt.Want}
		}
		d.failErr(at, err)
	}
}

// form reads a mapping, field by field.
func (d *decoder) form(n *yaml.Node, f form, at mark) {
	f.place(at)
	if !d.isKind(n, yaml.MappingNode, at) {
		return
	}
	fields := fieldsOf(f)
	nodes := d.valuesOf(n, at, names(fields))
	for _, field := range fields {
		path := join(at.path, field.name)
		opt := d.options[Option{In: field.section, Name: field.name}.Path()]
		if node, written := nodes[field.name]; written {
			d.decode(node, field.target, path, opt)
			continue
		}
		if _, instead := nodes[opt.Unless]; instead {
			opt.Required = false
		}
		if field.section == f.section() {
			d.absent(field.target, mark{line: at.line, column: at.column, path: path}, opt)
		}
	}
}

// absent deals with an option that is not in the file.
func (d *decoder) absent(target reflect.Value, at mark, opt Option) {
	if opt.Required {
		d.fail(at, opt.summary(), "is missing")
		return
	}
	switch t := target.Interface().(type) {
	case leaf:
		t.place(mark{path: at.path})
		if opt.Default != "" {
			setDefault(t, opt)
		}
	case *credentialForm:
		t.place(mark{path: at.path})
	case *settingsForm: // what it demands, it demands only where it is written
		t.place(mark{path: at.path})
	case form:
		t.place(mark{path: at.path})
		for _, field := range fieldsOf(t) {
			fieldOpt := d.options[Option{In: field.section, Name: field.name}.Path()]
			d.absent(field.target, at.below(field.name), fieldOpt)
		}
	}
}

// setDefault reads the option's default as if it had been written.
func setDefault(l leaf, opt Option) {
	var doc yaml.Node
	err := yaml.Unmarshal([]byte(opt.Default), &doc)
	if err == nil {
		err = l.parse(doc.Content[0])
	}
	if err != nil { // a mistake in the table, which a test finds
		panic(fmt.Sprintf("config: default of %s: %v", opt.Path(), err))
	}
}

// valuesOf gives a mapping's values by name, and reports names that are not known
// or come twice.
func (d *decoder) valuesOf(n *yaml.Node, at mark, known []string) map[string]*yaml.Node {
	nodes := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, node := n.Content[i], n.Content[i+1]
		here := mark{line: name.Line, column: name.Column, path: at.path}
		switch {
		case !slices.Contains(known, name.Value) || name.Kind != yaml.ScalarNode:
			d.unknown(here, name, known)
		case nodes[name.Value] != nil:
			here.path = join(at.path, name.Value)
			d.fail(here, "take one of the two out", "is set twice, first in line %d", nodes[name.Value].Line)
		default:
			nodes[name.Value] = node
		}
	}
	return nodes
}

// unknown reports a field's name that the form does not have.
func (d *decoder) unknown(at mark, name *yaml.Node, known []string) {
	hint := "known are " + strings.Join(known, ", ")
	switch near, ok := Nearest(name.Value, known); {
	case name.Kind != yaml.ScalarNode:
		d.fail(at, hint, "a name is wanted here, not %s", kindOf(name))
	case name.Tag == "!!merge":
		d.fail(at, "set what keys have in common under defaults", `merge keys ("<<") are not supported`)
	case d.quiet:
		d.fail(at, hint, "unknown field")
	case ok:
		d.fail(at, fmt.Sprintf("did you mean %q?", near), "unknown field %s", quote(name.Value))
	default:
		d.fail(at, hint, "unknown field %s", quote(name.Value))
	}
}

// isKind tells whether n is a list or mapping as wanted, and reports if not.
func (d *decoder) isKind(n *yaml.Node, want yaml.Kind, at mark) bool {
	if n.Kind == want {
		return true
	}
	wanted := "a mapping"
	if want == yaml.SequenceNode {
		wanted = "a list"
	}
	d.fail(at, "", "want %s, found %s", wanted, kindOf(n))
	return false
}

// kindOf says in plain words what a node is, without its value.
func kindOf(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!str":
		return "text"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "a date"
	case "!!seq":
		return "a list"
	case "!!map":
		return "a mapping"
	default:
		return "a YAML type of its own"
	}
}

// A field of a form.
type field struct {
	name    string
	section string        // of the form that declares it
	target  reflect.Value // pointer to it
}

// fieldsOf lists a form's fields, those of embedded forms included.
func fieldsOf(f form) []field {
	if listed, ok := f.(*settingsForm); ok {
		return listed.fields()
	}
	return collectFields(reflect.ValueOf(f).Elem())
}

func collectFields(v reflect.Value) []field {
	f, ok := reflect.New(v.Type()).Interface().(form)
	if !ok { // an embedded mark
		return nil
	}
	var fields []field
	for i := range v.NumField() {
		declared := v.Type().Field(i)
		if name := declared.Tag.Get("json"); name != "" {
			fields = append(fields, field{name, f.section(), v.Field(i).Addr()})
		} else if declared.Anonymous {
			fields = append(fields, collectFields(v.Field(i))...)
		}
	}
	return fields
}

func names(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}
