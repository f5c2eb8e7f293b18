package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/doctor"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// doctorFlags say how much is shown, and how long it may take.
type doctorFlags struct {
	output  string
	timeout time.Duration
	all     bool
	// Of a probe: see doctor_probe.go. patient: --timeout was given.
	probe, yes, patient bool
	workspace           string
}

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:               "doctor [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Find out now what would go wrong later, and what to do about it",
		Long: `Find out now what would go wrong later, and what to do about it: is the admin key
accepted, and may it do what it must? Is every store there, readable, and writable?
Do the clocks agree? Are the hooks of consumers there? Can the trail be written?

It changes no value, and says what it found, the worst first; nothing but one line
if all is well. What could not be looked at is not known, and never good: exit code 1,
as for what is bad. Advice alone ends with 0.

--probe finds out on your own account what Instantly does not say: how soon keys begin
and end, what the key list shows of them, how long names may be. It makes a few keys
that may read the workspace's name, and revokes them, also if it is interrupted; what
one that was killed has left, the next one revokes that begins 5 minutes later. Its
report can be pasted.`,
		Example: `  instantly-rotator doctor
  instantly-rotator doctor --all           what is good, too
  instantly-rotator doctor -o json
  instantly-rotator doctor --probe > report.txt`,
		RunE: func(c *cobra.Command, names []string) error {
			f.patient = c.Flags().Changed("timeout")
			return a.doctor(c.Context(), names, f)
		},
	}
	outputFlag(c, &f.output)
	c.Flags().DurationVar(&f.timeout, "timeout", 15*time.Second, "how long to wait for Instantly, the stores and all others")
	c.Flags().BoolVar(&f.all, "all", false, "show what is good, too")
	c.Flags().BoolVar(&f.probe, "probe", false, "find out, with keys made for it, what Instantly does not say (--timeout: for a key's beginning and end, 1m)")
	c.Flags().StringVar(&f.workspace, "workspace", "", "with --probe: the `name` of the workspace, if there are several")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "with --probe: do not ask")
	_ = c.RegisterFlagCompletionFunc("workspace", a.completeWorkspaces) // fails for no flag that is there
	return c
}

func (f *doctorFlags) check() error {
	switch {
	case f.output != "table" && f.output != "json":
		return wrongOutput(f.output)
	case f.timeout <= 0:
		return usageError{fmt.Errorf("--timeout %s: want a time above 0", f.timeout)}
	case !f.probe && (f.yes || f.workspace != ""):
		return usageError{errors.New("--yes and --workspace go with --probe")}
	case f.probe && f.all:
		return usageError{errors.New("--probe and --all do not go together")}
	}
	return nil
}

func (a *app) doctor(ctx context.Context, names []string, f doctorFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.probe {
		if len(names) > 0 {
			return usageError{errors.New("--probe takes no TARGET: it is about Instantly")}
		}
		return a.probe(ctx, f)
	}
	cfg, o, err := a.doctorOptions(names)
	if err != nil {
		return err
	}
	report := a.examine(ctx, o, f.timeout)
	if ctx.Err() != nil {
		return errInterrupted
	}
	seen := doctorReport{File: cfg.File, Version: version(), Report: a.completed(report)}
	if err := a.show(f.output, seen, func() { a.doctorTable(cfg, seen.Report, f.all) }); err != nil {
		return err
	}
	if report.Failed() {
		return errFailed
	}
	return nil
}

// doctorReport is what "doctor -o json" prints.
type doctorReport struct {
	File    string `json:"file"`
	Version string `json:"version"`
	doctor.Report
}

// doctorOptions read the configuration. Its warnings are findings like others, its
// mistakes are told as by every command.
func (a *app) doctorOptions(names []string) (*config.Config, doctor.Options, error) {
	log, err := a.logger()
	if err != nil {
		return nil, doctor.Options{}, err
	}
	cfg, warnings, err := config.Load(a.configPath)
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		return nil, doctor.Options{}, err
	case err != nil:
		return nil, doctor.Options{}, unread(err)
	}
	keys, err := fleet.Chosen(cfg, names)
	return cfg, doctor.Options{Options: a.fleetOptions(cfg, log, true), Warnings: warnings, Keys: keys}, err
}

// examine says after a second what it waits for.
func (a *app) examine(ctx context.Context, o doctor.Options, timeout time.Duration) doctor.Report {
	asked := questions{open: map[[2]string]bool{}}
	o.Waiting = asked.waiting
	defer a.afterSilence(asked.String)()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return doctor.Examine(ctx, o)
}

// questions are those that were asked and not answered, by what they are about and what
// they are.
type questions struct {
	mu   sync.Mutex
	open map[[2]string]bool
}

func (q *questions) waiting(about, what string, answered bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if answered {
		delete(q.open, [2]string{about, what})
		return
	}
	q.open[[2]string{about, what}] = true
}

// String says what is waited for, what concerns most first.
func (q *questions) String() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	abouts := map[string][]string{}
	for one := range q.open {
		abouts[one[1]] = append(abouts[one[1]], one[0])
	}
	return waitingFor(abouts)
}

// completed makes the commands in a report act on this configuration.
func (a *app) completed(r doctor.Report) doctor.Report {
	for i := range r.Findings {
		r.Findings[i].Text, r.Findings[i].Remedy = a.pasted(r.Findings[i].Text), a.pasted(r.Findings[i].Remedy)
	}
	return r
}

// doctorTable shows what was found, the worst first.
func (a *app) doctorTable(cfg *config.Config, r doctor.Report, all bool) {
	told := r.Told(all)
	if len(told) > 0 {
		a.findingsTable(told)
	}
	if r.Healthy {
		fmt.Fprintf(a.stdout, "%s: healthy: %s, by %s (instantly-rotator %s)\n", cfg.File, extent(cfg), humantime.Count(len(r.Checks), "check"), version())
	}
}

// mostAlike is how many findings of one check one reads; -o json has all.
const mostAlike = 5

// findingsTable has a row a finding, and below it what to do.
func (a *app) findingsTable(findings []doctor.Finding) {
	const levelWidth, leastCheck, gap = 11, 16, 2
	checkWidth := leastCheck + gap
	for _, f := range findings {
		checkWidth = max(checkWidth, len(f.Check)+gap)
	}
	indent := strings.Repeat(" ", levelWidth+checkWidth)
	fmt.Fprintf(a.stdout, "%-*s%-*s%s\n", levelWidth, "LEVEL", checkWidth, "CHECK", "WHAT, AND WHAT TO DO")
	alike := map[string]int{}
	todo := remedies{}
	for _, f := range findings {
		kind := string(f.Level) + " " + f.Check
		if alike[kind]++; alike[kind] > mostAlike {
			continue
		}
		head := fmt.Sprintf("%s%-*s", paintLevel(f.Level, levelWidth), checkWidth, f.Check)
		fmt.Fprintln(a.stdout, head+a.within(joined(someOf(f.About), f.Text), indent))
		if f.Remedy != "" {
			fmt.Fprintln(a.stdout, indent+a.within("do: "+todo.of(f), indent))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(alike)) {
		if more := alike[kind] - mostAlike; more > 0 {
			fmt.Fprintf(a.stdout, "%d more of %s: -o json has all\n", more, kind)
		}
	}
}

// remedies are those that were written, by the check that they were written for.
type remedies map[string]string

// of gives what to do about a finding: at length where that is not written yet, or short.
func (r remedies) of(f doctor.Finding) string {
	check, written := r[f.Remedy]
	if !written {
		r[f.Remedy] = f.Check
		return f.Remedy
	}
	if above := "as above, for " + check; len(above) < len(f.Remedy) {
		return above
	}
	return f.Remedy
}

func joined(about, what string) string {
	if what == "" {
		return about
	}
	return about + ": " + what
}

// within breaks a text for a terminal, each line after the first with an indent.
func (a *app) within(what, indent string) string {
	if !terminal(a.stdout) {
		return what
	}
	var lines []string
	for line := range strings.Lines(wrapped(what, a.width()-len(indent))) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n"+indent)
}

func paintLevel(l doctor.Level, width int) string {
	word := fmt.Sprintf("%-*s", width, l.Text())
	switch l {
	case doctor.Bad:
		return text.FgRed.Sprint(word)
	case doctor.Hidden:
		return text.FgMagenta.Sprint(word)
	case doctor.Advice:
		return text.FgYellow.Sprint(word)
	default:
		return text.FgGreen.Sprint(word)
	}
}
