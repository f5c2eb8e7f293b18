package config

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// What a kind of store that keeps values for applications to read has in common
// with others of its sort: the options payload and json.

// payloadOptions describes them for one kind.
func payloadOptions(in string) []Option {
	return []Option{
		{
			In: in, Name: "payload", Pattern: `^(raw|json)$`, Want: "want raw or json",
			Doc: "What is stored: raw, the key alone, which is what most applications read, or json, an object " +
				"with the key in it, whose other fields are kept. Left out, raw.",
			Examples: []string{"raw", "json"},
		},
		{
			In: in, Name: "json",
			Doc: "With payload: json, the text of each field. One is {key} alone; others may have {id}, {name}, {spec} (its scopes), " +
				"{account} (its organization) and {issued_at} in them. Left out, {api_key: \"{key}\"}.",
		},
	}
}

// template gives the fields of a JSON payload; nil for the key alone.
func (c *checker) template(kind text, json texts) map[string]string {
	if kind.v != "json" {
		if json.written() && (kind.ok || !kind.written()) {
			c.fail(json.mark, "add payload: json", "has no effect with payload: raw")
		}
		return nil
	}
	if len(json.v) == 0 {
		return payload.Default()
	}
	if _, err := payload.NewJSON(json.v); err != nil && !c.hasErrorWithin(json.path) {
		c.fail(json.mark, `write for example {api_key: "{key}"}`, "%s", unlessSecret(json.v, err))
	}
	return json.v
}

// unlessSecret keeps what might be a secret, pasted into a template, out of the
// message.
func unlessSecret(template map[string]string, err error) string {
	for field, text := range template {
		if looksSecret(field) || looksSecret(strings.Trim(text, "{}")) {
			return "not a template"
		}
	}
	return err.Error()
}

// payloadForm is a template as a form of package payload.
func payloadForm(template map[string]string) (payload.Form, error) {
	if template == nil {
		return payload.Raw{}, nil
	}
	return payload.NewJSON(template)
}
