package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// putAtTerminal starts put for a secret.
func putAtTerminal(t *testing.T, secret string) *typist {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config.yaml")
	err := os.WriteFile(config, []byte(`
workspaces: {main: {admin_key: {store: local, secret: admin}}}
stores: {local: {kind: file, path: ./store}}
sinks: {hub: {kind: github, app_id: "1", installation_id: "2", private_key: {store: local, secret: app}}}
keys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}], sinks: [{sink: hub, place: acme/web/KEY}]}]
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return typing(t, exec.Command("instantly-rotator", "-c", config, "put", "--store", "local", "--secret", secret))
}

// asked starts put and waits for its question.
func asked(t *testing.T) *typist {
	t.Helper()
	s := putAtTerminal(t, "admin")
	s.until("the question", func() bool { return s.sees("Value for store local, secret admin (it is not shown): ") && !s.echoes() })
	return s
}

func TestAValueThatIsTypedIsNotShown(t *testing.T) {
	s := asked(t)
	fmt.Fprint(s.person, "canary-5b1e\n")
	if err := s.command.Wait(); err != nil {
		t.Fatal(err)
	}
	s.until("the end", func() bool { return s.sees("the value is there") })
	if s.sees("canary") || !s.echoes() {
		t.Errorf("the terminal shows %q, and echoes: %v", s.seen.String(), s.echoes())
	}
}

func TestATerminalIsLeftAsItWasIfSomebodyThinksBetterOfIt(t *testing.T) {
	s := asked(t)
	if err := s.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = s.command.Wait()
	if code := s.command.ProcessState.ExitCode(); code != 130 || !s.echoes() {
		t.Errorf("exit code %d, the terminal echoes: %v", code, s.echoes())
	}
}

// TestAKeyOfManyLinesIsNotTyped: the shell would have those after the first.
func TestAKeyOfManyLinesIsNotTyped(t *testing.T) {
	s := putAtTerminal(t, "app")
	s.until("the refusal", func() bool {
		return s.sees("a key in PEM, which sink hub wants there, has many lines: give its file on standard input, with < FILE")
	})
	_ = s.command.Wait()
	if code := s.command.ProcessState.ExitCode(); code != 64 || s.sees("Value for") {
		t.Errorf("exit code %d, the terminal shows %q", code, s.seen.String())
	}
}
