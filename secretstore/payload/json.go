package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// JSON is an object with the key in one of its fields, and with what a template
// says in others. Fields that the template does not name are kept. See
// [NewJSON].
type JSON struct {
	template map[string]string
	keyField string
}

var _ Form = JSON{}

// keyHolder is the field's text that stands for the key itself.
const keyHolder = "{key}"

// Placeholders lists what a template's texts may have in them.
func Placeholders() []string {
	return []string{keyHolder, "{id}", "{name}", "{spec}", "{account}", "{issued_at}"}
}

// Default is the template that is used where none is given.
func Default() map[string]string { return map[string]string{"api_key": keyHolder} }

// NewJSON makes a form from a template: the text of each field, in which
// placeholders stand for facts about the key. Exactly one field is "{key}" and
// nothing else: applications, and the rotator itself, read the key there. Its
// errors are for people who write templates.
//
//	{key}        the key
//	{id}         its id at the issuer
//	{name}       its name there
//	{spec}       what it was issued for, see [secretstore.Spec]
//	{account}    the id of the account it was issued in
//	{issued_at}  when its rotation was started: 2026-11-21T03:00:00Z
func NewJSON(template map[string]string) (JSON, error) {
	if len(template) == 0 {
		template = Default()
	}
	j := JSON{template: maps.Clone(template)}
	for _, field := range slices.Sorted(maps.Keys(template)) {
		text := template[field]
		switch {
		case field == "":
			return JSON{}, errors.New("a field needs a name")
		case text == keyHolder && j.keyField != "":
			return JSON{}, fmt.Errorf("both %q and %q are %s: want it in one field", j.keyField, field, keyHolder)
		case text == keyHolder:
			j.keyField = field
		case strings.Contains(text, keyHolder):
			return JSON{}, fmt.Errorf("%q has %s amid other text: it must be a field of its own", field, keyHolder)
		}
		if unknown := unknownPlaceholder(text); unknown != "" {
			return JSON{}, fmt.Errorf("%q has the unknown placeholder %s: known are %s", field, unknown, strings.Join(Placeholders(), ", "))
		}
	}
	if j.keyField == "" {
		return JSON{}, fmt.Errorf("no field is %s", keyHolder)
	}
	return j, nil
}

func unknownPlaceholder(text string) string {
	for _, found := range regexp.MustCompile(`\{[^{}]*\}`).FindAllString(text, -1) {
		if !slices.Contains(Placeholders(), found) {
			return found
		}
	}
	return ""
}

// Encode implements [Form]. A current value that is no JSON object has nothing
// to be kept.
func (j JSON) Encode(v secretstore.Version, key, current secret.Value) (secret.Value, error) {
	object, ok := fieldsOf(current)
	if !ok {
		object = map[string]json.RawMessage{}
	}
	facts := strings.NewReplacer(
		"{id}", v.ID, "{name}", v.Name, "{spec}", string(v.Intent.Spec),
		"{account}", v.Account, "{issued_at}", v.Intent.At.UTC().Format(time.RFC3339),
	)
	for field, text := range j.template {
		if field == j.keyField {
			object[field] = quoted(key.Reveal())
		} else {
			object[field] = quoted(facts.Replace(text))
		}
	}
	return secret.New(string(marshal(object))), nil
}

// Decode implements [Form]. A value that is no JSON object is taken for the key
// itself: that is how it was written before the form was chosen. An object that
// has no key in it is secretstore.ErrNotFound.
func (j JSON) Decode(stored secret.Value) (secret.Value, error) {
	object, ok := fieldsOf(stored)
	if !ok {
		return stored, nil
	}
	raw, there := object[j.keyField]
	if !there || string(raw) == "null" {
		return secret.Value{}, fmt.Errorf("the stored JSON has no field %q: %w", j.keyField, secretstore.ErrNotFound)
	}
	var key string
	if json.Unmarshal(raw, &key) != nil {
		return secret.Value{}, fmt.Errorf("the stored JSON's field %q is no text: %w", j.keyField, secretstore.ErrCorrupt)
	}
	if key == "" {
		return secret.Value{}, fmt.Errorf("the stored JSON's field %q is empty: %w", j.keyField, secretstore.ErrNotFound)
	}
	return secret.New(key), nil
}

// fieldsOf takes an object apart; ok is false for what is none. What is wrong
// with it is not told: it might repeat a part of the value.
func fieldsOf(stored secret.Value) (fields map[string]json.RawMessage, ok bool) {
	err := json.Unmarshal([]byte(stored.Reveal()), &fields)
	return fields, err == nil && fields != nil
}

func quoted(text string) json.RawMessage { return bytes.TrimSpace(marshal(text)) }

// marshal leaves "<", ">" and "&" as they are. It cannot fail: it gets texts,
// and fields that were read from JSON.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSpace(b.Bytes())
}
