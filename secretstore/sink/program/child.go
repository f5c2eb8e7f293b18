package program

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/childprocess"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// Exit codes with a meaning, as sysexits.h has them, beside [childprocess.TempFail].
const (
	noPerm = 77
	config = 78
)

// child is one run of a program.
type child struct {
	childprocess.Command
	// value is what the program was given: what it says is not told if it repeats a part.
	value secret.Value
	// untold: it may know a key that is not at hand to compare, so nothing that it says is told.
	untold bool
}

// run gives what the program wrote on its standard output, of which a little is kept.
func (c child) run(ctx context.Context) (string, error) {
	said, err := c.Run(ctx)
	return said.Output, judged(err, c.told(said.Line))
}

// told gives what is told of what the program said, to be put behind something.
func (c child) told(line string) string {
	switch {
	case line == "" || c.untold:
		return ""
	case repeats(line, c.value):
		return ": what it said has a part of the key in it, and is not shown"
	default:
		return ": " + line
	}
}

func judged(err error, said string) error {
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, childprocess.ErrEnded):
		return fmt.Errorf("%w%s: %w", err, said, sink.ErrUnavailable)
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("there is no such program in PATH: %w", secretstore.ErrNotFound)
	case !errors.As(err, &exit):
		return fmt.Errorf("it cannot be run: %w: %w", sink.ErrUnavailable, err)
	}
	sentinel := sink.ErrUnavailable
	switch exit.ExitCode() {
	case childprocess.TempFail:
		sentinel = sink.ErrNotYet
	case noPerm:
		sentinel = secretstore.ErrDenied
	case config:
		sentinel = secretstore.ErrUnfit
	}
	return fmt.Errorf("%s%s: %w", exit.ProcessState, said, sentinel)
}
