package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// What the sandbox can be told is all in its help, which fits a terminal.
func TestTheSandboxsHelpHasEveryFault(t *testing.T) {
	help := (&app{getenv: func(string) string { return "" }}).sandboxCommand().Long
	names := append(fieldsOf(t, sandbox.Faults{}), fieldsOf(t, sandbox.Rule{})...)
	for _, kind := range sandbox.Kinds() {
		names = append(names, string(kind))
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^  ([a-z_]+, )*` + name + `\b`).MatchString(help) {
			t.Errorf("sandbox --help does not say what %s is", name)
		}
	}
	for line := range strings.Lines(faultHelp()) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("wider than a terminal: %s", line)
		}
	}
}

func fieldsOf(t *testing.T, v json.Marshaler) []string {
	t.Helper()
	text, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	return names
}
