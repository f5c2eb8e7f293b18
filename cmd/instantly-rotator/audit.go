package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
)

// auditFlags say what is looked at, and how it is told.
type auditFlags struct {
	output, workspace, failOn string
	scan                      string
	git, probe                bool
	since, timeout            time.Duration
}

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit",
		Short: "Judge other keys, webhooks, members, the audit log, leaks",
		Long: `Judge what is around the keys: other keys, how wide they are, how old; webhooks, members,
the audit log; and, with --scan, in which files values are. Each check has an id, a
reason and a remedy.

It reads, and changes nothing. What could not be looked at is not known, and never
passed. Exit code 1: something is found that is as severe as --fail-on, or not known;
the section audit of the configuration has what somebody answers for, and until when.`,
		Example: `  instantly-rotator audit
  instantly-rotator audit --scan . --git          also: is a key in the source?
  instantly-rotator audit --probe-webhooks    do receivers look at the secret?
  instantly-rotator audit -o markdown > audit.md  a report to hand in
  instantly-rotator audit -o sarif > audit.sarif  for code scanners`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.audit(c.Context(), f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table, json, sarif or markdown")
	c.Flags().StringVar(&f.workspace, "workspace", "", "judge only the workspace of that `name`")
	c.Flags().StringVar(&f.failOn, "fail-on", string(audit.High), "exit code 1 for what is at least so severe: high, medium or low")
	c.Flags().StringVar(&f.scan, "scan", "", "search a `folder` for the values of the targets' keys and of admin keys")
	c.Flags().BoolVar(&f.git, "git", false, "with --scan: also all that its git repository has ever held")
	c.Flags().BoolVar(&f.probe, "probe-webhooks", false, "send two requests to each webhook's receiver: one without the secret, one with a wrong one")
	c.Flags().DurationVar(&f.since, "since", 30*24*time.Hour, "how far back the audit log is judged")
	c.Flags().DurationVar(&f.timeout, "timeout", 15*time.Second, "how long to wait for Instantly and the stores; a scan takes as long as it takes")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]cobra.Completion{"table", "json", "sarif", "markdown"}, cobra.ShellCompDirectiveNoFileComp)) // fails for no flag that is there
	_ = c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]cobra.Completion{"high", "medium", "low"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("workspace", a.completeWorkspaces)
	_ = c.MarkFlagDirname("scan")
	return c
}

func (f *auditFlags) check() error {
	switch {
	case !slices.Contains([]string{"table", "json", "sarif", "markdown"}, f.output):
		return usageError{fmt.Errorf("--output %q: want table, json, sarif or markdown", f.output)}
	case !slices.Contains([]audit.Severity{audit.High, audit.Medium, audit.Low}, audit.Severity(f.failOn)):
		return usageError{fmt.Errorf("--fail-on %q: want high, medium or low", f.failOn)}
	case f.timeout <= 0:
		return usageError{fmt.Errorf("--timeout %s: want a time above 0", f.timeout)}
	case f.since <= 0 || f.since > 30*24*time.Hour:
		return usageError{fmt.Errorf("--since %s: want a time above 0, and 720h at most", f.since)}
	case f.git && f.scan == "":
		return usageError{errors.New("--git goes with --scan DIR")}
	}
	return nil
}

func (a *app) audit(ctx context.Context, f auditFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	report, err := a.makeAudit(ctx, f)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	for i := range report.Findings {
		report.Findings[i].Remedy = a.pasted(report.Findings[i].Remedy)
	}
	if err := a.showAudit(report, f); err != nil {
		return err
	}
	if report.Failed(audit.Severity(f.failOn)) {
		return errFailed
	}
	return nil
}

// makeAudit says after a second what it waits for.
func (a *app) makeAudit(ctx context.Context, f auditFlags) (audit.Report, error) {
	log, err := a.logger()
	if err != nil {
		return audit.Report{}, err
	}
	cfg, err := a.load()
	if err != nil {
		return audit.Report{}, err
	}
	if _, ok := cfg.Workspaces[f.workspace]; !ok && f.workspace != "" {
		return audit.Report{}, usageError{fmt.Errorf("no workspace named %q in the configuration", f.workspace)}
	}
	asked, progress := questions{open: map[[2]string]bool{}}, &scan.Progress{}
	o := audit.Options{Options: a.fleetOptions(cfg, log, true), Workspace: f.workspace, Timeout: f.timeout, Waiting: asked.waiting,
		Since: a.now().Add(-f.since), ProbeWebhooks: f.probe}
	if f.scan != "" {
		o.Scan = &scan.Options{Dir: f.scan, Git: f.git, Progress: progress}
	}
	defer a.afterSilence(func() string {
		if n := progress.Files.Load() + progress.Objects.Load(); n > 0 {
			return fmt.Sprintf("searched so far: %d files and objects, %d MB", n, progress.Bytes.Load()/1e6)
		}
		return asked.String()
	})()
	return audit.Make(ctx, o)
}

// auditReport is what "audit -o json" prints.
type auditReport struct {
	File    string `json:"file"`
	Version string `json:"version"`
	audit.Report
}

func (a *app) showAudit(r audit.Report, f auditFlags) error {
	switch f.output {
	case "sarif":
		return a.show("json", r.Sarif(version(), a.configPath), nil)
	case "markdown":
		return r.Markdown(a.stdout, version(), a.configPath)
	default:
		return a.show(f.output, auditReport{File: a.configPath, Version: version(), Report: r}, func() { a.auditTable(r) })
	}
}
