package consumers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// tempFail is sysexits.h's EX_TEMPFAIL: not yet, ask again.
const tempFail = 75

const (
	commandTimeout = time.Minute
	// commandEnd is how long a program that was told to end may take to.
	commandEnd = 5 * time.Second
)

// Command runs a program, without a shell. It says with its exit code whether the
// consumers have moved: 0 yes, 75 not yet, anything else that it cannot tell. It
// is run until it says yes, then not again by the same process; another process,
// such as the next run of a CronJob, begins anew. It learns the target and the
// key's id, never the key.
type Command struct {
	target string
	name   string
	args   []string
	env    []string
	once   once
}

var _ rotator.Gate = (*Command)(nil)

// NewCommand makes the gate of a target. The first of args is the program, which people
// know by name; the environment is used as it is, with the target and the key's id added.
func NewCommand(target, name string, args, environment []string) *Command {
	return &Command{target: target, name: name, args: args, env: environment}
}

// Name implements [rotator.Gate]. Arguments are not shown: they may be anything.
func (c *Command) Name() string { return "command " + c.name }

// Pass implements [rotator.Gate].
func (c *Command) Pass(ctx context.Context, m rotator.Move) error {
	return c.once.pass(m.KeyID, func() error { return c.run(ctx, m.KeyID) })
}

func (c *Command) run(ctx context.Context, keyID string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...) //nolint:gosec // the configuration names it
	cmd.Env = slices.Concat(c.env, []string{"INSTANTLY_ROTATOR_TARGET=" + c.target, "INSTANTLY_ROTATOR_KEY_ID=" + keyID})
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = commandEnd
	var said tail
	cmd.Stderr = &said
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // what it has started may go on, and keep its output open
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("it was ended before it did by itself (it has %s)%s: %w", commandTimeout, said.last(), ctx.Err())
	case errors.As(err, &exit) && exit.ExitCode() == tempFail:
		return open("exit code %d%s", tempFail, said.last())
	default:
		return fmt.Errorf("%w%s", err, said.last())
	}
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

// last gives the last line, to be put behind something.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	if line := oneLine(lines[len(lines)-1]); line != "" {
		return ": " + line
	}
	return ""
}
