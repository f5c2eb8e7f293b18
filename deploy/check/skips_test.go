package check_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// teamFiles is what .ci/run wants of the team's folder beside a checkout.
var teamFiles = []string{
	"instantly-openapi.json", "instantly-scopes.txt", "aws-secretsmanager-recorded.json", "kubernetes-node/node",
}

// standIn is whatever .ci/run calls, all of it passing.
const standIn = `#!/bin/sh
case "$*" in
*OpenAPI*) echo "--- PASS: TestOne"; echo "--- PASS: TestTwo" ;;
*KilledAtRandom*) echo "x: 200 kills in 3s" ;;
*Recorded*) test -r "$AWS_SECRETSMANAGER_RECORDED" || echo "    x_test.go:1: NOT RUN: no recordings"; echo "ok  x" ;;
*TestSimulation*) echo "x: 10000 worlds (seeds 1 to 10000): no rule broken" ;;
esac
`

// A checkout is a folder with .ci/run, and stand-ins for what that calls: what is
// tested is what it skips, and whether a change lands all the same.
type checkout struct{ top string }

func newCheckout(t *testing.T, shared ...string) checkout {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("NOT CHECKED: what .ci/run skips, for want of bash")
	}
	c := checkout{t.TempDir()}
	text, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	// What it installs for itself is not there.
	c.write(t, "checkout/.ci/run", strings.ReplaceAll(string(text), `"$GOBIN/govulncheck"`, "true"))
	c.write(t, "checkout/README.md", "go test ./...\n")
	c.write(t, "bin/git", "#!/bin/sh\necho 7\n")
	for _, step := range []string{"deploy", "e2e", "lint", "readme", "receivers", "vault"} {
		c.write(t, "checkout/.ci/"+step, standIn)
	}
	for _, program := range []string{"go", "make", "moto_server"} {
		c.write(t, "bin/"+program, standIn)
	}
	for _, name := range shared {
		c.write(t, "shared/"+name, standIn)
	}
	return c
}

func (c checkout) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(c.top, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// ci gives what .ci/run says, and whether the change may land.
func (c checkout) ci(t *testing.T, env ...string) (said string, lands bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(c.top, "checkout/.ci/run"))
	cmd.Env = append([]string{"PATH=" + filepath.Join(c.top, "bin") + ":/usr/bin:/bin", "TMPDIR=" + t.TempDir()}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestAnOutsidersCheckoutPassesAndSaysWhatWasSkipped(t *testing.T) {
	c := newCheckout(t)
	if err := os.Remove(filepath.Join(c.top, "bin/moto_server")); err != nil {
		t.Fatal(err)
	}
	said, lands := c.ci(t)
	if !lands {
		t.Errorf("it does not pass:\n%s", said)
	}
	_, summary, _ := strings.Cut(said, "What was not checked here:")
	for _, want := range []string{"vendor's files", "INSTANTLY_OPENAPI", "claims", "moto_server", "NOT RUN: no recordings", "real Kubernetes"} {
		if !strings.Contains(summary, want) {
			t.Errorf("the end does not name %q:\n%s", want, said)
		}
	}
}

func TestTheTeamsCheckoutSkipsNothing(t *testing.T) {
	said, lands := newCheckout(t, teamFiles...).ci(t)
	if !lands || strings.Contains(said, "NOT ") {
		t.Errorf("lands %v:\n%s", lands, said)
	}
}

func TestTheTeamsCheckoutFailsWithoutAPartOfWhatItShares(t *testing.T) {
	for i, missing := range teamFiles {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			c := newCheckout(t, slices.Delete(slices.Clone(teamFiles), i, i+1)...)
			if said, lands := c.ci(t); lands || !strings.Contains(said, "FAILED") {
				t.Errorf("it lands:\n%s", said)
			}
		})
	}
	for _, env := range []string{"INSTANTLY_OPENAPI=/nowhere", "INSTANTLY_SCOPES=/nowhere", "AWS_SECRETSMANAGER_RECORDED=/nowhere", "KUBERNETES_NODE=/nowhere", "SKIPS=fail", "SKIPS=maybe"} {
		t.Run(env, func(t *testing.T) {
			t.Parallel()
			if said, lands := newCheckout(t).ci(t, env); lands {
				t.Errorf("it lands:\n%s", said)
			}
		})
	}
}
