package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func (a *app) planCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:               "plan [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Show what a run of \"rotate --due\" would do, and why",
		Long: `Show what a run of "rotate --due" would do next for each key, and why.
It changes nothing. Exit code 2 says that something is due, 1 that something is
in the way.`,
		RunE: func(c *cobra.Command, names []string) error {
			return a.plan(c.Context(), names, rotator.Request{}, output, true)
		},
	}
	outputFlag(c, &output)
	return c
}

// plannedStep is a line of the plan, as -o json prints it.
type plannedStep struct {
	Target    string     `json:"target"`
	Workspace string     `json:"workspace"`
	Due       bool       `json:"due"`
	Step      string     `json:"step"`
	Store     string     `json:"store,omitempty"`
	KeyID     string     `json:"key_id,omitempty"`
	Reason    string     `json:"reason"`
	At        *time.Time `json:"at,omitempty"`
	Error     string     `json:"error,omitempty"`
	Hint      string     `json:"hint,omitempty"`
	Advice    []string   `json:"advice,omitempty"`
}

// plan shows the next steps. gate: something due is exit code 2, for pipelines.
func (a *app) plan(ctx context.Context, names []string, req rotator.Request, output string, gate bool) error {
	d, err := a.deploy(ctx, names, true)
	if err != nil {
		return err
	}
	defer d.close()
	outlooks := d.Outlook(ctx, d.targets, req)
	steps := make([]plannedStep, len(outlooks))
	due, failed := 0, 0
	for i, o := range outlooks {
		steps[i] = planned(o)
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

func planned(o rotator.Outlook) plannedStep {
	p := plannedStep{
		Target: o.Target, Workspace: o.Workspace, Due: o.Due, Step: string(o.Next.Verb),
		KeyID: o.Next.ID, Reason: o.Next.Reason, At: optional(o.Next.At), Advice: adviceOf(o),
	}
	if !o.Hold.IsZero() && o.Next.Verb == rotator.Settled {
		p.Reason, p.At = holdText(o.Hold), nil
	}
	if o.Due {
		p.Store = o.Stores[max(o.Next.Store, 0)].Name
	}
	if o.Next.Verb == rotator.Check { // asking comes before the step that is meant
		p.Step = string(rotator.Reserve)
		p.Reason = o.Because
	}
	if o.Next.Err != nil {
		p.Error, p.Hint = o.Next.Err.Error(), hintFor(o.Next.Err)
	}
	return p
}

func (a *app) planTable(steps []plannedStep, due int) {
	t := a.table("TARGET", "WORKSPACE", "DUE", "NEXT STEP", "KEY", "WHY")
	for _, p := range steps {
		t.AppendRow(row(p.Target, p.Workspace, p.due(), p.words(), shortID(p.KeyID), a.why(p)))
	}
	t.Render()
	for _, p := range steps {
		if p.Hint != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", p.Target, p.Hint)
		}
		for _, advice := range p.Advice {
			fmt.Fprintf(a.stdout, "%s: %s\n", p.Target, advice)
		}
	}
	if due > 0 {
		fmt.Fprintf(a.stdout, "%d due; nothing was changed\n", due)
	}
}

// due is what the plan's column says: nobody knows where looking failed.
func (p plannedStep) due() string {
	switch {
	case p.Error != "":
		return "-"
	case p.Due:
		return "yes"
	default:
		return "no"
	}
}

// words names the step for people: what happens first, of a rotation as a whole.
func (p plannedStep) words() string {
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

func (a *app) why(p plannedStep) string {
	switch {
	case p.Error != "":
		return p.Error
	case p.At != nil && p.Step == string(rotator.Settled):
		return fmt.Sprintf("%s at %s (%s)", p.Reason, stamp(*p.At), until(*p.At, a.now()))
	default:
		return p.Reason
	}
}
