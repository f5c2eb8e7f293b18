// Package childprocess runs programs of whoever runs the rotator: one that takes a key to a
// place, or tells whether consumers have moved.
package childprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
	"unicode"
)

// TempFail is the exit code EX_TEMPFAIL of sysexits.h: not yet, ask again.
const TempFail = 75

// End is how long a program that was told to end may take to, and how long what one has started
// is waited for, if that has its output open.
const End = 5 * time.Second

// ErrEnded: it did not end by itself in its time.
var ErrEnded = errors.New("it was ended before it did by itself")

// Command is one run of a program, without a shell.
type Command struct {
	// Args begin with the program. Env is all of its environment.
	Args, Env []string
	// Input is its standard input; nil for none.
	Input io.Reader
	// Timeout is how long it may run.
	Timeout time.Duration
}

// Said is what a program wrote.
type Said struct {
	// Output is the end of its standard output.
	Output string
	// Line is the last line of its standard error, fit to be shown: printable, and cut short.
	Line string
}

// Run runs it. The error is nil if its exit code is 0, [ErrEnded] with the reason if its time, or
// ctx, was over, an [exec.ExitError] for another exit code, and else why it cannot be run. What
// it has started is ended with it, but may go on after it has ended well.
func (c Command) Run(ctx context.Context) (Said, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("it has %s: %w", c.Timeout, context.DeadlineExceeded))
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...) //nolint:gosec // the configuration names it
	var wrote, said tail
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, c.Input, &wrote, &said
	cmd.WaitDelay = End
	ofItsOwnGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		killGroup(cmd) // whom it has started
	}
	switch {
	case errors.Is(err, exec.ErrWaitDelay): // it ended well, and what it has started goes on
		err = nil
	case err != nil && ctx.Err() != nil:
		err = fmt.Errorf("%w: %w", ErrEnded, context.Cause(ctx))
	}
	return Said{string(wrote.kept), said.last()}, err
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - most; over > 0 {
		t.kept = bytes.Clone(t.kept[over:])
	}
	return len(p), nil
}

func (t *tail) last() string {
	const most = 200
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	line := strings.Join(strings.FieldsFunc(lines[len(lines)-1], func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}), " ")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}
