package config

import (
	"reflect"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
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
