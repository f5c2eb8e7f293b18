package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// statusFlags say how much is shown, and how long it may take.
type statusFlags struct {
	output  string
	wide    bool
	timeout time.Duration
	watch   time.Duration // 0: once
}

func (a *app) statusCommand() *cobra.Command {
	var f statusFlags
	c := &cobra.Command{
		Use:               "status [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Show which key is where, what comes next, what needs a person",
		Long: `Show which key is where, what happens next, and what needs a person.

It answers within --timeout: what Instantly or a store has not said by then is not
known, and shown so. It changes nothing; "verify" reads every value and tests it.
Exit code 1 says that something must be seen to: see "help exit-codes".`,
		RunE: func(c *cobra.Command, names []string) error { return a.status(c.Context(), names, f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table, wide (whole ids and times, each store) or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]cobra.Completion{"table", "wide", "json"}, cobra.ShellCompDirectiveNoFileComp)) // fails for no flag that is there
	c.Flags().BoolVarP(&f.wide, "wide", "w", false, "the same as -o wide")
	c.Flags().DurationVar(&f.timeout, "timeout", defaultTimeout, "how long to wait for Instantly and the stores")
	c.Flags().DurationVar(&f.watch, "watch", 0, "show it again and again until Ctrl-C, each time after that `pause`")
	c.Flags().Lookup("watch").NoOptDefVal = "5s"
	return c
}

// check refuses flags that make no sense.
func (f *statusFlags) check() error {
	if f.output == "wide" {
		f.output, f.wide = "table", true
	}
	switch {
	case f.output != "table" && f.output != "json":
		return usageError{fmt.Errorf("--output %q: want table, wide or json", f.output)}
	case f.timeout <= 0:
		return usageError{fmt.Errorf("--timeout %s: want a time above 0", f.timeout)}
	case f.watch < 0:
		return usageError{fmt.Errorf("--watch %s: want a time above 0", f.watch)}
	case f.watch > 0 && f.output == "json":
		return usageError{errors.New("--watch is for people: it does not go with -o json")}
	}
	return nil
}

func (a *app) status(ctx context.Context, names []string, f statusFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.watch > 0 {
		return a.watchStatus(ctx, names, f)
	}
	report, err := a.statusReport(ctx, names, f.timeout)
	switch {
	case ctx.Err() != nil:
		return a.interrupted()
	case err != nil:
		return err
	}
	if err := a.show(f.output, report, func() { a.statusTable(report, f.wide) }); err != nil {
		return err
	}
	return statusOutcome(report)
}

// watchStatus shows it until ctx ends.
func (a *app) watchStatus(ctx context.Context, names []string, f statusFlags) error {
	for {
		report, err := a.statusReport(ctx, names, f.timeout)
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return err
		}
		screen := ""
		if terminal(a.stdout) {
			screen = "\x1b[H\x1b[2J" // the whole screen, from its top
		}
		if _, err := fmt.Fprintf(a.stdout, "%s%s, again after %s; Ctrl-C ends\n", screen, humantime.Stamp(report.At), f.watch); err != nil {
			return err // nobody watches any more
		}
		fmt.Fprintln(a.stdout, report.Assurance(report.At, f.timeout+time.Minute, len(report.Targets)).Text())
		a.statusTable(report, f.wide)
		select {
		case <-ctx.Done():
			return errInterrupted
		case <-time.After(f.watch):
		}
	}
}

// statusOutcome is that of the worst target: see the table of states.
func statusOutcome(report status.Report) error {
	if slices.ContainsFunc(report.Targets, func(t status.Target) bool { return t.State.Failed() }) {
		return errFailed
	}
	return nil
}

// statusReport reads all there is to know within timeout.
func (a *app) statusReport(ctx context.Context, names []string, timeout time.Duration) (status.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if terminal(a.stderr) {
		said := a.afterSilence(func() string { return "asking Instantly …" })
		defer said()
	}
	f, err := a.quickFleet(ctx, names, timeout, func(*fleet.Options) {})
	if err != nil {
		return status.Report{}, err
	}
	defer f.Close()
	now := a.now()
	statuses := f.Glance(ctx, f.Targets, rotator.Request{})
	report := status.Report{At: now.UTC(), Timeout: timeout, Targets: make([]status.Target, len(statuses)), Workspaces: []status.Workspace{}}
	for i, o := range statuses {
		report.Targets[i] = a.pastedTarget(status.Of(o, now))
	}
	// Keys that are none of theirs can be told only where all targets are known, and readable.
	if len(names) == 0 && !slices.ContainsFunc(report.Targets, status.Target.Unreadable) {
		report.Inventoried(status.WorkspacesOf(f.Inventory(ctx, f.Targets, statuses)))
	}
	if t := f.Config.Trail; t != nil && t.Dir != "" && len(names) == 0 {
		report.Audit = audit.Recorded(t.Dir)
	}
	return report, nil
}
