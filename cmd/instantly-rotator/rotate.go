package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// rotateFlags are what the command asks of the engine.
type rotateFlags struct {
	due, dryRun, force, endGrace bool
	compromised, again           bool
	beginAnew                    bool
	incident                     string // what people call it, for compromised
	admin                        string // the workspace whose admin key it is about
	andAll                       bool
	exposed                      []string // by an admin key in wrong hands, and not replaced with it
	skipGates                    string   // why
	shard                        string
	output                       string
	timeout                      time.Duration // of dryRun
}

func (a *app) rotateCommand() *cobra.Command {
	var f rotateFlags
	c := &cobra.Command{
		Use:               "rotate [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Rotate keys now, or with --due only what is due",
		Long: `Rotate the keys of the named targets now, of all if none is named.

The new key is current in every store when the command ends. The old key lives
on until its grace period is over; the next run after that revokes it, so let
"instantly-rotator rotate --due" run from cron or as a CronJob.

With --due, only what is due is done: targets whose schedule, age or scopes ask for
it, rotations that were interrupted, old keys whose grace period is over.

With --end-grace, the keys that live on in their grace period are revoked now, and no
rotation begins, unless --due asks for what is due as well. Consumers are still waited
for (after_promote); with --skip-gates REASON they are not.

With --skip-gates, the consumers of the named targets are not waited for any more
(after_promote says whether they have moved): the old key is revoked once its grace
period is over. That is for this one key, and noted in the store with the reason.

With --compromised, the keys of the named targets are in wrong hands: they are
replaced and revoked without a grace period, as soon as the new key is current in
every store.
That is noted in the store first, so that whatever is cut off, every later run of
any instance carries it on. The same incident once more, for the same target, carries
it on, or says that it is resolved; --again replaces the key of after it too.

With --admin WORKSPACE, it is the admin key that is in wrong hands. It is replaced
first, and revoked by its successor. Whoever had it could read and make every other
key: the command says which must follow, or replaces them as well with --and-all.`,
		Example: `  instantly-rotator rotate sending          one target, now
  instantly-rotator rotate --due            what a CronJob calls
  instantly-rotator rotate --dry-run        what would happen
  instantly-rotator rotate --compromised sending --incident INC-4711`,
		RunE: func(c *cobra.Command, names []string) error { return a.rotate(c.Context(), names, f) },
	}
	outputFlag(c, &f.output)
	c.Flags().BoolVar(&f.due, "due", false, "only what is due")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would happen, change nothing")
	c.Flags().DurationVar(&f.timeout, "timeout", defaultTimeout, "with --dry-run: how long to wait for Instantly and the stores while nothing is answered")
	c.Flags().BoolVar(&f.force, "force", false, "do not wait for the backoff after failed attempts, nor for another instance that has begun")
	c.Flags().BoolVar(&f.compromised, "compromised", false, "replace the keys of the named targets and revoke the old ones at once: consumers that still use them will fail")
	c.Flags().BoolVar(&f.beginAnew, "begin-anew", false, "the primary store of the named targets is new, or lost for good: issue keys there although others were issued before, which are left alone")
	c.Flags().StringVar(&f.incident, "incident", "", "what people call the incident, for --compromised")
	c.Flags().StringVar(&f.admin, "admin", "", "with --compromised: the admin key of this `WORKSPACE` is in wrong hands")
	c.Flags().BoolVar(&f.andAll, "and-all", false, "with --admin: replace all keys of its workspaces too, when it is replaced")
	c.Flags().BoolVar(&f.again, "again", false, "with --compromised: the key of after the incident is in wrong hands too")
	c.Flags().StringVar(&f.skipGates, "skip-gates", "", "do not wait for the consumers of the named targets to move, for this `REASON`; begins no rotation")
	c.Flags().StringVar(&f.shard, "shard", "", "with --due: only one of several parts of the targets, `I/N` from 0/N, or auto in an Indexed Job")
	c.Flags().BoolVar(&f.endGrace, "end-grace", false, "revoke the old key now instead of after its grace period, and begin no rotation: consumers that still use it will fail")
	return c
}

// request turns the flags into what the engine understands.
func (f rotateFlags) request(now time.Time) rotator.Request {
	req := rotator.Request{
		IgnoreBackoff: f.force || f.compromised, EndGrace: f.endGrace, SkipGates: f.skipGates, NoRotation: f.oldAlone(), BeginAnew: f.beginAnew,
	}
	switch {
	case f.compromised:
		req.Incident, req.Again = f.incident, f.again
	case !f.due && !f.oldAlone() && !f.beginAnew: // where the store has no key, one is due
		req.RotateSince = now
	}
	return req
}

// oldAlone tells whether the command is about the old keys and begins no rotation.
func (f rotateFlags) oldAlone() bool { return (f.endGrace || f.skipGates != "") && !f.due }

// check refuses flags that do not go together.
func (f rotateFlags) check(names []string) error {
	switch {
	case f.output != "table" && f.output != "json":
		return wrongOutput(f.output)
	case f.admin != "" && (!f.compromised || len(names) > 0):
		return usageError{errors.New("--admin goes with --compromised, and with no names: --and-all has the keys replaced too")}
	case f.andAll && f.admin == "":
		return usageError{errors.New("--and-all goes with --admin")}
	case f.compromised && len(names) == 0 && f.admin == "":
		return usageError{errors.New("--compromised wants the names of the targets whose keys are in wrong hands")}
	case f.beginAnew && len(names) == 0:
		return usageError{errors.New("--begin-anew wants the names of the targets whose store is new or lost for good")}
	case f.endGrace && !f.due && len(names) == 0:
		return usageError{errors.New("--end-grace wants the names of the targets whose old keys are to go now: consumers that still use them will fail")}
	case f.skipGates == "REASON":
		return usageError{errors.New("--skip-gates wants a reason in place of REASON: people will read it")}
	case f.compromised && f.incident == "":
		return usageError{errors.New("--compromised wants --incident: what people will find it under, such as INC-4711")}
	case len(f.incident) > secretstore.MaxReason:
		return usageError{fmt.Errorf("--incident has %d bytes, more than the %d that are kept: two of one beginning would count as the same", len(f.incident), secretstore.MaxReason)}
	case !f.compromised && f.incident != "":
		return usageError{errors.New("--incident goes with --compromised")}
	case f.timeout != defaultTimeout && !f.dryRun:
		return usageError{errors.New("--timeout goes with --dry-run: a rotation waits as long as it takes")}
	case f.again && !f.compromised:
		return usageError{errors.New("--again goes with --compromised")}
	case f.compromised && (f.due || f.endGrace):
		return usageError{errors.New("--compromised goes with neither --due nor --end-grace: there is no grace period in it anyhow")}
	case f.skipGates != "" && (len(names) == 0 || f.compromised):
		return usageError{errors.New("--skip-gates wants the names of the keys whose consumers are not waited for; --compromised waits for none anyhow")}
	case f.shard != "" && (!f.due || len(names) > 0):
		return usageError{errors.New("--shard goes with --due, and with no names")}
	default:
		return nil
	}
}

func (a *app) rotate(ctx context.Context, names []string, f rotateFlags) error {
	began := a.now()
	if err := f.check(names); err != nil {
		return err
	}
	part, err := parseShard(f.shard, a.getenv)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.plan(ctx, names, f.request(began), planFlags{f.output, f.timeout, f.planned(part, names)}, false)
	}
	n := newNarrator(a.now)
	defer n.end()
	engine, err := a.narratedFleet(ctx, names, n)
	if err != nil {
		return err
	}
	defer engine.Close()
	told := context.AfterFunc(ctx, func() {
		fmt.Fprintln(a.stderr, "finishing the step in hand; Ctrl-C again ends at once")
	})
	defer told()
	targets, then, err := f.pick(engine, part, names)
	if err != nil {
		return err
	}
	bar := a.progress(len(targets) + len(then))
	if bar.writer != nil {
		a.narrateBesideBar(n, bar, f.compromised)
	}
	results := engine.ReconcileAll(ctx, targets, f.request(began), bar.done)
	if len(then) > 0 && replaced(results) {
		results = append(results, engine.ReconcileAll(ctx, then, f.request(began), bar.done)...)
	}
	n.end()
	bar.stop()
	a.tellWaived(ctx, engine, results)
	return a.report(results, f, began)
}

// progressBar shows how many targets are done, at a terminal and if there are
// many, and why it stands still; elsewhere it is nothing.
type progressBar struct {
	writer  progress.Writer
	tracker *progress.Tracker
	ended   *sync.WaitGroup
}

// manyTargets is where a bar begins to help, and a line a step to be too much.
const manyTargets = 6

func (a *app) progress(targets int) progressBar {
	if targets < manyTargets || !terminal(a.stderr) {
		return progressBar{}
	}
	w := progress.NewWriter()
	w.SetOutputWriter(a.stderr)
	w.SetAutoStop(false)
	w.SetUpdateFrequency(100 * time.Millisecond)
	tracker := &progress.Tracker{Message: "targets", Total: int64(targets)}
	w.AppendTracker(tracker)
	var ended sync.WaitGroup
	ended.Go(w.Render)
	return progressBar{w, tracker, &ended}
}

// done counts one target.
func (b progressBar) done(rotator.Result) {
	if b.tracker != nil {
		b.tracker.Increment(1)
	}
}

// stop ends the bar before anything else is printed.
func (b progressBar) stop() {
	if b.writer != nil {
		b.writer.Stop()
		b.ended.Wait()
	}
}
