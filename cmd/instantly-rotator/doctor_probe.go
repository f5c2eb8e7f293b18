package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/doctor"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// defaultLag is how long a probe waits for a key's beginning and end, and look how long
// between two looks.
const (
	defaultLag = time.Minute
	look       = 250 * time.Millisecond
	goAgent    = "Go-http-client/1.1"
)

// completeWorkspaces offers the names of workspaces.
func (a *app) completeWorkspaces(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.fromConfig(func(cfg *config.Config) []string { return slices.Sorted(maps.Keys(cfg.Workspaces)) })
}

// probeReport is what "doctor --probe -o json" prints. It does not say whose account it
// was.
type probeReport struct {
	Version string    `json:"version"`
	Go      string    `json:"go"`
	At      time.Time `json:"at"`
	API     string    `json:"api"`
	doctor.ProbeReport
}

// probe settles on the user's own account what the vendor does not say.
func (a *app) probe(ctx context.Context, f doctorFlags) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	name, err := probedWorkspace(cfg, f.workspace)
	if err != nil {
		return err
	}
	if yes, err := a.agreedToProbe(ctx, name, f); err != nil || !yes {
		return err
	}
	var rate atomic.Pointer[instantly.RateLimit]
	rate.Store(&instantly.RateLimit{})
	o := a.fleetOptions(cfg, log, true)
	o.Called = func(_ string, c instantly.Call) {
		if c.RateLimit.Known {
			rate.Store(&c.RateLimit)
		}
	}
	conn := fleet.Connect(o)
	defer conn.Close()
	po := doctor.ProbeOptions{Owner: cfg.Owner, Wait: f.lag(), Pause: look, Rate: func() instantly.RateLimit { return *rate.Load() }}
	if po.Client, err = conn.Client(ctx, name); err == nil {
		po.AsGo, err = conn.ClientAs(ctx, name, goAgent)
	}
	if err != nil {
		return fmt.Errorf("workspace %s: %w", name, err)
	}
	told, err := conn.Recorder().Act(trail.What{Verb: "probe", Workspace: name}, "keys are made to find out what the API does, and revoked")
	if err != nil {
		return err
	}
	report := probeReport{Version: version(), Go: runtime.Version(), At: a.now().UTC(), API: cfg.Workspaces[name].BaseURL, ProbeReport: a.probed(ctx, po)}
	told("", report.failure())
	if err := a.show(f.output, report, func() { a.probeTable(report) }); err != nil {
		return err
	}
	switch {
	case report.Left != "":
		return fmt.Errorf("%s; to revoke them, 5 minutes from now: %s", report.Left, a.pasted("instantly-rotator doctor --probe"))
	case ctx.Err() != nil:
		return errInterrupted
	case report.Error != "":
		return errors.New(report.Error)
	case !report.Settled():
		return errFailed
	}
	return nil
}

// failure is why the probe did not do what it was to; nil if it did.
func (r probeReport) failure() error {
	switch {
	case r.Left != "":
		return errors.New(r.Left)
	case r.Error != "":
		return errors.New(r.Error)
	}
	return nil
}

func (f doctorFlags) lag() time.Duration {
	if f.patient {
		return f.timeout
	}
	return defaultLag
}

// probed says after a second what it is at.
func (a *app) probed(ctx context.Context, o doctor.ProbeOptions) doctor.ProbeReport {
	var doing atomic.Value
	doing.Store("")
	o.Waiting = func(what string) { doing.Store(what) }
	defer a.afterSilence(func() string {
		what, _ := doing.Load().(string)
		return "waiting: " + what
	})()
	return doctor.Probe(ctx, o)
}

// probedWorkspace is the one that was named, or the only one.
func probedWorkspace(cfg *config.Config, name string) (string, error) {
	known := slices.Sorted(maps.Keys(cfg.Workspaces))
	switch {
	case name == "" && len(known) == 1:
		return known[0], nil
	case name == "":
		return "", usageError{fmt.Errorf("--probe needs --workspace: the configuration has %s", strings.Join(known, ", "))}
	case !slices.Contains(known, name):
		return "", usageError{fmt.Errorf("no workspace named %q in the configuration; it has %s", name, strings.Join(known, ", "))}
	}
	return name, nil
}

// agreedToProbe asks before keys are made on somebody's account.
func (a *app) agreedToProbe(ctx context.Context, workspace string, f doctorFlags) (bool, error) {
	switch {
	case f.yes:
		return true, nil
	case !terminal(os.Stdin):
		return false, usageError{errors.New("--probe makes keys on your account, and revokes them: --yes says that it may")}
	}
	fmt.Fprintf(a.stderr, "In workspace %s, up to 7 keys are made that may read its name, and revoked again; for %s at most. Type yes: ",
		workspace, humantime.Span(2*f.lag()+time.Minute))
	return typedYes(ctx)
}

// probeTable prints the report as it can be pasted into an issue.
func (a *app) probeTable(r probeReport) {
	fmt.Fprintf(a.stdout, "What the API does, found out with keys made for it. Nothing here is secret.\ninstantly-rotator %s (%s), %s, %s\n\n",
		r.Version, r.Go, r.At.Format(time.DateOnly), r.API)
	for _, answer := range r.Answers {
		known := ""
		if !answer.Known {
			known = "not known: "
		}
		fmt.Fprintf(a.stdout, "%-14s  %s\n%-14s  → %s%s\n", answer.ID, answer.Question, "", known, answer.Answer)
	}
	if r.Before > 0 {
		fmt.Fprintf(a.stdout, "\n%s of a probe that was cut off: revoked\n", humantime.Count(r.Before, "key"))
	}
	if r.Alone > 0 {
		fmt.Fprintf(a.stdout, "\n%s of a probe that may still be running (%s): left alone; what it leaves, the next probe revokes in 5m\n",
			humantime.Count(r.Alone, "key"), strings.Join(r.Running, ", "))
	}
	if r.Left == "" {
		fmt.Fprintln(a.stdout, "\nevery key that was made is revoked")
	}
}
