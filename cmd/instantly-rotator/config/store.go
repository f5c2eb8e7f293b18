package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// storeForm is one entry of stores, of any kind.
type storeForm struct {
	mark
	kind storekind.Kind
	// settings are nil if the kind is not known; form is how they were written.
	settings storekind.Settings
	form     *settingsForm
}

// decode reads the kind first, since it decides which fields there are.
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
	for _, k := range all.Kinds() {
		if k.Name == kind {
			f.kind, f.settings = k, k.Settings()
			f.form = storeSection(k, f.settings)
			d.decode(n, reflect.ValueOf(f.form), at.path, Option{})
			f.place(at)
			return
		}
	}
	d.unknownKind(where, "store", kind, kindNames())
}

// storeSection is the section of a store whose settings take what is written.
func storeSection(k storekind.Kind, s storekind.Settings) *settingsForm {
	kind := storekind.Option{Name: "kind", Into: new(string), Required: true, Doc: "What kind of store it is."}
	return newSettingsForm("stores.*("+k.Name+")", append([]storekind.Option{kind}, s.Options()...))
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

// unknownKind reports a kind of a store, or a sink, that is none of those known.
func (d *decoder) unknownKind(at mark, of, kind string, known []string) {
	hint := "known are " + strings.Join(known, ", ")
	if near, ok := Nearest(kind, known); ok {
		hint = fmt.Sprintf("did you mean %q? (%s)", near, hint)
	}
	d.fail(at, hint, "unknown kind of %s %s", of, quote(kind))
}

func kindNames() []string {
	var out []string
	for _, k := range all.Kinds() {
		out = append(out, k.Name)
	}
	return out
}

// JSONSchema implements an interface of package jsonschema: one alternative for
// each kind.
func (storeForm) JSONSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{}
	for _, k := range all.Kinds() {
		alternative := storeSection(k, k.Settings()).JSONSchema()
		if kind, ok := alternative.Properties.Get("kind"); ok {
			kind.Const = k.Name
		}
		s.OneOf = append(s.OneOf, alternative)
	}
	return s
}

// store checks a store's settings.
func (c *checker) store(name string, f *storeForm) {
	if f.settings == nil {
		return // reported
	}
	f.form.set(c)
	f.settings.Check(settingsChecker{c, f.form})
	c.cfg.Stores[name] = Store{Name: name, Kind: f.kind.Name, Settings: f.settings}
}

// A settingsChecker is what a kind of store reports to.
type settingsChecker struct {
	c    *checker
	form *settingsForm
}

var _ storekind.Checker = settingsChecker{}

// Written implements [storekind.Checker].
func (s settingsChecker) Written(option string) bool {
	at, _ := s.form.find(option)
	return at.written()
}

// Failed implements [storekind.Checker].
func (s settingsChecker) Failed(option string) bool {
	at, _ := s.form.find(option)
	return s.c.hasErrorWithin(at.path)
}

// Fail implements [storekind.Checker].
func (s settingsChecker) Fail(option, hint, format string, args ...any) {
	at, section := s.form.find(option)
	if !at.written() {
		at.line, at.column = section.line, section.column
	}
	s.c.fail(at, hint, format, args...)
}

// Quote implements [storekind.Checker].
func (settingsChecker) Quote(text string) string { return quote(text) }

// LooksSecret implements [storekind.Checker].
func (settingsChecker) LooksSecret(text string) bool { return looksSecret(text) }
