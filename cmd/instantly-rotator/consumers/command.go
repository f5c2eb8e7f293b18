package consumers

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/childprocess"
)

const commandTimeout = time.Minute

// Command runs a program, without a shell. It says with its exit code whether the
// consumers have moved: 0 yes, 75 not yet, anything else that it cannot tell. It
// is run until it says yes, then not again by the same process, unless a store had
// another key meanwhile; another process, such as the next run of a CronJob, begins
// anew. It learns the target, the key's id and since when every store has it, never
// the key.
type Command struct {
	target string
	name   string
	args   []string
	env    []string
	once   once
}

var _ rotator.Gate = (*Command)(nil)

// NewCommand makes the gate of a target. The first of args is the program, which people
// know by name; the environment is used as it is, with the target, the key's id and since when added.
func NewCommand(target, name string, args, environment []string) *Command {
	return &Command{target: target, name: name, args: args, env: environment}
}

// Name implements [rotator.Gate]. Arguments are not shown: they may be anything.
func (c *Command) Name() string { return "command " + c.name }

// Pass implements [rotator.Gate].
func (c *Command) Pass(ctx context.Context, m rotator.Move) error {
	return c.once.pass(m, func() error { return c.run(ctx, m) })
}

func (c *Command) run(ctx context.Context, m rotator.Move) error {
	said, err := childprocess.Command{
		Args: c.args, Timeout: commandTimeout,
		Env: slices.Concat(c.env, []string{
			"INSTANTLY_ROTATOR_TARGET=" + c.target, "INSTANTLY_ROTATOR_KEY_ID=" + m.KeyID, "INSTANTLY_ROTATOR_SINCE=" + stamp(m),
		}),
	}.Run(ctx)
	line := said.Line
	if line != "" {
		line = ": " + line
	}
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == childprocess.TempFail:
		return open("exit code %d%s", childprocess.TempFail, line)
	default:
		return fmt.Errorf("%w%s", err, line)
	}
}
