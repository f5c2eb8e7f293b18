package config_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// A key of Instantly's as public notes show it: base64 of id and random bytes.
const canary = "MDE5MWY0YzItN2FiYy03ZGVmOmNhbmFyeWNhbmFyeQ=="

// TestSecretPastedAnywhereIsNotRepeated puts the canary in the place of each
// name and each value of the example, one at a time.
func TestSecretPastedAnywhereIsNotRepeated(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal(everyOption(t), &doc); err != nil {
		t.Fatal(err)
	}
	tried := 0
	eachNode(&doc, func(n *yaml.Node) {
		was := *n
		*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: canary}
		wantNoCanary(t, &doc)
		*n = was
		tried++
	})
	if tried < 80 {
		t.Errorf("only %d places tried", tried)
	}
}

func eachNode(n *yaml.Node, visit func(*yaml.Node)) {
	for _, child := range n.Content {
		visit(child)
		eachNode(child, visit)
	}
}

func wantNoCanary(t *testing.T, doc *yaml.Node) {
	t.Helper()
	data, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, warnings, err := config.Parse("c.yaml", data)
	if err != nil && strings.Contains(err.Error(), canary) {
		t.Errorf("error repeats a secret: %v", err)
	}
	if strings.Contains(warnings.String(), canary) {
		t.Errorf("warning repeats a secret: %v", warnings)
	}
}

// A secret of a form that nobody can recognise is still not repeated where an
// admin key is expected.
func TestNothingAtTheAdminKeyIsRepeated(t *testing.T) {
	for _, written := range []string{
		"hunter2", "'hunter2'", "[hunter2]", "{hunter2: }", "{hunter2}", "{env: hunter2 }x", "{env: [hunter2]}", "{env: hunter2!}",
		"{env: {a: hunter2}}", "{value: hunter2}", "{env: A, hunter2: b}", "*hunter2", "&hunter2", "!hunter2 x", "{env: 'hunter2", "{? hunter2}",
		"{<<: hunter2}", "|\n      hunter2", "{env: A, env: hunter2}",
		"{store: hunter2, secret: a}", "{store: local, secret: hunter2/}", "{file: ~hunter2}", "{file: A, secret: hunter2}",
	} {
		text := strings.Replace(minimal, "{env: INSTANTLY_ADMIN_KEY}", written, 1)
		_, _, err := config.Parse("c.yaml", []byte(text))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("admin_key: %s: got %v", written, err)
		}
	}
}

func everyOption(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	both := withOptionsOn(data)
	const folder = "  dir: /var/lib/instantly-rotator/trail\n" // the trail's ConfigMap stands instead of it
	if !bytes.Contains(both, []byte(folder)) {
		t.Fatalf("the example has no %q", folder)
	}
	return bytes.Replace(both, []byte(folder), nil, 1)
}
