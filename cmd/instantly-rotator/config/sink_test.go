package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func TestSinksOfAKeyAreRead(t *testing.T) {
	cfg, warnings, err := config.Parse("/etc/rotator/c.yaml", []byte(`
workspaces:
  main: {admin_key: {env: INSTANTLY_ADMIN_KEY}}
stores:
  local: {kind: file, path: /srv/store}
sinks:
  composio: {kind: composio, api_key: {store: local, secret: composio}, check_tool: "off"}
  crm: {kind: program, command: [/usr/local/bin/put-key]}
keys:
  - name: sending
    scopes: [campaigns:read]
    stores: [{store: local}]
    sinks: [{sink: composio, place: ca_1}, {sink: crm}]
`))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("error: %v, warnings: %v", err, warnings)
	}
	if diff := cmp.Diff([]config.SinkRef{{Sink: "composio", Place: "ca_1"}, {Sink: "crm"}}, cfg.Keys[0].Sinks); diff != "" {
		t.Errorf("sinks of the key (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]config.SecretRef{"api_key": {Store: "local", Secret: "composio"}}, cfg.Sinks["composio"].Credentials); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	if got := cfg.Sinks["crm"]; got.Kind != "program" || len(got.Credentials) != 0 {
		t.Errorf("the program is %+v", got)
	}
}
