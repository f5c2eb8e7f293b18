package config

import (
	"reflect"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// A texts is a YAML mapping from names of somebody else's choice to texts.
type texts struct {
	mark
	v map[string]string
}

func (m *texts) decode(d *decoder, n *yaml.Node, at mark) {
	m.place(at)
	if !d.isKind(n, yaml.MappingNode, at) {
		return
	}
	m.v = map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, content := n.Content[i], n.Content[i+1]
		here := mark{line: name.Line, column: name.Column, path: join(at.path, pathName(name.Value))}
		if name.Kind != yaml.ScalarNode {
			d.fail(here, "", "a name is wanted here, not %s", kindOf(name))
			continue
		}
		if _, twice := m.v[name.Value]; twice {
			d.fail(here, "take one of the two out", "is set twice")
		}
		var t text
		d.decode(content, reflect.ValueOf(&t), here.path, Option{})
		m.v[name.Value] = t.v
	}
}

// JSONSchema implements an interface of package jsonschema.
func (texts) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}}
}

// A textsOrWord is a list of texts or, if there is one, a word that stands for the
// empty list.
type textsOrWord struct {
	list[text]
	option storekind.Option
}

func (l *textsOrWord) decode(d *decoder, n *yaml.Node, at mark) {
	l.place(at)
	o := l.option
	switch {
	case o.Word != "" && n.Kind == yaml.ScalarNode && n.Value == o.Word:
	case o.Word != "" && n.Kind == yaml.ScalarNode:
		d.fail(at, o.Want, "bad %s %s", o.Name, quote(n.Value))
	case o.Word != "" && len(n.Content) == 0:
		d.fail(at, o.Want, "is empty")
	default:
		l.list.decode(d, n, at)
	}
}

// JSONSchema implements an interface of package jsonschema.
func (l *textsOrWord) JSONSchema() *jsonschema.Schema {
	texts := &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string", Pattern: l.option.Pattern}}
	if l.option.Word == "" {
		return texts
	}
	least := uint64(1)
	texts.MinItems = &least
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Const: l.option.Word}, texts}}
}
