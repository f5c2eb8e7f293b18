package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// The exit codes, decided in exitCode and nowhere else.
const (
	exitSettled     = 0   // everything is as it should be
	exitFailed      = 1   // some target failed
	exitDue         = 2   // plan: something is due
	exitUsage       = 64  // the command line or the configuration is wrong (EX_USAGE of sysexits.h)
	exitInterrupted = 130 // by Ctrl-C or SIGTERM, as shells count
)

// The outcomes of commands that are not settled and have been told already: they
// carry no text of their own.
var (
	errFailed      = errors.New("some target failed")
	errDue         = errors.New("something is due")
	errInterrupted = errors.New("interrupted")
)

// usageError is a wrong command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitCode maps a command's outcome to the process's.
func exitCode(err error) int {
	var usage usageError
	var problems config.Problems
	var unknown *fleet.UnknownTargetError
	var program programError
	switch {
	case err == nil:
		return exitSettled
	case errors.As(err, &program):
		return program.code
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errDue):
		return exitDue
	case errors.As(err, &usage), errors.As(err, &problems), errors.As(err, &unknown), isUnknownCommand(err):
		return exitUsage
	default:
		return exitFailed
	}
}

// isUnknownCommand recognises cobra's own errors, which have no type.
func isUnknownCommand(err error) bool {
	return strings.HasPrefix(err.Error(), "unknown command")
}

// hintFor says what a person can do about an error with a target, or with any if the name
// is empty: hints of the command line itself, beside those of package remedy.
func (a *app) hintFor(err error, target string) string {
	var oldLives oldKeyLivesError
	switch {
	case errors.As(err, &oldLives):
		return a.pasted(oldLives.hint())
	case errors.Is(err, errNoConfig):
		return `"` + program + ` init" makes one, "` + program + ` help configuration" has every option; one that is elsewhere is named with --config or INSTANTLY_ROTATOR_CONFIG`
	case errors.Is(err, errConfigUnreadable):
		return "who runs the command must be able to read that file, and it must be a file; another one is named with --config or INSTANTLY_ROTATOR_CONFIG"
	case errors.Is(err, errNoReceiver):
		return "add a section notify to the configuration; config.example.yaml shows one"
	case errors.Is(err, errNotAccepted):
		return "a key that was just made may need a moment; --no-test puts it all the same"
	case errors.Is(err, errUntested):
		return "try again when Instantly answers; --no-test puts it all the same"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program answers there, perhaps another instance of this one: give --listen another address, or \"\" for none"
	default:
		return a.pasted(remedy.For(err, target))
	}
}

// givenConfig is the configuration's file as commands in hints have to name it; empty if
// they need not.
func (a *app) givenConfig() string {
	if a.configPath == "" || a.configPath == a.configDefault() {
		return ""
	}
	return a.configPath
}

// pasted completes the commands in a text, so that they act on the configuration that this
// one was called with.
func (a *app) pasted(text string) string { return remedy.Pasted(text, a.givenConfig()) }

func (a *app) pastedAll(texts []string) []string {
	out := slices.Clone(texts)
	for i, text := range out {
		out[i] = a.pasted(text)
	}
	return out
}

// pastedTarget completes those in the hints of a target, for -o json.
func (a *app) pastedTarget(t status.Target) status.Target {
	t.Hints = a.pastedAll(t.Hints)
	return t
}

// complain says what went wrong, where the command, such as "instantly-rotator rotate",
// has not said it yet.
func (a *app) complain(err error, command string) {
	if err == nil || errors.Is(err, errFailed) || errors.Is(err, errDue) {
		return
	}
	var program programError
	if errors.As(err, &program) && program.cause == nil {
		return // it has said what it had to
	}
	var problems config.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(a.stderr, problems.Error())
		return
	}
	if exitCode(err) == exitInterrupted {
		return // each command has said what that means
	}
	fmt.Fprintf(a.stderr, "%s %s\n", text.FgRed.Sprint("error:"), err)
	hint := a.hintFor(err, "")
	if hint == "" && exitCode(err) == exitUsage {
		hint = usageHint(command)
	}
	if hint != "" {
		fmt.Fprintln(a.stderr, "hint: ", hint)
	}
}

// usageHint says where it stands what a command takes.
func usageHint(command string) string {
	if command == program || command == program+" help" {
		return program + " --help lists the commands and flags"
	}
	return command + " --help says what it takes"
}

// noArgs refuses arguments as a usage error.
func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return usageError{fmt.Errorf("%s takes no arguments", c.Name())}
	}
	return nil
}

// oneTarget wants exactly one argument.
func oneTarget(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("%s takes one TARGET: the name under keys in the configuration", c.Name())}
	}
	return nil
}
