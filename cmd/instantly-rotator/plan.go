package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func (a *app) planCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:               "plan [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Show what a run of \"rotate --due\" would do, and why",
		Long: `Show what a run of "rotate --due" would do next for each target, and why.
It changes nothing. Exit code 2 says that something is due, 1 that something is
in the way.`,
		RunE: func(c *cobra.Command, names []string) error {
			return a.plan(c.Context(), names, rotator.Request{}, output, true)
		},
	}
	outputFlag(c, &output)
	return c
}

// plan shows the next steps. gate: something due is exit code 2, for pipelines.
func (a *app) plan(ctx context.Context, names []string, req rotator.Request, output string, gate bool) error {
	f, end, err := a.patientFleet(ctx, names)
	if err != nil {
		return err
	}
	defer end()
	statuses := f.Status(ctx, f.Targets, req)
	steps := make([]status.PlannedStep, len(statuses))
	due, failed := 0, 0
	for i, o := range statuses {
		steps[i] = status.Planned(o)
		if o.Due {
			due++
		}
		if steps[i].Error != "" {
			failed++
		}
	}
	if err := a.show(output, map[string]any{"plan": steps}, func() { a.planTable(steps, due) }); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case failed > 0:
		return errFailed
	case due > 0 && gate:
		return errDue
	default:
		return nil
	}
}

func (a *app) planTable(steps []status.PlannedStep, due int) {
	t := a.table("TARGET", "WORKSPACE", "DUE", "NEXT STEP", "KEY", "WHY")
	for _, p := range steps {
		t.AppendRow(row(p.Target, p.Workspace, dueWord(p), stepWords(p), shortID(p.KeyID), a.why(p)))
	}
	t.Render()
	for _, p := range steps {
		if p.Hint != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", p.Target, a.pasted(p.Hint))
		}
		for _, advice := range p.Advice {
			fmt.Fprintf(a.stdout, "%s: %s\n", p.Target, a.pasted(advice))
		}
	}
	if due > 0 {
		fmt.Fprintf(a.stdout, "%d due; nothing was changed\n", due)
	}
}

// due is what the plan's column says: nobody knows where reading failed.
func dueWord(p status.PlannedStep) string {
	switch {
	case p.Error != "":
		return "-"
	case p.Due:
		return "yes"
	default:
		return "no"
	}
}

// stepWords names the step for people: what happens first, of a rotation as a whole.
func stepWords(p status.PlannedStep) string {
	switch {
	case p.Step == string(rotator.Reserve):
		return "rotate"
	case p.Step == string(rotator.Settled), !p.Due && p.Error == "":
		return "nothing"
	case p.Step == string(rotator.Stop):
		return "blocked"
	default:
		return p.Step
	}
}

func (a *app) why(p status.PlannedStep) string {
	switch {
	case p.Error != "":
		return p.Error
	case p.At != nil && p.Step == string(rotator.Settled):
		return fmt.Sprintf("%s at %s (%s)", p.Reason, humantime.Stamp(*p.At), humantime.Until(*p.At, a.now()))
	default:
		return p.Reason
	}
}
