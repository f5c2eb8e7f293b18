package payload

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Settings are the options of a store whose values applications read: how a key is
// written there.
type Settings struct {
	// Kind is raw or json; empty for raw.
	Kind string
	// JSON is the template of a JSON payload; nil for the key alone.
	JSON map[string]string
}

// Options lists them, for the options of a kind of store.
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "payload", Into: &s.Kind, Pattern: `^(raw|json)$`, Want: "want raw or json",
			Doc: "What is stored: raw, the key alone, which is what most applications read, or json, an object " +
				"with the key in it, whose other fields are kept. Left out, raw.",
			Examples: []string{"raw", "json"},
		},
		{
			Name: "json", Into: &s.JSON,
			Doc: "With payload: json, the text of each field. One is {key} alone; others may have {id}, {name}, {spec} (its scopes), " +
				"{account} (its organization) and {issued_at} in them. Left out, {api_key: \"{key}\"}.",
		},
	}
}

// Check reports a template that is none, and settles for the default one.
func (s *Settings) Check(c storekind.Checker) {
	template := s.JSON
	switch {
	case s.Kind != "json":
		if s.JSON = nil; c.Written("json") && !c.Failed("payload") {
			c.Fail("json", "add payload: json", "has no effect with payload: raw")
		}
	case len(template) == 0:
		s.JSON = Default()
	default:
		if _, err := NewJSON(template); err != nil && !c.Failed("json") {
			c.Fail("json", `write for example {api_key: "{key}"}`, "%s", unlessSecret(c, template, err))
		}
	}
}

// unlessSecret keeps what might be a secret, pasted into a template, out of the
// message.
func unlessSecret(c storekind.Checker, template map[string]string, err error) string {
	for field, text := range template {
		if c.LooksSecret(field) || c.LooksSecret(strings.Trim(text, "{}")) {
			return "not a template"
		}
	}
	return err.Error()
}

// Form gives how keys are written. It fails for no settings that passed the check.
func (s *Settings) Form() (Form, error) {
	if s.JSON == nil {
		return Raw{}, nil
	}
	return NewJSON(s.JSON)
}
