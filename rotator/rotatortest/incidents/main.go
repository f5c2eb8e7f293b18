// Command incidents records what a person sees in four incidents, typed at a
// terminal of 80 columns against the sandbox, and how long it takes until it is said
// what is going on and what to do:
//
//	go run ./rotator/rotatortest/incidents
//
// It prints the recording in Markdown, and fails if an exit code is not that of the
// table in the README. The terminal is made by script(1) of util-linux.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := record(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "incidents:", err)
		os.Exit(1)
	}
}

// The goals, in time since the command was typed.
const (
	knownWithin = 2 * time.Second
	todoWithin  = 5 * time.Second
)

// record goes through all incidents, each in a scene of its own.
func record(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "incidents")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "bin")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(bin, "instantly-rotator"), "./cmd/instantly-rotator")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the binary: %w", err)
	}
	var failed error
	var rows []string
	for i, in := range incidents() {
		s, err := newScene(ctx, filepath.Join(dir, strconv.Itoa(i)), bin)
		if err != nil {
			return fmt.Errorf("%s: %w", in.title, err)
		}
		row, err := in.play(ctx, s, out)
		s.close()
		rows = append(rows, row)
		failed = errors.Join(failed, err)
	}
	fmt.Fprintf(out, "## Summary\n\n| incident | typed | says what is going on (goal ≤ %s) | says what to do (goal ≤ %s) | exit code |\n| --- | --- | --- | --- | --- |\n%s",
		knownWithin, todoWithin, strings.Join(rows, ""))
	return failed
}

// A take is what came of a typed command.
type take struct {
	lines []line
	code  int
}

// A line is one that the terminal showed, and when.
type line struct {
	at   time.Duration
	text string
}

// first gives when a line first matched.
func (t take) first(want *regexp.Regexp) (time.Duration, bool) {
	for _, l := range t.lines {
		if want.MatchString(l.text) {
			return l.at, true
		}
	}
	return 0, false
}

// play makes the incident happen, types the command and writes the recording down.
func (in incident) play(ctx context.Context, s *scene, out io.Writer) (row string, err error) {
	fmt.Fprintf(out, "## %s\n\n%s\n\n", in.title, in.situation)
	for _, command := range in.before {
		if output, err := s.shell(ctx, command); err != nil {
			return "", fmt.Errorf("%s: %s: %w\n%s", in.title, command, err, output)
		}
	}
	got, err := s.atTerminal(ctx, in.typed)
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", in.title, in.typed, err)
	}
	fmt.Fprintf(out, "```\n        $ %s\n", in.typed)
	for _, l := range got.lines {
		fmt.Fprintf(out, "%6.1fs %s\n", l.at.Seconds(), l.text)
	}
	fmt.Fprintf(out, "        exit code %d\n```\n\n", got.code)
	row = fmt.Sprintf("| %s | `%s` | %s | %s | %d |\n", in.title, in.typed, got.when(in.known, knownWithin), got.when(in.todo, todoWithin), got.code)
	if got.code != in.code {
		err = fmt.Errorf("%s: %s ended with code %d, want %d", in.title, in.typed, got.code, in.code)
	}
	return row, err
}

// when says when a line first matched, and whether that was too late.
func (t take) when(want *regexp.Regexp, within time.Duration) string {
	at, ok := t.first(want)
	switch {
	case !ok:
		return "**never**"
	case at > within:
		return fmt.Sprintf("**%.1f s**", at.Seconds())
	default:
		return fmt.Sprintf("%.1f s", at.Seconds())
	}
}
