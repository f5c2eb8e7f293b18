package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// A value is one option as it was read.
type value[T any] struct {
	mark
	v T
	// ok: there is a value, written or by default, and it is well formed.
	ok bool
}

// A text is a string.
type text struct{ value[string] }

// A duration is a length of time.
type duration struct{ value[time.Duration] }

// A number may have a fraction.
type number struct{ value[float64] }

// An integer has none.
type integer struct{ value[int] }

// A flag is true or false.
type flag struct{ value[bool] }

func (t *text) parse(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return wrongType("text", n)
	}
	t.v, t.ok = n.Value, true
	return nil
}

func (t *duration) parse(n *yaml.Node) (err error) {
	if n.Kind != yaml.ScalarNode {
		return wrongType("a duration such as 24h", n)
	}
	t.v, err = ParseDuration(n.Value)
	if err == nil && n.ShortTag() != "!!str" { // 0 is a number
		err = wrongType("a duration such as 24h", n)
	}
	t.ok = err == nil
	return err
}

func (t *number) parse(n *yaml.Node) error {
	if tag := n.ShortTag(); tag != "!!float" && tag != "!!int" || n.Decode(&t.v) != nil {
		return wrongType("a number", n)
	}
	t.ok = true
	return nil
}

func (t *integer) parse(n *yaml.Node) error {
	if n.ShortTag() != "!!int" || n.Decode(&t.v) != nil {
		return wrongType("a whole number", n)
	}
	t.ok = true
	return nil
}

func (t *flag) parse(n *yaml.Node) error {
	if n.ShortTag() != "!!bool" || n.Decode(&t.v) != nil {
		return wrongType("true or false", n)
	}
	t.ok = true
	return nil
}

func wrongType(want string, n *yaml.Node) error {
	err := &hinted{message: fmt.Sprintf("want %s, found %s", want, kindOf(n))}
	switch {
	case want == "text" && n.Kind == yaml.ScalarNode:
		err.hint = "put it in quotes"
	case n.ShortTag() == "!!str":
		err.hint = "take the quotes off, if there are any"
	}
	return err
}

// check compares a value with the option's bounds.
func (o Option) check(l leaf) error {
	switch l := l.(type) {
	case *text:
		if o.Pattern != "" && !pattern(o.Pattern).MatchString(l.v) {
			l.ok = false
			return &hinted{fmt.Sprintf("bad %s %s", o.Name, quote(l.v)), o.Want}
		}
	case *number:
		// The negation is true for "not a number" too.
		if !(l.v >= o.Min && l.v <= o.Max) {
			l.ok = false
			return &hinted{fmt.Sprintf("%v is out of range", l.v), o.Want}
		}
	case *integer:
		if float64(l.v) < o.Min || float64(l.v) > o.Max {
			l.ok = false
			return &hinted{fmt.Sprintf("%d is out of range", l.v), o.Want}
		}
	}
	return nil
}

// A hinted error keeps what is wrong apart from what to write instead.
type hinted struct{ message, hint string }

// Error gives both.
func (h *hinted) Error() string { return h.message + ": " + h.hint }

// failErr adds an error with its hint.
func (r *report) failErr(at mark, err error) {
	var h *hinted
	if errors.As(err, &h) {
		r.fail(at, h.hint, "%s", h.message)
		return
	}
	r.fail(at, "", "%s", err)
}

// JSONSchema implements an interface of package jsonschema.
func (text) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }

// JSONSchema implements an interface of package jsonschema.
func (duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: durationPattern}
}

// JSONSchema implements an interface of package jsonschema.
func (number) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "number"} }

// JSONSchema implements an interface of package jsonschema.
func (integer) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer"} }

// JSONSchema implements an interface of package jsonschema.
func (flag) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "boolean"} }
