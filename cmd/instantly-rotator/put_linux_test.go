package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// asked starts put and waits for its question.
func asked(t *testing.T) *typist {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	err := os.WriteFile(config, []byte(`
workspaces: {main: {admin_key: {store: local, secret: admin}}}
stores: {local: {kind: file, path: ./store}}
keys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}]}]
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := typing(t, exec.Command("instantly-rotator", "-c", config, "put", "--store", "local", "--secret", "admin"))
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
