package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// TestExamplesOfSinksLoad: the snippets of deploy/examples, with the line that they give
// for a target.
func TestExamplesOfSinksLoad(t *testing.T) {
	files, err := filepath.Glob("../../../deploy/examples/sink-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(`(?m)^#   (sinks: .*)$`).FindSubmatch(data)
		if line == nil {
			t.Errorf("%s has no line for a target", file)
			continue
		}
		text := string(data) + `
workspaces:
  main: {admin_key: {env: INSTANTLY_ADMIN_KEY}}
stores:
  local: {kind: file, path: /srv/store}
keys:
  - name: sending
    scopes: [campaigns:read]
    stores: [{store: local}]
    ` + string(line[1]) + "\n"
		cfg, warnings, err := config.Parse(file, []byte(text))
		if err != nil || len(warnings) > 0 || len(cfg.Keys[0].Sinks) != 1 {
			t.Errorf("%s: error: %v, warnings: %v", file, err, warnings)
		}
	}
}
