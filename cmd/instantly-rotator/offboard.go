package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/members"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// offboardFlags are how somebody leaves.
type offboardFlags struct {
	membersFlags
	graceful, again, dryRun bool
	incident, userID        string
}

func (a *app) offboardCommand() *cobra.Command {
	var f offboardFlags
	c := &cobra.Command{
		Use:   "offboard ADDRESS",
		Short: "Remove somebody who leaves, replace the keys they could know",
		Long: `Remove somebody who leaves from the workspaces, and replace the keys that they could
know: those whose known_to has them, and those that they made by hand, by the audit
log. Who could know an admin key could know every key of its workspaces. Keys that they
made and that no target has are named: they are yours to revoke.

The keys are replaced as in an incident named "left: ADDRESS": without a grace period,
so consumers that cache the old key fail until they read the new one. With --graceful
each old key lives its grace period. Either is noted in the stores, carried on by every
later run of any instance, and done once: the same command again carries it on, or says
that it is done. What could not be found out is said, and the exit code is 1 then.`,
		Example: `  instantly-rotator offboard ann@example.com --dry-run
  instantly-rotator offboard ann@example.com
  instantly-rotator offboard ann@example.com --graceful --yes -o json`,
		RunE: func(c *cobra.Command, args []string) error { return a.offboard(c.Context(), args, f) },
	}
	f.add(c)
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and change nothing")
	c.Flags().BoolVar(&f.graceful, "graceful", false, "let each old key live its grace period")
	c.Flags().BoolVar(&f.again, "again", false, "replace the keys although this was done before: they came back and leave again")
	c.Flags().StringVar(&f.incident, "incident", "", `what people call it in place of "left: ADDRESS"`)
	c.Flags().StringVar(&f.userID, "user-id", "", "the `ID` by which the audit log calls them, if they are no longer a member")
	return c
}

func (a *app) offboard(ctx context.Context, args []string, f offboardFlags) error {
	address, err := oneAddress("offboard", args)
	if err != nil {
		return err
	}
	if f.incident == "" {
		f.incident = members.IncidentOf(address)
	} else if err := (rotateFlags{output: f.output, compromised: true, incident: f.incident, timeout: defaultTimeout}).check([]string{address}); err != nil {
		return err
	}
	n := newNarrator(a.now)
	defer n.end()
	crew, read, end, err := a.narratedCrew(ctx, f.membersFlags, n)
	if err != nil {
		return err
	}
	defer end()
	person := members.Person{Address: address}
	if f.userID != "" {
		person.UserIDs = []string{f.userID}
	}
	l := crew.FindOut(ctx, person)
	read()
	if ctx.Err() != nil {
		return a.interrupted()
	}
	if nobody := f.nobody(l); nobody != nil {
		return nobody
	}
	return a.leave(ctx, crew, l, f)
}

// nobody refuses an address that means nothing to anybody: it may be mistyped.
func (f offboardFlags) nobody(l members.Leaving) error {
	if len(l.Places)+len(l.Known)+len(l.Loose)+len(l.Unknown) > 0 {
		return nil
	}
	return fmt.Errorf("nobody of the address %s is in a workspace, no known_to has it, and the audit log has no key made by it; "+
		"is it mistyped? If the log calls them otherwise: --user-id ID", l.Address)
}

// narratedCrew is a crew whose rotations are told as they happen.
func (a *app) narratedCrew(ctx context.Context, f membersFlags, n *narrator) (c members.Crew, read, end func(), err error) {
	return a.crew(ctx, f, func(o *fleet.Options) {
		o.Observe, o.Doing, o.Called = n.observe, n.doing, n.called
		o.Log = a.narrateTo(n, o.Log)
	})
}

// leave shows what is known of a leaving, and carries it out if that is wanted.
func (a *app) leave(ctx context.Context, crew members.Crew, l members.Leaving, f offboardFlags) error {
	if f.output == "table" {
		a.leavingLines(l)
	}
	order := members.Order{Incident: f.incident, Graceful: f.graceful, Again: f.again}
	if f.dryRun {
		return a.reportLeaving(ctx, members.Report{Leaving: l, Order: order}, true, f.output)
	}
	yes, err := a.sure(ctx, f.membersFlags, f.question(l), "nothing was done: --yes does it; --dry-run shows what")
	if err != nil {
		return err
	}
	if !yes {
		fmt.Fprintln(a.stderr, "nothing was done")
		return errFailed
	}
	return a.reportLeaving(ctx, crew.Offboard(ctx, l, order), false, f.output)
}

// question says what is about to be done.
func (f offboardFlags) question(l members.Leaving) string {
	var what []string
	if len(l.Places) > 0 {
		what = append(what, "remove "+l.Address+" from "+inPlaces(l.Places))
	}
	if n := len(l.Known); n > 0 {
		how := "at once, so that consumers that cache the old ones fail"
		if f.graceful {
			how = "each with its grace period"
		}
		what = append(what, fmt.Sprintf("replace %s %s", humantime.Count(n, "key"), how))
	}
	if len(what) == 0 {
		what = append(what, "note that there is nothing to do")
	}
	text := strings.Join(what, ", and ")
	return strings.ToUpper(text[:1]) + text[1:] + "?"
}

// leavingLines say what is known of a leaving.
func (a *app) leavingLines(l members.Leaving) {
	for _, p := range l.Places {
		fmt.Fprintf(a.stdout, "%s: is in workspace %s: %s, since %s\n", l.Address, p.Workspace, p.Role, day(humantime.Optional(p.Created)))
	}
	if len(l.Places) == 0 {
		fmt.Fprintf(a.stdout, "%s: is not found in a workspace any more\n", l.Address)
	}
	for _, k := range l.Known {
		fmt.Fprintf(a.stdout, "%s: they could know it: %s\n", k.Target, k.Why)
	}
	for _, k := range l.Loose {
		a.say(text.FgYellow, l.Address, fmt.Sprintf("made key %s (%s) of workspace %s, which no target has: revoke it in Instantly under Settings > Integrations > API Keys, or take it over: instantly-rotator adopt", k.ID, k.Name, k.Workspace))
	}
	for _, u := range l.Unknown {
		a.say(text.FgRed, l.Address, u)
	}
	for _, u := range l.Limits {
		a.say(text.FgYellow, l.Address, u)
	}
}

// reportLeaving tells what was done, with times, and gives the command's outcome.
func (a *app) reportLeaving(ctx context.Context, r members.Report, dryRun bool, output string) error {
	if err := a.show(output, a.leavingPicture(r, dryRun), func() { a.leavingReport(r, dryRun) }); err != nil {
		return err
	}
	switch err := r.Done(); {
	case ctx.Err() != nil:
		return errInterrupted
	case dryRun && len(r.Unknown) == 0:
		return nil
	case err != nil, dryRun:
		return errFailed
	}
	return nil
}

func (a *app) leavingReport(r members.Report, dryRun bool) {
	if dryRun {
		fmt.Fprintf(a.stdout, "%s: nothing was done (--dry-run)\n", r.Address)
		return
	}
	for _, m := range r.Removed {
		a.say(removalColor(m), r.Address, fmt.Sprintf("%s, %.1f s after the command", removalText(m), m.At.Sub(r.Began).Seconds()))
	}
	for _, res := range r.Results {
		a.reportOne(res, rotateFlags{due: r.Graceful, compromised: !r.Graceful, incident: r.Incident}, false)
		a.reportDead(res, rotateFlags{compromised: true}, r.Began)
		if res.Answered {
			a.reportAnswered(res)
		}
		for _, old := range res.Status.Old {
			fmt.Fprintf(a.stdout, "%s: the old key %s lives on until %s\n", r.Address, old.ID, humantime.Stamp(old.Until))
		}
	}
	for _, name := range r.Waiting {
		a.say(text.FgRed, name, "waits until the admin key of its workspace is replaced")
	}
	again := a.pasted("instantly-rotator offboard " + r.Address)
	if err := r.Done(); err != nil {
		for line := range strings.Lines(err.Error()) {
			a.say(text.FgRed, r.Address, "not done: "+strings.TrimSuffix(line, "\n"))
		}
		fmt.Fprintf(a.stdout, "%s: hint: see to what is said above; to carry it on: %s\n", r.Address, again)
	}
	done := map[bool]string{true: "done", false: "NOT done"}[r.Done() == nil]
	fmt.Fprintf(a.stdout, "%s: %s, from %s to %s (%.1f s), as incident %q\n", r.Address, done, humantime.Stamp(r.Began), humantime.Stamp(r.Ended),
		r.Ended.Sub(r.Began).Seconds(), r.Incident)
}

// leavingPicture is a leaving, as "-o json" prints it.
func (a *app) leavingPicture(r members.Report, dryRun bool) map[string]any {
	outcomes := []status.Outcome{}
	for _, res := range r.Results {
		o := status.OutcomeOf(res, a.now())
		o.Hint, o.Status = a.pasted(o.Hint), a.pastedTarget(o.Status)
		outcomes = append(outcomes, o)
	}
	p := map[string]any{
		"address": r.Address, "incident": r.Incident, "graceful": r.Graceful, "dry_run": dryRun, "done": !dryRun && r.Done() == nil,
		"known": append([]members.Known{}, r.Known...), "unmanaged": append([]members.Loose{}, r.Loose...),
		"unknown": append([]string{}, r.Unknown...), "limits": append([]string{}, r.Limits...),
		"removed": removals(r.Removed), "results": outcomes, "waiting": append([]string{}, r.Waiting...),
	}
	if !dryRun {
		p["began"], p["ended"] = r.Began.UTC(), r.Ended.UTC()
	}
	return p
}
