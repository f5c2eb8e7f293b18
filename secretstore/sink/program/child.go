package program

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

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// Exit codes with a meaning, as sysexits.h has them.
const (
	tempFail = 75 // not yet
	noPerm   = 77
	config   = 78
)

// End is how long a program that was told to end may take to, and how long what one has started
// is waited for, if that has its output open.
const End = 5 * time.Second

// child is one run of a program.
type child struct {
	args    []string
	env     []string
	input   io.Reader
	timeout time.Duration
	// value is what the program was given: what it says is not told if it repeats a part.
	value secret.Value
	// untold: it may know a key that is not at hand to compare, so nothing that it says is told.
	untold bool
}

// run gives what the program wrote on its standard output, of which a little is kept.
func (c child) run(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("it has %s: %w", c.timeout, context.DeadlineExceeded))
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...) //nolint:gosec // the configuration names it
	var wrote, said tail
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.env, c.input, &wrote, &said
	cmd.WaitDelay = End
	ofItsOwnGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		killGroup(cmd) // whom it has started
	}
	return string(wrote.kept), c.judged(ctx, err, said.last())
}

func (c child) judged(ctx context.Context, err error, said string) error {
	if c.untold {
		said = ""
	}
	if said != "" && repeats(said, c.value) {
		said = "what it said has a part of the key in it, and is not shown"
	}
	if said != "" {
		said = ": " + said
	}
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // what it has started may go on, and keep its output open
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("it was ended before it did by itself%s: %w: %w", said, sink.ErrUnavailable, context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("there is no such program in PATH: %w", secretstore.ErrNotFound)
	case !errors.As(err, &exit):
		return fmt.Errorf("it cannot be run: %w: %w", sink.ErrUnavailable, err)
	}
	sentinel := sink.ErrUnavailable
	switch exit.ExitCode() {
	case tempFail:
		sentinel = sink.ErrNotYet
	case noPerm:
		sentinel = secretstore.ErrDenied
	case config:
		sentinel = secretstore.ErrUnfit
	}
	return fmt.Errorf("%s%s: %w", exit.ProcessState, said, sentinel)
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

// last gives the last line, fit to be shown: printable, and cut short.
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
