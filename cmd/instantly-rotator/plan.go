package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// planFlags say how the plan is shown, and how long answers are waited for.
type planFlags struct {
	output  string
	timeout time.Duration
	// pick gives the targets out of those that were named, and what is to be known of
	// one of them beside its next step; nil for all, and nothing.
	pick func(*fleet.Fleet) (picked []rotator.Target, advice func(rotator.Target) []string, err error)
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:               "plan [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Show what a run of \"rotate --due\" would do, and why",
		Long: `Show what a run of "rotate --due" would do next for each target, and why.
It changes nothing, and does not try again until it knows: when nothing was answered
for --timeout, the rest is not known. Exit code 2 says that something is due, 1 that
something is in the way.`,
		RunE: func(c *cobra.Command, names []string) error {
			return a.plan(c.Context(), names, rotator.Request{}, f, true)
		},
	}
	outputFlag(c, &f.output)
	timeoutFlag(c, &f.timeout)
	return c
}

// plan shows the next steps. gate: something due is exit code 2, for pipelines.
func (a *app) plan(parent context.Context, names []string, req rotator.Request, flags planFlags, gate bool) error {
	f, ctx, end, err := a.waitingFleet(parent, names, flags.timeout)
	if err != nil {
		return err
	}
	targets, advice := f.Targets, func(rotator.Target) []string { return nil }
	if flags.pick != nil {
		if targets, advice, err = flags.pick(f); err != nil {
			end()
			return err
		}
	}
	statuses := f.Glance(ctx, targets, req)
	end()
	if parent.Err() != nil {
		return a.interrupted()
	}
	steps := make([]status.PlannedStep, len(statuses))
	report := status.Report{Timeout: flags.timeout}
	due, failed := 0, 0
	for i, o := range statuses {
		steps[i] = status.Planned(o)
		steps[i].Advice = append(steps[i].Advice, advice(targets[i])...)
		steps[i].Hint, steps[i].Advice, steps[i].Reason = a.pasted(steps[i].Hint), a.pastedAll(steps[i].Advice), a.pasted(steps[i].Reason)
		report.Targets = append(report.Targets, status.Of(o, a.now()))
		if o.Due {
			due++
		}
		if steps[i].Error != "" || steps[i].Failing != "" {
			failed++
		}
	}
	if err := a.show(flags.output, map[string]any{"plan": steps}, func() { a.planTable(steps, report.Obstacles(), due) }); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return errFailed
	case due > 0 && gate:
		return errDue
	default:
		return nil
	}
}

// planTable shows the steps to people, and below them what is in the way of several
// targets once.
func (a *app) planTable(steps []status.PlannedStep, obstacles []status.Obstacle, due int) {
	told := map[string]bool{}
	for _, o := range obstacles {
		for _, name := range o.Targets {
			told[name] = true
		}
	}
	var rows [][]string
	var remarks []remark
	for _, p := range steps {
		why := a.why(p)
		if told[p.Target] {
			why = "see below"
		} else if p.Hint != "" {
			remarks = append(remarks, remark{p.Target, "hint: " + p.Hint})
		}
		rows = append(rows, []string{p.Target, p.Workspace, dueWord(p), stepWords(p), shortID(p.KeyID), why})
		for _, advice := range p.Advice {
			remarks = append(remarks, remark{p.Target, advice})
		}
	}
	a.fitted([]string{"TARGET", "WORKSPACE", "DUE", "NEXT STEP", "KEY", "WHY"}, rows)
	for _, o := range obstacles {
		a.tellObstacle(o)
	}
	a.tellOnce(remarks, true)
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
	case p.At != nil && p.Step == string(rotator.Settled) && terminal(a.stdout):
		return p.Reason + " " + humantime.Until(*p.At, a.now())
	case p.At != nil && p.Step == string(rotator.Settled):
		return fmt.Sprintf("%s at %s (%s)", p.Reason, humantime.Stamp(*p.At), humantime.Until(*p.At, a.now()))
	default:
		return p.Reason
	}
}
