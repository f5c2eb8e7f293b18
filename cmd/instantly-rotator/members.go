package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/members"
)

// membersFlags are those of the commands about people.
type membersFlags struct {
	workspaces []string
	yes        bool
	output     string
}

func (a *app) membersCommand() *cobra.Command {
	var f membersFlags
	c := &cobra.Command{
		Use:   "members",
		Short: "List who is in the workspaces, and remove somebody",
		Long: `List who is in the workspaces: address, role, since when, and when they were last
seen in the audit log, which is read 30 days back. It has what people change, not what
they read.

The admin key needs the scopes workspace_members:read and audit_logs:read.`,
		Example: `  instantly-rotator members
  instantly-rotator members remove ann@example.com
  instantly-rotator offboard ann@example.com    and replace what they could know`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.members(c.Context(), f) },
	}
	f.add(c)
	c.AddCommand(a.removeMemberCommand())
	return c
}

func (f *membersFlags) add(c *cobra.Command) {
	outputFlag(c, &f.output)
	c.Flags().StringSliceVar(&f.workspaces, "workspace", nil, "only this `WORKSPACE` of the configuration (may be repeated)")
}

func (a *app) removeMemberCommand() *cobra.Command {
	var f membersFlags
	c := &cobra.Command{
		Use:   "remove ADDRESS",
		Short: "Remove somebody from the workspaces",
		Long: `Remove somebody from the workspaces, or take their invitation back. The keys that they
know live on: "instantly-rotator offboard ADDRESS" replaces those as well.

The admin key needs the scope workspace_members:delete too.`,
		Example: "  instantly-rotator members remove ann@example.com --yes",
		RunE:    func(c *cobra.Command, args []string) error { return a.removeMember(c.Context(), args, f) },
	}
	f.add(c)
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return c
}

// check refuses flags that make no sense.
func (f membersFlags) check() error {
	if f.output != "table" && f.output != "json" {
		return wrongOutput(f.output)
	}
	return nil
}

// oneAddress wants exactly one argument, which is a person's. Notifications write another
// sign for @, so that they mention nobody: what is pasted from there is taken.
func oneAddress(c string, args []string) (string, error) {
	if len(args) == 1 {
		args = []string{strings.ReplaceAll(args[0], "＠", "@")}
	}
	if len(args) != 1 || !config.IsAddress(args[0]) {
		return "", usageError{fmt.Errorf("%s takes one ADDRESS, such as ann@example.com", c)}
	}
	return strings.ToLower(args[0]), nil
}

// crew is who sees to people. read is called when it has read what there is to know, and
// end when it is done.
func (a *app) crew(ctx context.Context, f membersFlags, with func(*fleet.Options)) (c members.Crew, read, end func(), err error) {
	if err := f.check(); err != nil {
		return c, nil, nil, err
	}
	read = sync.OnceFunc(a.afterSilence(func() string { return "waiting: reading who is there, and the audit log" }))
	fl, err := a.openFleet(ctx, nil, false, with)
	if err != nil {
		read()
		return c, nil, nil, err
	}
	end = func() {
		read()
		fl.Close()
	}
	chosen := map[string]bool{}
	for _, name := range f.workspaces {
		if _, ok := fl.Config.Workspaces[name]; !ok {
			end()
			return c, nil, nil, usageError{fmt.Errorf("no workspace named %q in the configuration; it has %s", name,
				strings.Join(slices.Sorted(maps.Keys(fl.Config.Workspaces)), ", "))}
		}
		chosen[name] = true
	}
	return members.CrewOf(ctx, fl, chosen), read, end, nil
}

// memberLine is a member, as "-o json" prints it.
type memberLine struct {
	Workspace string     `json:"workspace"`
	Email     string     `json:"email"`
	Role      string     `json:"role"`
	Since     *time.Time `json:"since,omitempty"`
	Accepted  bool       `json:"accepted"`
	// LastSeen is absent if the log has them not; whether there is a log, SeenKnown says.
	LastSeen  *time.Time `json:"last_seen,omitempty"`
	SeenKnown bool       `json:"last_seen_known"`
}

func (a *app) members(ctx context.Context, f membersFlags) error {
	crew, read, end, err := a.crew(ctx, f, func(*fleet.Options) {})
	if err != nil {
		return err
	}
	defer end()
	lines, wrong := []memberLine{}, []string{}
	for _, l := range crew.List(ctx) {
		for _, m := range l.Members {
			lines = append(lines, memberLine{l.Workspace, m.Email, m.Role, humantime.Optional(m.Created), m.Accepted, humantime.Optional(m.Seen), l.LogErr == nil})
		}
		if l.Err != nil {
			wrong = append(wrong, fmt.Sprintf("workspace %s: who is there is not known: %v", l.Workspace, l.Err))
		}
		if l.LogErr != nil {
			wrong = append(wrong, fmt.Sprintf("workspace %s: when they were last seen is not known: %v", l.Workspace, l.LogErr))
		}
	}
	read()
	if ctx.Err() != nil {
		return a.interrupted()
	}
	if err := a.show(f.output, map[string]any{"members": lines, "unknown": wrong}, func() { a.membersTable(lines, wrong) }); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return errFailed
	}
	return nil
}

func (a *app) membersTable(lines []memberLine, wrong []string) {
	t := a.table("WORKSPACE", "EMAIL", "ROLE", "SINCE", "ACCEPTED", "LAST SEEN")
	for _, m := range lines {
		t.AppendRow(row(m.Workspace, m.Email, m.Role, day(m.Since), map[bool]string{true: "yes", false: "no"}[m.Accepted], a.seen(m)))
	}
	if len(lines) > 0 {
		t.Render()
	}
	for _, w := range wrong {
		fmt.Fprintln(a.stdout, text.FgYellow.Sprint(w))
	}
}

func (a *app) seen(m memberLine) string {
	switch {
	case !m.SeenKnown:
		return "not known"
	case m.LastSeen == nil:
		return "not in 30d"
	default:
		return humantime.Until(*m.LastSeen, a.now())
	}
}

func day(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.DateOnly)
}

// sure asks whether something is to be done; without a terminal --yes has to say so.
func (a *app) sure(ctx context.Context, f membersFlags, question, unasked string) (bool, error) {
	switch {
	case f.yes:
		return true, nil
	case f.output == "json" || !terminal(os.Stdin):
		return false, usageError{errors.New(unasked)}
	}
	fmt.Fprintf(a.stderr, "%s Type yes: ", question)
	return typedYes(ctx)
}

func (a *app) removeMember(ctx context.Context, args []string, f membersFlags) error {
	address, err := oneAddress("members remove", args)
	if err != nil {
		return err
	}
	crew, read, end, err := a.crew(ctx, f, func(*fleet.Options) {})
	if err != nil {
		return err
	}
	defer end()
	places, unknown := crew.Find(ctx, address)
	read()
	if ctx.Err() != nil {
		return a.interrupted()
	}
	var removed []members.Removal
	if len(places) > 0 {
		yes, err := a.sure(ctx, f, "Remove "+address+" from "+inPlaces(places)+"?", "nobody was removed: --yes removes "+address+" from "+inPlaces(places))
		if err != nil {
			return err
		}
		if !yes {
			fmt.Fprintln(a.stderr, "nobody was removed")
			return errFailed
		}
		removed = crew.Remove(ctx, places, "")
	}
	shown := map[string]any{"address": address, "removed": removals(removed), "unknown": append([]string{}, unknown...)}
	if err := a.show(f.output, shown, func() { a.removalLines(address, removed, unknown) }); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case len(unknown) > 0 || slices.ContainsFunc(removed, func(r members.Removal) bool { return r.Err != nil }):
		return errFailed
	}
	return nil
}

func inPlaces(places []members.Place) string {
	var in []string
	for _, p := range places {
		in = append(in, fmt.Sprintf("workspace %s (%s)", p.Workspace, p.Role))
	}
	return strings.Join(in, " and ")
}

func (a *app) removalLines(address string, removed []members.Removal, unknown []string) {
	for _, r := range removed {
		a.say(removalColor(r), address, removalText(r))
	}
	if len(removed) == 0 && len(unknown) == 0 {
		fmt.Fprintf(a.stdout, "%s: is in none of the workspaces\n", address)
	}
	for _, u := range unknown {
		a.say(text.FgRed, address, u)
	}
	if len(removed) > 0 {
		a.say(text.FgYellow, address, "hint: keys that they know live on; to replace them: "+a.pasted("instantly-rotator offboard "+address))
	}
}

func removalColor(r members.Removal) text.Color {
	if r.Err != nil {
		return text.FgRed
	}
	return text.FgGreen
}

func removalText(r members.Removal) string {
	if r.Err != nil {
		return fmt.Sprintf("NOT removed from workspace %s (%s): %v", r.Workspace, r.Role, r.Err)
	}
	return fmt.Sprintf("removed from workspace %s (%s)", r.Workspace, r.Role)
}

// removalLine is a removal, as "-o json" prints it.
type removalLine struct {
	Workspace string    `json:"workspace"`
	Role      string    `json:"role"`
	At        time.Time `json:"at"`
	Error     string    `json:"error,omitempty"`
}

func removals(all []members.Removal) []removalLine {
	lines := []removalLine{}
	for _, r := range all {
		line := removalLine{Workspace: r.Workspace, Role: r.Role, At: r.At.UTC()}
		if r.Err != nil {
			line.Error = r.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}
