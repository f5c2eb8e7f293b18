package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4) // so that the file must name its own draft
	if err := c.AddResource("config.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// schemaVerdict says what the schema makes of a file, in the words of the case
// files, with the reason.
func schemaVerdict(t *testing.T, schema *jsonschema.Schema, data []byte) (verdict string, reason error) {
	t.Helper()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var v, second any
	if err := dec.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		return "unreadable", err
	}
	if dec.Decode(&second) == nil {
		return "unreadable", nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		return "refuses", err
	}
	return "accepts", nil
}

func TestSchemaRefusesWhatIsStructurallyWrong(t *testing.T) {
	schema := compiledSchema(t)
	for _, c := range caseFiles(t, bad) {
		if got, reason := schemaVerdict(t, schema, c.data); got != c.schema {
			t.Errorf("%s: %s (%v), want: %s", c.name, got, reason, c.schema)
		}
	}
}

func TestSchemaAcceptsTheExample(t *testing.T) {
	schema := compiledSchema(t)
	plain, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"as it is": plain, "every option on": everyOption(t), "minimal": []byte(minimal)} {
		if got, reason := schemaVerdict(t, schema, data); got != "accepts" {
			t.Errorf("%s: %s: %v", name, got, reason)
		}
	}
}

func TestSchemaAcceptsDoubtfulFiles(t *testing.T) {
	schema := compiledSchema(t)
	for _, c := range caseFiles(t, doubtful) {
		if got, reason := schemaVerdict(t, schema, c.data); got != "accepts" {
			t.Errorf("%s: %s: %v", c.name, got, reason)
		}
	}
}

// properties gives every property of the schema by its option's path.
func properties(s map[string]any, path string, found map[string]map[string]any) {
	for name, p := range asMap(s["properties"]) {
		at := strings.TrimPrefix(path+"."+name, ".")
		found[at] = asMap(p)
		properties(asMap(p), at, found)
		properties(asMap(asMap(p)["items"]), at+"[]", found)
		names := asMap(asMap(p)["additionalProperties"])
		properties(names, at+".*", found)
		if kinds, ok := names["oneOf"].([]any); ok {
			for _, k := range kinds {
				kind := asMap(asMap(asMap(k)["properties"])["kind"])["const"]
				properties(asMap(k), at+".*("+kind.(string)+")", found)
			}
		}
	}
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func TestSchemaDescribesEveryOptionWithItsDefault(t *testing.T) {
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]any{}
	properties(root, "", found)
	for _, o := range config.Options() {
		p, ok := found[o.Path()]
		if !ok {
			t.Errorf("%s is not in the schema", o.Path())
		}
		if p["description"] != o.Doc {
			t.Errorf("%s: description %q", o.Path(), p["description"])
		}
		if o.Default != "" && !containsYAML([]any{p["default"]}, o.Default) {
			t.Errorf("%s: default %v, want %s", o.Path(), p["default"], o.Default)
		}
		delete(found, o.Path())
	}
	for path, p := range found {
		below, ok := strings.CutPrefix(path, "keys[].")
		if !ok {
			below, ok = strings.CutPrefix(path, "workspaces.*.admin_key.rotate.")
		}
		if !ok {
			below, ok = strings.CutPrefix(path, "webhook_secrets[].")
		}
		inherited := ok && strings.HasSuffix(p["description"].(string), "as in defaults.") && p["default"] == nil
		if list, _, within := strings.Cut(below, "[]."); within { // a part of what is inherited as a whole
			inherited = slices.ContainsFunc(config.Options(), func(o config.Option) bool {
				return o.Path() == "defaults."+list || o.Path() == "keys[].stores" && (list == "followers" || list == "stores")
			})
		}
		if !inherited {
			t.Errorf("%s is in the schema but neither in the table of options nor inherited", path)
		}
	}
}

func TestSchemaNamesItsDraft(t *testing.T) {
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"$schema": "https://json-schema.org/draft/2020-12/schema"`)) {
		t.Error("no draft 2020-12")
	}
}
