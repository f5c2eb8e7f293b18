package main_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A typist sits at a terminal at which put asks for a value.
type typist struct {
	*testing.T
	person, program *os.File
	put             *exec.Cmd
	mu              sync.Mutex
	seen            bytes.Buffer
}

// Write takes what the terminal shows.
func (s *typist) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.Write(p)
}

func (s *typist) sees(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.seen.String(), text)
}

// echoes tells whether the terminal shows what is typed.
func (s *typist) echoes() bool {
	state, err := unix.IoctlGetTermios(int(s.program.Fd()), unix.TCGETS)
	if err != nil {
		s.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func (s *typist) until(what string, holds func() bool) {
	s.Helper()
	for end := time.Now().Add(waitLimit); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%s did not happen; the terminal shows %q", what, s.seen.String())
		}
	}
}

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
	person, program, err := openTerminal()
	if err != nil {
		t.Skip("no terminal here:", err)
	}
	s := &typist{T: t, person: person, program: program}
	t.Cleanup(func() { person.Close(); program.Close() })
	go func() { _, _ = io.Copy(s, person) }()
	s.put = exec.Command("instantly-rotator", "-c", config, "put", "--store", "local", "--secret", "admin")
	s.put.Stdin, s.put.Stdout, s.put.Stderr, s.put.SysProcAttr = program, program, program, childAttributes()
	if err := s.put.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.put.Process.Kill() })
	s.until("the question", func() bool { return s.sees("Value for store local, secret admin (it is not shown): ") && !s.echoes() })
	return s
}

func TestAValueThatIsTypedIsNotShown(t *testing.T) {
	s := asked(t)
	fmt.Fprint(s.person, "canary-5b1e\n")
	if err := s.put.Wait(); err != nil {
		t.Fatal(err)
	}
	s.until("the end", func() bool { return s.sees("the value is there") })
	if s.sees("canary") || !s.echoes() {
		t.Errorf("the terminal shows %q, and echoes: %v", s.seen.String(), s.echoes())
	}
}

func TestATerminalIsLeftAsItWasIfSomebodyThinksBetterOfIt(t *testing.T) {
	s := asked(t)
	if err := s.put.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = s.put.Wait()
	if code := s.put.ProcessState.ExitCode(); code != 130 || !s.echoes() {
		t.Errorf("exit code %d, the terminal echoes: %v", code, s.echoes())
	}
}
