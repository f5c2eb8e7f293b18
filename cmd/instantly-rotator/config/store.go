package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// Backend is what one kind of store needs to be opened. Its type says which
// kind it is: the kinds are the types of this package that implement it.
type Backend interface {
	// place names where secret is kept: two that are the same are one secret.
	place(secret string) string
	// refuse says why secret cannot be a name here; empty if it can.
	refuse(secret string) string
}

// A storeKind is one kind of store. A new one needs a file store_KIND.go with
// its form, its options and its Backend, and a line in storeKinds.
type storeKind struct {
	name    string
	form    func() storeKindForm
	options []Option
}

// A storeKindForm is one kind's settings as they are written.
type storeKindForm interface {
	form
	resolve(c *checker) Backend
}

func storeKinds() []storeKind { return []storeKind{fileKind(), awsKind(), gcpKind(), kubernetesKind()} }

// storeForm is one entry of stores, of any kind.
type storeForm struct {
	mark
	// settings are nil if the kind is not known.
	settings storeKindForm
}

// decode looks at the kind first, since it decides which fields there are.
func (f *storeForm) decode(d *decoder, n *yaml.Node, at mark) {
	f.place(at)
	if !d.isKind(n, yaml.MappingNode, at) {
		return
	}
	kind, where := kindField(n, at)
	if !where.written() {
		where.line, where.column = at.line, at.column
		d.fail(where, "known are "+strings.Join(kindNames(), ", "), "is missing")
		return
	}
	for _, k := range storeKinds() {
		if k.name == kind {
			f.settings = k.form()
			d.decode(n, reflect.ValueOf(f.settings), at.path, Option{})
			f.place(at)
			return
		}
	}
	d.unknownKind(where, kind)
}

// kindField finds the value of kind; its mark is not in the file if there is none.
func kindField(n *yaml.Node, at mark) (string, mark) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "kind" {
			v := n.Content[i+1]
			where := mark{line: v.Line, column: v.Column, path: join(at.path, "kind")}
			if v.Kind == yaml.AliasNode {
				v = v.Alias
			}
			return v.Value, where
		}
	}
	return "", mark{path: join(at.path, "kind")}
}

func (d *decoder) unknownKind(at mark, kind string) {
	hint := "known are " + strings.Join(kindNames(), ", ")
	if near, ok := Nearest(kind, kindNames()); ok {
		hint = fmt.Sprintf("did you mean %q? (%s)", near, hint)
	}
	d.fail(at, hint, "unknown kind of store %s", quote(kind))
}

func kindNames() []string {
	var out []string
	for _, k := range storeKinds() {
		out = append(out, k.name)
	}
	return out
}

// JSONSchema implements an interface of package jsonschema: one alternative for
// each kind.
func (storeForm) JSONSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{}
	for _, k := range storeKinds() {
		alternative := reflector().Reflect(k.form())
		alternative.Version = "" // it belongs at the top only
		if kind, ok := alternative.Properties.Get("kind"); ok {
			kind.Const = k.name
		}
		s.OneOf = append(s.OneOf, alternative)
	}
	return s
}
