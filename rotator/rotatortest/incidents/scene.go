package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A scene is a folder with a configuration, a sandbox that serves, and one target
// with a key.
type scene struct {
	dir     string
	env     []string
	sandbox *exec.Cmd
}

const settings = `workspaces:
  main:
    admin_key: {env: INSTANTLY_ADMIN_KEY}
    base_url: %s
stores:
  local: {kind: file, path: ./mnt/store}
keys:
  - name: sending
    scopes: [campaigns:read, leads:update]
    schedule: "@monthly"
    grace_period: 1h
    stores: [{store: local}]
`

func newScene(ctx context.Context, dir, bin string) (*scene, error) {
	s := &scene{dir: dir, env: append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "TERM=xterm")}
	if err := os.MkdirAll(filepath.Join(dir, "mnt"), 0o700); err != nil {
		return nil, err
	}
	url, err := s.serve(ctx, filepath.Join(bin, "instantly-rotator"))
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	s.env = append(s.env, "SANDBOX="+url)
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, settings, url), 0o600); err != nil {
		return nil, err
	}
	if output, err := s.shell(ctx, "instantly-rotator rotate --due"); err != nil {
		return nil, fmt.Errorf("the first key: %w\n%s", err, output)
	}
	return s, nil
}

// serve starts the sandbox and reads where it is and what its admin key is.
func (s *scene) serve(ctx context.Context, bin string) (url string, err error) {
	s.sandbox = exec.CommandContext(ctx, bin, "sandbox", "--listen", "127.0.0.1:0")
	said, err := s.sandbox.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := s.sandbox.Start(); err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		if key, ok := strings.CutPrefix(text, "export "); ok {
			s.env = append(s.env, key)
		}
		if _, at, ok := strings.Cut(text, "base_url: "); ok {
			return at, nil
		}
	}
	return "", errors.New("it does not say where it serves")
}

func (s *scene) close() {
	_ = s.sandbox.Process.Kill() // it keeps nothing
	_ = s.sandbox.Wait()
}

// shell runs a command that nobody watches.
func (s *scene) shell(ctx context.Context, command string) (output []byte, err error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd.CombinedOutput()
}

// atTerminal runs a command as a person does who types it.
func (s *scene) atTerminal(ctx context.Context, command string) (take, error) {
	cmd := exec.CommandContext(ctx, "script", "--quiet", "--flush", "--return", "--command", "stty cols 80; "+command, "/dev/null")
	cmd.Dir, cmd.Env = s.dir, s.env
	seen, err := cmd.StdoutPipe()
	if err != nil {
		return take{}, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return take{}, err
	}
	var t take
	lines := bufio.NewScanner(seen)
	lines.Split(terminalLines)
	for lines.Scan() {
		text := strings.TrimRight(control().ReplaceAllString(lines.Text(), ""), " ")
		if n := len(t.lines); text != "" && (n == 0 || t.lines[n-1].text != text) {
			t.lines = append(t.lines, line{time.Since(begun), text})
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		t.code = exit.ExitCode()
	} else if err != nil {
		return take{}, err
	}
	return t, lines.Err()
}

// terminalLines splits at line ends, and where a line is drawn anew.
func terminalLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// control matches the sequences that colour and move.
func control() *regexp.Regexp { return regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`) }
