package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// app is what all commands share: where to write, and the global flags.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time

	command    string // that runs, with the names of its flags
	configPath string
	logLevel   string
	logFormat  string
}

// program is what people type.
const program = "instantly-rotator"

// defaultConfig is read if --config and INSTANTLY_ROTATOR_CONFIG say nothing.
const defaultConfig = "config.yaml"

// run carries out one command line and gives its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	if !a.colorful() {
		text.DisableColors()
	}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	refuseUnknown(root)
	ran, err := root.ExecuteContextC(ctx)
	err = a.outcome(err)
	a.complain(err, ran.CommandPath())
	return exitCode(err)
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "Keep Instantly API keys fresh, without a consumer ever holding a dead one",
		Long: `instantly-rotator keeps Instantly API keys fresh.

For each target in its configuration it creates a new scoped key when the schedule
says so, writes it to the secret stores, verifies it with a test call, and
revokes the old key once its grace period is over. Whatever crashes in between,
consumers hold a key that works, and the next run goes on.

New here?   instantly-rotator demo          watch it
            instantly-rotator init --demo   try it
            instantly-rotator init          set it up
On call?    instantly-rotator status`,
		Version:          version(),
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(c *cobra.Command, _ []string) { a.command = calledAs(c) },
		RunE:             func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{withFlagMeant(c, err)} })
	flags := root.PersistentFlags()
	flags.StringVarP(&a.configPath, "config", "c", a.configDefault(), "configuration `file`; also INSTANTLY_ROTATOR_CONFIG")
	flags.StringVar(&a.logLevel, "log-level", "", "debug, info, warn or error (default: warn at a terminal, else info)")
	flags.StringVar(&a.logFormat, "log-format", "", "console or json (default: console at a terminal, else json)")
	root.AddCommand(
		environmentTopic(), configurationTopic(), a.manCommand(), a.initCommand(),
		a.daemonCommand(), a.rotateCommand(), a.planCommand(), a.statusCommand(), a.verifyCommand(), a.doctorCommand(), a.auditCommand(),
		a.holdCommand(), a.releaseCommand(), a.adoptCommand(), a.membersCommand(), a.offboardCommand(),
		a.trailCommand(), a.evidenceCommand(),
		a.validateCommand(), a.schemaCommand(), a.getCommand(), a.putCommand(), a.execCommand(), a.notifyCommand(),
		a.lambdaCommand(), a.serveCommand(), a.sandboxCommand(), a.demoCommand(), a.versionCommand(),
		a.exitCodesTopic(),
	)
	a.completeFlags(root)
	fitHelp(root)
	return root
}

// calledAs gives a command with the names of its flags, as the trail tells of it: what was
// given to them, and to it, may be anything.
func calledAs(c *cobra.Command) string {
	words := []string{strings.TrimPrefix(c.CommandPath(), program+" ")}
	c.Flags().Visit(func(f *pflag.Flag) { words = append(words, "--"+f.Name) })
	return strings.Join(words, " ")
}

func (a *app) configDefault() string {
	if path := a.getenv("INSTANTLY_ROTATOR_CONFIG"); path != "" {
		return path
	}
	return defaultConfig
}

// terminal tells whether w is a terminal that a person sees.
func terminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorful follows https://no-color.org.
func (a *app) colorful() bool {
	return terminal(a.stdout) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}
