package check_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// needTool gives the path of helm, kustomize or promtool, which .ci/deploy builds.
// They are the programs that users have: what they render and accept is judged.
func needTool(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("DEPLOY_TOOLS")
	if folder == "" {
		t.Skipf("NOT CHECKED: DEPLOY_TOOLS names no folder with %s in it: run .ci/deploy", name)
	}
	path, err := filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// run gives what a program writes, and with an error what it complains of.
func run(t *testing.T, program string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	// No configuration, cache or cluster of whoever runs the tests.
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "KUBECONFIG="+os.DevNull)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	return out.String(), complaints.String(), err
}

// mustRun is run for what must succeed.
func mustRun(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, complaints, err := run(t, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), err, out, complaints)
	}
	return out
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
