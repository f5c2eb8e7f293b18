package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func TestAfterPromoteIsTakenAsWrittenAndInherited(t *testing.T) {
	got := parse(t, `
defaults:
  after_promote: [{restart: deployment/web, namespace: growth}, {command: [restart, --all]}, {url: "https://a.example/hook?token=x"}]
`+minimal+`
  - {name: alone, scopes: [campaigns:read], stores: [{store: local}], after_promote: []}
  - {name: other, scopes: [campaigns:read], stores: [{store: local}], after_promote: [{url: "http://127.0.0.1:1/"}]}
`)
	want := [][]config.AfterPromote{
		{{Restart: "deployment/web", Namespace: "growth"}, {Command: []string{"restart", "--all"}, Program: "restart"}, {URL: "https://a.example/hook?token=x"}},
		nil,
		{{URL: "http://127.0.0.1:1/"}},
	}
	for i, k := range got.Keys {
		if diff := cmp.Diff(want[i], k.AfterPromote); diff != "" {
			t.Errorf("key %s (-want +got):\n%s", k.Name, diff)
		}
	}
}

func TestProgramBesideTheConfigurationIsFound(t *testing.T) {
	got := parse(t, minimal+`    after_promote: [{command: [./restart]}]`).Keys[0].AfterPromote[0].Command[0]
	if !strings.HasPrefix(got, "/") || !strings.HasSuffix(got, "/restart") {
		t.Errorf("program %q", got)
	}
}

func TestAddressOfAHookIsNotRepeated(t *testing.T) {
	for _, address := range []string{"http://a.example/canary", "https://a.example/x?canary#canary", "://canary", "ftp://canary"} {
		_, _, err := config.Parse("c.yaml", []byte(minimal+`    after_promote: [{url: "`+address+`"}]`))
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
