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
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A typist sits at a terminal at which a command asks.
type typist struct {
	*testing.T
	person, program *os.File
	command         *exec.Cmd
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

// typing starts a command at a terminal of its own.
func typing(t *testing.T, c *exec.Cmd) *typist {
	t.Helper()
	person, program, err := openTerminal()
	if err != nil {
		t.Skip("no terminal here:", err)
	}
	s := &typist{T: t, person: person, program: program, command: c}
	t.Cleanup(func() { person.Close(); program.Close() })
	go func() { _, _ = io.Copy(s, person) }()
	c.Stdin, c.Stdout, c.Stderr, c.SysProcAttr = program, program, program, childAttributes()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return s
}

// answers waits for a question and types an answer.
func (s *typist) answers(question, text string) {
	s.Helper()
	s.until("the question "+question, func() bool { return s.sees(question) })
	s.mu.Lock()
	s.seen.Reset() // what was asked before is not asked now
	s.mu.Unlock()
	fmt.Fprintln(s.person, text)
}

// Keys are made on somebody's account after a typed yes, and after nothing else.
func TestOnlyATypedYesIsOne(t *testing.T) {
	box := sandboxFor(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("workspaces: {main: {admin_key: {env: INSTANTLY_ADMIN_KEY}, base_url: %q}}\n"+
		"stores: {local: {kind: file, path: ./store}}\nkeys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}]}]\n", box.url)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{"", "y", "no", "yes"} {
		c := exec.Command("instantly-rotator", "-c", config, "doctor", "--probe")
		c.Env = append(os.Environ(), "INSTANTLY_ADMIN_KEY="+box.adminKey)
		s := typing(t, c)
		s.answers("Type yes: ", typed)
		_ = c.Wait()
		calls, err := box.calls()
		if err != nil {
			t.Fatal(err)
		}
		if made := calls["POST /api/v2/api-keys"] > 0; made != (typed == "yes") {
			t.Errorf("typed %q: keys were made: %t", typed, made)
		}
	}
}
