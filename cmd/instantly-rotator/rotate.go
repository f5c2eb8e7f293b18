package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// rotateFlags are what the command asks of the engine.
type rotateFlags struct {
	due, dryRun, force, endGrace bool
	compromised, again           bool
	beginAnew                    bool
	incident                     string // what people call it, for compromised
	skipGates                    string // why
	shard                        string
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
rotation begins, unless --due asks for what is due as well.

With --skip-gates, the consumers of the named targets are not waited for any more
(after_promote says whether they have moved): the old key is revoked once its grace
period is over. That is for this one key, and noted in the store with the reason.

With --compromised, the keys of the named targets are in wrong hands: they are
replaced and revoked without a grace period, as soon as the new key is current in
every store.
That is noted in the store first, so that whatever is cut off, every later run of
any instance carries it on. The same incident once more, for the same target, carries
it on, or says that it is resolved; --again replaces the key of after it too.`,
		Example: `  instantly-rotator rotate sending          one target, now
  instantly-rotator rotate --due            what a CronJob calls
  instantly-rotator rotate --dry-run        what would happen
  instantly-rotator rotate --compromised sending --incident INC-4711`,
		RunE: func(c *cobra.Command, names []string) error { return a.rotate(c.Context(), names, f) },
	}
	c.Flags().BoolVar(&f.due, "due", false, "only what is due")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would happen, change nothing")
	c.Flags().BoolVar(&f.force, "force", false, "do not wait for the backoff after failed attempts, nor for another instance that has begun")
	c.Flags().BoolVar(&f.compromised, "compromised", false, "replace the keys of the named targets and revoke the old ones at once: consumers that still use them will fail")
	c.Flags().BoolVar(&f.beginAnew, "begin-anew", false, "the primary store of the named targets is new, or lost for good: issue keys there although others were issued before, which are left alone")
	c.Flags().StringVar(&f.incident, "incident", "", "what people call the incident, for --compromised")
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
	case !f.due && !f.oldAlone():
		req.RotateSince = now
	}
	return req
}

// oldAlone tells whether the command is about the old keys and begins no rotation.
func (f rotateFlags) oldAlone() bool { return (f.endGrace || f.skipGates != "") && !f.due }

// check refuses flags that do not go together.
func (f rotateFlags) check(names []string) error {
	switch {
	case f.compromised && len(names) == 0:
		return usageError{errors.New("--compromised wants the names of the targets whose keys are in wrong hands")}
	case f.beginAnew && len(names) == 0:
		return usageError{errors.New("--begin-anew wants the names of the targets whose store is new or lost for good")}
	case f.compromised && f.incident == "":
		return usageError{errors.New("--compromised wants --incident: what people will find it under, such as INC-4711")}
	case !f.compromised && f.incident != "":
		return usageError{errors.New("--incident goes with --compromised")}
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
		return a.plan(ctx, names, f.request(began), "table", false)
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
	targets := part.pick(engine.Targets)
	bar := a.progress(len(targets))
	if bar.writer != nil {
		a.narrateBesideBar(n, bar, f.compromised)
	}
	results := engine.ReconcileAll(ctx, targets, f.request(began), bar.done)
	n.end()
	bar.stop()
	a.tellWaived(ctx, engine, results)
	return a.report(results, f, began)
}

// report prints a line for each target, what a person can do, and the sum.
func (a *app) report(results []rotator.Result, f rotateFlags, began time.Time) error {
	var rotated, failed, waiting, interrupted, delayed int
	for _, r := range results {
		switch {
		case r.Err != nil && !errors.Is(r.Err, rotator.ErrLostRace):
			failed++
		case r.Failing:
			waiting++
		case r.Interrupted:
			interrupted++
		case f.endGrace && f.oldAlone() && len(r.Status.Old) > 0:
			failed++
		case r.Rotated:
			rotated++
		case r.Waiting:
			delayed++
		}
		a.reportOne(r)
		if f.skipGates != "" {
			a.reportWaived(r)
		}
		if f.endGrace && f.oldAlone() && r.Err == nil && !r.Interrupted {
			a.reportOld(r)
		}
		if f.compromised {
			a.reportDead(r, began)
		}
		if r.Answered {
			a.reportAnswered(r)
		}
		if h := followUp(r, f); h != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", r.Target, a.pasted(h))
		}
	}
	if len(results) > 1 {
		due := ""
		if delayed > 0 {
			due = fmt.Sprintf("%d waiting, ", delayed)
		}
		fmt.Fprintf(a.stdout, "%d targets: %d rotated, %d failed, %d in backoff, %s%d settled\n",
			len(results), rotated, failed, waiting, due, len(results)-rotated-failed-waiting-interrupted-delayed)
	}
	switch {
	case interrupted > 0:
		return errInterrupted
	case failed+waiting > 0:
		return errFailed
	default:
		return nil
	}
}

// followUp says what to do after a run that did not do all that may be meant.
func followUp(r rotator.Result, f rotateFlags) string {
	switch {
	case f.compromised && (r.Err != nil || r.Interrupted):
		return carriedOn(r, f)
	case r.Failing && !f.force:
		return "not to wait: instantly-rotator rotate --force " + r.Target
	case r.Err != nil && !f.due && !f.oldAlone() && !waitsForSomebody(r.Err):
		return "this rotation was asked for by hand: no later run repeats it unless it is due; again: instantly-rotator rotate --force " + r.Target
	default:
		return ""
	}
}

func (a *app) reportOne(r rotator.Result) {
	for _, id := range r.Swept {
		fmt.Fprintf(a.stdout, "%s: revoked key %s, of a rotation that was cut off or superseded\n", r.Target, id)
	}
	for _, id := range r.Discarded {
		fmt.Fprintf(a.stdout, "%s: revoked the new key %s, which could not be used\n", r.Target, id)
	}
	for _, id := range r.Revoked {
		fmt.Fprintf(a.stdout, "%s: revoked the old key %s\n", r.Target, id)
	}
	if r.Rotated {
		fmt.Fprintf(a.stdout, "%s: %s key %s is current\n", r.Target, text.FgGreen.Sprint("rotated:"), r.KeyID)
	}
	switch {
	case errors.Is(r.Err, rotator.ErrLostRace):
		fmt.Fprintf(a.stdout, "%s: stood back: %v\n", r.Target, rotator.ErrLostRace)
	case r.Err != nil:
		fmt.Fprintf(a.stdout, "%s: %s %v\n", r.Target, text.FgRed.Sprint("failed:"), r.Err)
		if h := a.hintFor(r.Err, r.Target); h != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", r.Target, h)
		}
	case r.Interrupted:
		fmt.Fprintf(a.stdout, "%s: interrupted: the next run goes on\n", r.Target)
	default:
		fmt.Fprintf(a.stdout, "%s: %s%s\n", r.Target, settledWord(r), a.whatNext(r))
	}
}

// waitsForSomebody tells whether trying again by hand fails in the same way.
func waitsForSomebody(err error) bool {
	for _, of := range []error{rotator.ErrInGrace, rotator.ErrLostRace, rotator.ErrHeld, rotator.ErrBusy, rotator.ErrStoreLost} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// carriedOn says what becomes of an incident whose run was cut off.
func carriedOn(r rotator.Result, f rotateFlags) string {
	retry := "instantly-rotator rotate --compromised " + r.Target + " --incident " + fleet.ShellQuote(f.incident)
	switch {
	case r.Status.Incident.IsZero() && errors.Is(r.Err, rotator.ErrHeld):
		return "the incident is NOT noted and the key lives on: instantly-rotator release " + r.Target + ", then " + retry
	case r.Status.Incident.IsZero():
		return "the incident is NOT noted and the key lives on, run it again: " + retry
	default:
		return "the incident is noted: every later run of any instance carries it on; not to wait: instantly-rotator rotate --due --force " + r.Target
	}
}

// reportWaived says what became of the order to wait for consumers no more.
func (a *app) reportWaived(r rotator.Result) {
	switch w := r.Status.Waiver; {
	case !w.IsZero() && w.KeyID == r.KeyID:
		fmt.Fprintf(a.stdout, "%s: the consumers of key %s are not waited for, since %s: %s\n", r.Target, w.KeyID, humantime.Stamp(w.At), w.Reason)
	case r.Err == nil && !r.Interrupted:
		fmt.Fprintf(a.stdout, "%s: nothing to skip: no old key waits for consumers\n", r.Target)
	}
}

// tellWaived sends a notification of each waiver that was given: whoever looks after the
// consumers is to know, and no daemon saw it.
func (a *app) tellWaived(ctx context.Context, f *fleet.Fleet, results []rotator.Result) {
	if !slices.ContainsFunc(results, func(r rotator.Result) bool { return r.Waived }) || len(f.Config.Notify) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyTimeout)
	defer cancel()
	n := f.Notifier(ctx, nil)
	for _, r := range results {
		if r.Waived {
			n.Send(notify.Message{
				Kind: notify.NeedsPerson, Target: r.Target, Workspace: r.Status.Workspace, Topic: "gates_skipped", At: a.now(),
				Text: fmt.Sprintf("somebody ordered that the consumers of key %s are not waited for: %s; those that still use the old key fail when it is revoked",
					r.Status.Waiver.KeyID, r.Status.Waiver.Reason),
			})
		}
	}
	if err := n.Close(ctx); err != nil {
		fmt.Fprintf(a.stderr, "warning: not everybody was told: %v\n", err)
	}
}

// notifyTimeout bounds how long a command waits for receivers.
const notifyTimeout = 10 * time.Second

// reportOld says what became of the order to end the grace period.
func (a *app) reportOld(r rotator.Result) {
	switch {
	case len(r.Status.Old) > 0:
		fmt.Fprintf(a.stdout, "%s: %s the old key %s lives on: %s\n", r.Target, text.FgRed.Sprint("failed:"), r.Status.Old[0].ID, whyOldLives(r))
	case len(r.Revoked) == 0:
		fmt.Fprintf(a.stdout, "%s: no grace period to end: there is no old key beside %s\n", r.Target, dash(r.KeyID))
	}
}

// whyOldLives says what keeps an old key alive whose grace period was ended.
func whyOldLives(r rotator.Result) string {
	switch {
	case r.Status.Quarantine != "":
		return r.Status.Quarantine
	case r.Delay != "":
		return r.Delay
	default:
		return r.Why
	}
}

// reportAnswered says that somebody has given the same order before.
func (a *app) reportAnswered(r rotator.Result) {
	i := r.Status.Resolved
	fmt.Fprintf(a.stdout, "%s: incident %s was resolved %s ago: key %s is from after it and lives on; if it leaked too, add --again\n",
		r.Target, i.ID, humantime.Span(a.now().Sub(i.Resolved)), r.KeyID)
}

// reportDead says how long the compromised keys lived from the command on.
func (a *app) reportDead(r rotator.Result, began time.Time) {
	for _, d := range r.Dead {
		fmt.Fprintf(a.stdout, "%s: key %s is dead: refused %.1f s after the command\n", r.Target, d.KeyID, d.At.Sub(began).Seconds())
	}
	if len(r.Dead) > 0 {
		fmt.Fprintf(a.stdout, "%s: hint: consumers that cache the old key fail from now on: restart them\n", r.Target)
	}
}

func settledWord(r rotator.Result) string {
	switch {
	case r.Failing:
		return text.FgYellow.Sprint("in backoff")
	case r.Waiting:
		return text.FgYellow.Sprint("waiting")
	default:
		return "settled"
	}
}

func (a *app) whatNext(r rotator.Result) string {
	var said strings.Builder
	if r.Delay != "" && (r.Next.IsZero() || r.Delay != r.Why) {
		fmt.Fprintf(&said, "; %s", r.Delay)
	}
	if !r.Next.IsZero() {
		fmt.Fprintf(&said, "; next: %s at %s (%s)", r.Why, humantime.Stamp(r.Next), humantime.Until(r.Next, a.now()))
	}
	if r.Status.Odd != "" {
		fmt.Fprintf(&said, "; %s", r.Status.Odd)
	}
	if r.Status.Quarantine != "" {
		fmt.Fprintf(&said, "; %s", r.Status.Quarantine)
	}
	return said.String()
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
