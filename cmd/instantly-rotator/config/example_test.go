package config_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

const example = "../../../config.example.yaml"

// withOptionsOn takes the "#" off the example's options that are off.
func withOptionsOn(data []byte) []byte {
	return regexp.MustCompile(`(?m)^( *)#([^ \n])`).ReplaceAll(data, []byte("$1$2"))
}

func TestExampleLoadsWithoutWarnings(t *testing.T) {
	_, warnings, err := config.Load(example)
	if err != nil || len(warnings) > 0 {
		t.Errorf("error: %v, warnings: %v", err, warnings)
	}
}

func TestExampleLoadsWithEveryOptionOn(t *testing.T) {
	_, warnings, err := config.Parse("c.yaml", everyOption(t))
	if err != nil || len(warnings) > 0 {
		t.Errorf("error: %v, warnings: %v", err, warnings)
	}
}

// valuesAt gives what an option's path means in a document: "*" is any name,
// "*(kind)" any of that kind, "[]" any item.
func valuesAt(doc any, path []string) []any {
	if len(path) == 0 {
		return []any{doc}
	}
	step, kind, _ := strings.Cut(strings.TrimSuffix(path[0], ")"), "(")
	step, isList := strings.CutSuffix(step, "[]")
	m, ok := doc.(map[string]any)
	if !ok {
		return nil
	}
	var found []any
	for name, value := range m {
		if step != "*" && step != name {
			continue
		}
		if entry, _ := value.(map[string]any); kind != "" && entry["kind"] != kind {
			continue
		}
		if items, ok := value.([]any); ok && isList {
			for _, item := range items {
				found = append(found, valuesAt(item, path[1:])...)
			}
			continue
		}
		found = append(found, valuesAt(value, path[1:])...)
	}
	return found
}

// TestExampleHasEachOptionWithItsDefault: of the kinds of stores that it shows. The
// schema has all of them.
func TestExampleHasEachOptionWithItsDefault(t *testing.T) {
	plain, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range config.Options() {
		if strings.HasPrefix(o.In, "sinks.*(") && strings.Contains(o.In, ").") {
			continue // a sink's credential is written as the admin key is
		}
		text := plain
		if isOff := o.In == "trail" || strings.HasPrefix(o.In, "webhook_secrets") || strings.HasPrefix(o.In, "notify.") || strings.HasPrefix(o.In, "defaults.after_promote") || strings.HasPrefix(o.In, "sinks.*(") || strings.HasPrefix(o.In, "stores.*(") && o.In != "stores.*(file)"; o.Default == "" || isOff {
			text = withOptionsOn(plain)
		}
		var doc any
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if section, _, _ := strings.Cut(o.Path(), ")."); strings.HasPrefix(section, "stores.*(") && len(valuesAt(doc, strings.Split(section, "."))) == 0 {
			continue
		}
		found := valuesAt(doc, strings.Split(o.Path(), "."))
		if len(found) == 0 {
			t.Errorf("%s is not in the example", o.Path())
		}
		if o.Default != "" && o.Default != "{}" && !containsYAML(found, o.Default) {
			t.Errorf("%s is in the example with %v, not with its default %s", o.Path(), found, o.Default)
		}
	}
}

func TestExampleShowsEveryService(t *testing.T) {
	var doc any
	if err := yaml.Unmarshal(everyOption(t), &doc); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"file", "aws", "gcp", "kubernetes", "vault"} {
		if len(valuesAt(doc, []string{"stores", "*(" + kind + ")"})) == 0 {
			t.Errorf("there is no store of kind %s in the example", kind)
		}
	}
}

func containsYAML(values []any, want string) bool {
	for _, v := range values {
		a, errA := yaml.Marshal(v)
		var w any
		errW := yaml.Unmarshal([]byte(want), &w)
		b, errB := yaml.Marshal(w)
		if errA == nil && errW == nil && errB == nil && string(a) == string(b) {
			return true
		}
	}
	return false
}

func TestExampleTellsEditorsOfTheSchema(t *testing.T) {
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(data), "# yaml-language-server: $schema=") {
		t.Error("the first line does not name the schema")
	}
}
