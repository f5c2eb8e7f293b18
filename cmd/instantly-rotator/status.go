package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func (a *app) statusCommand() *cobra.Command {
	var output string
	var wide bool
	c := &cobra.Command{
		Use:               "status [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Show which key is where, what happens next, and what needs a person",
		RunE: func(c *cobra.Command, names []string) error {
			return a.status(c.Context(), names, output, wide)
		},
	}
	outputFlag(c, &output)
	c.Flags().BoolVarP(&wide, "wide", "w", false, "whole key ids")
	return c
}

func (a *app) status(ctx context.Context, names []string, output string, wide bool) error {
	f, err := a.fleet(ctx, names, true)
	if err != nil {
		return err
	}
	defer f.Close()
	now := a.now()
	report := a.statusReport(ctx, f, len(names) == 0, now)
	if err := a.show(output, report, func() { a.statusTable(report, now, wide) }); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	return statusOutcome(report)
}

// statusOutcome is that of the worst target: see the table of states.
func statusOutcome(report status.Report) error {
	if slices.ContainsFunc(report.Targets, func(t status.Target) bool { return t.State.Failed() }) {
		return errFailed
	}
	return nil
}

// statusReport reads all there is to know of a fleet's targets. Keys that are none
// of theirs can be told only where all targets are known, and readable.
func (a *app) statusReport(ctx context.Context, f *fleet.Fleet, whole bool, now time.Time) status.Report {
	statuses := f.Status(ctx, f.Targets, rotator.Request{})
	report := status.Report{Targets: make([]status.Target, len(statuses)), Workspaces: []status.Workspace{}}
	for i, o := range statuses {
		report.Targets[i] = status.Of(o, now)
	}
	if whole && !slices.ContainsFunc(report.Targets, status.Target.Unreadable) {
		report.Workspaces = status.WorkspacesOf(f.Inventory(ctx, f.Targets, statuses))
	}
	return report
}

func (a *app) statusTable(report status.Report, now time.Time, wide bool) {
	id := shortID
	if wide {
		id = dash
	}
	t := a.table("TARGET", "WORKSPACE", "STORE", "PENDING", "CURRENT", "PREVIOUS", "AGE", "NEXT ROTATION", "OLD KEY ENDS", "OUTCOME")
	for _, of := range report.Targets {
		for i, st := range of.Stores {
			if i > 0 {
				t.AppendRow(row("", "", st.Store, id(st.Pending), id(st.Current), id(st.Previous), "", "", "", storeOutcome(st)))
				continue
			}
			t.AppendRow(row(of.Target, of.Workspace, st.Store, id(st.Pending), id(st.Current), id(st.Previous),
				age(of, now), when(of.NextRotation, now), oldKeyEnds(of, now), outcome(of)))
		}
	}
	t.Render()
	for _, of := range report.Targets {
		for _, h := range of.Hints {
			fmt.Fprintf(a.stdout, "%s: %s\n", text.FgYellow.Sprint(of.Target), h)
		}
	}
	for _, w := range report.Workspaces {
		if w.Error == "" {
			fmt.Fprintf(a.stdout, "workspace %s: %s, %d of them not ours (never touched)\n", w.Workspace, humantime.Count(w.Keys, "key"), len(w.NotOurs))
		}
	}
}

// outcome writes a target's state for people.
func outcome(of status.Target) string {
	word := of.State.Text()
	switch of.State { //nolint:exhaustive // the others are said by their word alone
	case status.Failing:
		word += " " + humantime.Times(of.LastFailure.Count)
	case status.Rotating:
		word += " (" + of.Rotation.By + " since " + humantime.Stamp(of.Rotation.Since) + ")"
	}
	switch severity := of.State.Severity(); {
	case severity == status.Trouble:
		return text.FgRed.Sprint(word)
	case severity == status.Notice:
		return text.FgYellow.Sprint(word)
	case of.State == status.OK:
		return text.FgGreen.Sprint(word)
	default:
		return word
	}
}

func storeOutcome(st status.Store) string {
	if st.Error != "" {
		return text.FgRed.Sprint("unreadable")
	}
	return ""
}

func age(of status.Target, now time.Time) string {
	if of.Since == nil {
		return "-"
	}
	return humantime.Span(now.Sub(*of.Since))
}

func when(at *time.Time, now time.Time) string {
	if at == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s)", humantime.Stamp(*at), humantime.Until(*at, now))
}

func oldKeyEnds(of status.Target, now time.Time) string {
	if len(of.OldKeys) == 0 {
		return "-"
	}
	return when(of.OldKeys[0].Until, now)
}
