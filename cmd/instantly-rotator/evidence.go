package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/evidence"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// evidenceFlags say which period, which record and what else is asked.
type evidenceFlags struct {
	from, to, output string
	trail            trailFlags
	verify           verifyFlags
	offline          bool
	timeout          time.Duration
}

// evidenceForms are the forms of the report.
func evidenceForms() []string { return []string{"markdown", "csv", "json"} }

func (a *app) evidenceCommand() *cobra.Command {
	var f evidenceFlags
	c := &cobra.Command{
		Use:   "evidence",
		Short: "Report to an auditor what became of each key in a period",
		Long: `Report to an auditor what became of each key in a period: when it was issued,
became current, was revoked and shown to be dead; which rotations came late, what
was done beyond the policy, how long incidents exposed keys, what audits found, who
the members were; and which control each part speaks to.

It is made out of the trail, which is verified first, and of what stores and key
lists say now; it changes nothing. Every figure names the entries that it comes
from. What no entry tells of is not known, and said to be. Exit code 1: the trail
is not as it was written, or something is not known.`,
		Example: `  instantly-rotator evidence --from 2026-01-01 --to 2026-12-31 > evidence.md
  instantly-rotator evidence --checkpoint kept --public-key kept.pub -o csv
  instantly-rotator evidence --file trail.jsonl --public-key kept.pub --offline`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.evidence(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "beginning of the period: `WHEN` is 2026-01-01, 2026-01-01T08:00:00Z or 90d ago as 90d (default: a year before its end)")
	flags.StringVar(&f.to, "to", "", "end of the period, a day `WHEN` included (default: now)")
	flags.StringVarP(&f.output, "output", "o", "markdown", "markdown, csv or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(evidenceForms(), cobra.ShellCompDirectiveNoFileComp)) // fails for no flag that is there
	flags.StringVar(&f.trail.dir, "dir", "", "the trail's `folder` (default: as configured)")
	flags.StringVar(&f.trail.log, "log", "", "only the log of that `machine`")
	flags.StringVar(&f.verify.file, "file", "", "a `file` with the lines of a log, as \"trail export\" prints them")
	flags.StringVar(&f.verify.checkpoint, "checkpoint", "", "a `file` with a checkpoint that was kept elsewhere: shows that nothing was cut off")
	flags.StringVar(&f.verify.key, "public-key", "", "the `key` of the log, or a file with it, that was kept elsewhere")
	flags.BoolVar(&f.offline, "offline", false, "ask no store and no key list: what they say now is not known")
	flags.DurationVar(&f.timeout, "timeout", defaultTimeout, "how long to wait for Instantly and the stores")
	_ = c.MarkFlagDirname("dir")
	return c
}

func (f *evidenceFlags) check() error {
	switch {
	case !slices.Contains(evidenceForms(), f.output):
		return usageError{fmt.Errorf("--output %q: want markdown, csv or json", f.output)}
	case f.timeout <= 0:
		return usageError{fmt.Errorf("--timeout %s: want a time above 0", f.timeout)}
	case f.verify.file != "" && f.verify.key == "":
		return usageError{errors.New("--file needs --public-key")}
	case f.verify.file != "" && f.trail.dir != "":
		return usageError{errors.New("--file and --dir do not go together")}
	}
	return nil
}

func (a *app) evidence(ctx context.Context, f evidenceFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	from, to, err := a.period(f)
	if err != nil {
		return err
	}
	in := evidence.Input{From: from, To: to, Made: a.now().UTC()}
	cfg, err := a.evidencePolicies(&in, f)
	if err != nil {
		return err
	}
	if in.Logs, err = a.evidenceLogs(cfg, f); err != nil {
		return err
	}
	if cfg != nil && !f.offline {
		in.Now = a.evidenceNow(ctx, cfg, f.timeout)
	}
	if ctx.Err() != nil {
		return a.interrupted()
	}
	report := evidence.Make(in)
	if err := a.showEvidence(report, f.output); err != nil {
		return err
	}
	if !report.Known() {
		return errFailed
	}
	return nil
}

func (a *app) showEvidence(r evidence.Report, output string) error {
	switch output {
	case "csv":
		return r.CSV(a.stdout)
	case "json":
		return a.show("json", r, nil)
	default:
		return r.Markdown(a.stdout)
	}
}

// period reads the flags that bound it. A day as the end is part of it.
func (a *app) period(f evidenceFlags) (from, to time.Time, err error) {
	to = a.now()
	if f.to != "" {
		if to, err = a.past(f.to); err != nil {
			return from, to, err
		}
		if _, err := time.Parse(time.DateOnly, f.to); err == nil {
			to = to.AddDate(0, 0, 1)
		}
	}
	from = to.AddDate(-1, 0, 0)
	if f.from != "" {
		if from, err = a.past(f.from); err != nil {
			return from, to, err
		}
	}
	if !from.Before(to) {
		return from, to, usageError{fmt.Errorf("--from %s is not before --to %s", f.from, f.to)}
	}
	if from.After(a.now()) {
		return from, to, usageError{fmt.Errorf("--from %s: that has not come yet", f.from)}
	}
	return from, to, nil
}

// evidencePolicies reads the policies of the configuration. An auditor, who names the
// trail, need not have one: then they are not known.
func (a *app) evidencePolicies(in *evidence.Input, f evidenceFlags) (*config.Config, error) {
	cfg, err := a.load()
	if none := errors.Is(err, errNoConfig) || errors.Is(err, errConfigUnreadable); none && (f.verify.file != "" || f.trail.dir != "") {
		return nil, nil //nolint:nilnil // no configuration is a good answer here
	}
	if err != nil {
		return nil, err
	}
	for _, k := range cfg.Keys {
		p := fleet.PolicyOf(cfg, k)
		policy := evidence.Policy{
			Target: k.Name, Workspace: k.Workspace, Grace: k.Grace, MaxAge: k.MaxAge,
			Due: func(since time.Time) time.Time { due, _ := rotator.NextDue(p, k.Name, since); return due },
		}
		if k.Schedule != nil {
			policy.Schedule = k.Schedule.String()
		}
		in.Policies = append(in.Policies, policy)
	}
	return cfg, nil
}

// evidenceLogs reads the logs of the trail, and verifies each.
func (a *app) evidenceLogs(cfg *config.Config, f evidenceFlags) ([]evidence.Log, error) {
	paths := []string{f.verify.file}
	if f.verify.file == "" {
		var err error
		if f.trail.dir == "" {
			if f.trail.dir, err = folderOf(cfg.Trail); err != nil {
				return nil, err
			}
		}
		if paths, err = a.logs(&f.trail); err != nil {
			return nil, err
		}
		if len(paths) > 1 && (f.verify.checkpoint != "" || f.verify.key != "") {
			if _, err := a.oneLog(&f.trail); err != nil {
				return nil, err
			}
		}
	}
	logs := make([]evidence.Log, len(paths))
	for i, path := range paths {
		var err error
		if logs[i], err = evidenceLog(path, f.verify); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

func evidenceLog(path string, v verifyFlags) (evidence.Log, error) {
	found, err := verifyLog(path, v)
	if err != nil {
		return evidence.Log{}, err
	}
	l := evidence.Log{Record: evidence.Record{
		Log: filepath.Base(path), PublicKey: found.Key, First: found.First, Last: found.Size - 1, Signed: found.Signed,
		Compared: found.Known, Unfinished: found.Unfinished, Fault: found.Error, FaultAt: found.Entry,
	}}
	err = trail.Entries(path, func(e trail.Entry) error {
		l.Entries = append(l.Entries, e)
		return nil
	})
	if errors.Is(err, trail.ErrDamaged) && l.Record.Fault != "" {
		err = nil // the report says so, and tells what can be read
	}
	return l, err
}

// evidenceNow asks the stores and the key lists.
func (a *app) evidenceNow(parent context.Context, cfg *config.Config, timeout time.Duration) *evidence.Now {
	now := &evidence.Now{At: a.now().UTC()}
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	defer a.afterSilence(func() string { return "asking Instantly and the stores …" })()
	f, err := a.quickFleet(ctx, nil, timeout, func(*fleet.Options) {})
	if err != nil {
		for _, k := range cfg.Keys {
			now.Targets = append(now.Targets, evidence.TargetNow{Target: k.Name, Error: err.Error()})
		}
		return now
	}
	defer f.Close()
	statuses := f.Glance(ctx, f.Targets, rotator.Request{})
	readable := true
	for _, s := range statuses {
		t := evidence.TargetNow{Target: s.Target}
		switch primary := s.Stores[0]; {
		case primary.Err != nil:
			t.Error, readable = primary.Err.Error(), false
		case s.Current != nil && !s.Current.Foreign:
			t.Key = s.Current.ID
		}
		now.Targets = append(now.Targets, t)
	}
	now.Workspaces = a.evidenceWorkspaces(ctx, f, statuses, readable)
	return now
}

// evidenceWorkspaces names the keys that nobody rotates. Which those are can be told only
// where all stores could be read.
func (a *app) evidenceWorkspaces(ctx context.Context, f *fleet.Fleet, statuses []rotator.TargetStatus, readable bool) []evidence.WorkspaceNow {
	var out []evidence.WorkspaceNow
	for _, inv := range f.Inventory(ctx, f.Targets, statuses) {
		w := evidence.WorkspaceNow{Workspace: inv.Workspace, Keys: inv.Keys}
		switch {
		case inv.Err != nil:
			w.Error = inv.Err.Error()
		case !readable:
			w.Error = "which keys are those of targets is not known, since a store could not be read"
		}
		for _, k := range slices.Concat(inv.Strangers, inv.Lost) {
			if w.Error == "" {
				w.Unmanaged = append(w.Unmanaged, k.Name+" ("+k.ID+")")
			}
		}
		out = append(out, w)
	}
	return out
}
