package places_test

import (
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio/composiotest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

var binary = flag.String("places.binary", "", "the program, whose daemon is run; empty: the engine alone, in a process of the test's binary")

// daemon is the program's, configured to rotate the key in all five places.
func (at addresses) daemon(t *testing.T) *exec.Cmd {
	t.Helper()
	program, err := filepath.Abs(*binary)
	if err != nil {
		t.Fatal(err)
	}
	schedule := "@yearly"
	if at.Rotate {
		schedule = "@every 1s"
	}
	config := write(t, t.TempDir(), "config.yaml", fmt.Sprintf(`owner: places
resync: 1s
lease: 0s
workspaces:
  main: {admin_key: {env: PLACES_ADMIN_KEY}, base_url: %q, requests_per_second: 100}
stores:
  aws: {kind: aws, region: %s, endpoint: %q, create_missing: true}
  kubernetes: {kind: kubernetes, kubeconfig: %q, create_missing: true}
  vault: {kind: vault, address: %q, mount: %s, auth: {token_file: %q}}
sinks:
  composio: {kind: composio, api_key: {env: PLACES_COMPOSIO_KEY}, base_url: %q}
  github: {kind: github, token: {env: PLACES_GITHUB_TOKEN}, base_url: %q}
keys:
  - name: %s
    scopes: [campaigns:read]
    schedule: %q
    grace_period: %s
    max_age: 200d
    stores: [{store: aws}, {store: kubernetes}, {store: vault}]
    sinks: [{sink: composio, place: %s}, {sink: github, place: %s}]
`, at.Sandbox, awstest.Region, at.AWS, at.Kubeconfig, at.Vault, vaulttest.Mount, at.TokenFile, at.Composio, at.GitHub,
		target, schedule, grace, account, githubPlace))
	cmd := exec.Command(program, "--config", config, "daemon", "--listen", "")
	cmd.Env = append(cmd.Environ(), "PLACES_ADMIN_KEY="+at.AdminKey, "PLACES_COMPOSIO_KEY="+composiotest.Key, "PLACES_GITHUB_TOKEN="+githubtest.Token)
	return cmd
}
