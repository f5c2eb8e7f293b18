package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// rotatedAndFailed counts those among the failed whose new key is current all the same.
const rotatedAndFailed status.End = "rotated and failed"

// report tells how the runs ended, to people or as JSON, and gives the command's outcome.
func (a *app) report(results []rotator.Result, f rotateFlags, began time.Time) error {
	outcomes := make([]status.Outcome, len(results))
	count := map[status.End]int{}
	for i, r := range results {
		outcomes[i] = a.outcomeOf(r, f)
		count[outcomes[i].Result]++
		if r.Rotated && outcomes[i].Result == status.RunFailed {
			count[rotatedAndFailed]++
		}
	}
	if err := a.show(f.output, map[string]any{"results": outcomes}, func() { a.reportLines(results, f, began, count) }); err != nil {
		return err
	}
	switch {
	case count[status.CutOff] > 0:
		return errInterrupted
	case count[status.RunFailed]+count[status.InBackoff] > 0, slices.ContainsFunc(results, func(r rotator.Result) bool { return leftUnrevoked(r, f) }),
		slices.ContainsFunc(results, leaked):
		return errFailed
	default:
		return nil
	}
}

// outcomeOf is how a run ended, by what was asked of it.
func (a *app) outcomeOf(r rotator.Result, f rotateFlags) status.Outcome {
	o := status.OutcomeOf(r, a.now())
	if oldLives(r, f) {
		o.Result, o.Error = status.RunFailed, "the old "+noun(r.Status)+" "+r.Status.Old[0].ID+" lives on: "+whyOldLives(r)
	}
	if f.compromised && errors.Is(r.Err, rotator.ErrLostRace) {
		o.Result = status.RunFailed // nobody is to take it for done
	}
	if o.Hint == "" {
		o.Hint = strings.Join(followUp(r, f), "\n")
	}
	o.Hint = a.pasted(o.Hint)
	o.Status = a.pastedTarget(o.Status)
	return o
}

// oldLives tells whether an old key lives on although its grace period was ended.
func oldLives(r rotator.Result, f rotateFlags) bool {
	return f.endGrace && f.oldAlone() && r.Err == nil && !r.Interrupted && len(r.Status.Old) > 0
}

// reportLines prints a line for each target, what a person can do, and the sum.
func (a *app) reportLines(results []rotator.Result, f rotateFlags, began time.Time, count map[status.End]int) {
	shared, told := sharedObstacles(results)
	for _, r := range results {
		a.reportOne(r, f, told[r.Target])
		if f.skipGates != "" {
			a.reportWaived(r)
		}
		if f.endGrace && f.oldAlone() && r.Err == nil && !r.Interrupted {
			a.reportOld(r)
		}
		a.reportDead(r, f, began)
		switch {
		case r.Answered:
			a.reportAnswered(r)
		case r.CarriedOnAs != "":
			fmt.Fprintf(a.stdout, "%s: incident %s is carried on as %s\n", r.Target, f.incident, r.CarriedOnAs)
		}
		if !told[r.Target] {
			for _, h := range followUp(r, f) {
				fmt.Fprintf(a.stdout, "%s: hint: %s\n", r.Target, a.pasted(h))
			}
		}
	}
	for _, o := range shared {
		a.reportShared(o, f)
	}
	if len(results) < 2 {
		return
	}
	due := ""
	if n := count[status.Delayed]; n > 0 {
		due = fmt.Sprintf("%d waiting, ", n)
	}
	both := ""
	if n := count[rotatedAndFailed]; n > 0 {
		both = fmt.Sprintf("%d rotated and then failed, ", n)
	}
	fmt.Fprintf(a.stdout, "%d targets: %d rotated, %s%d failed, %d in backoff, %s%d settled\n", len(results), count[status.Rotated], both,
		count[status.RunFailed]-count[rotatedAndFailed], count[status.InBackoff], due, count[status.Settled]+count[status.Answered]+count[status.StoodBack])
}

// followUp says what to do after a run that did not do all that may be meant,
// each as a line that ends with the command to type.
func followUp(r rotator.Result, f rotateFlags) []string {
	switch {
	case f.compromised && (r.Err != nil || r.Interrupted):
		return carriedOn(r, f)
	case leftUnrevoked(r, f):
		return f.afterIncident(r, status.UnrevokedHint(r.Target, r.Status.Resolved))
	case leaked(r) && r.Err == nil && !r.Interrupted:
		return []string{"keys in wrong hands live on (incident " + r.Status.Incident.ID + "); not to wait: instantly-rotator rotate --due --force " + r.Target}
	case r.Answered:
		return f.afterIncident(r, "if it leaked too: "+remedy.DeclareAgain(r.Target, f.incident))
	case f.compromised && r.Status.Credential:
		return f.afterAdmin()
	case forgotten(r, f):
		return []string{"this was asked for by hand: no later run does it unless it is due; again: " + f.command(r.Target)}
	case carriedOnByAnyRun(r) && r.Err != nil:
		return []string{"every later run tries it again; not to wait: instantly-rotator rotate --due --force " + r.Target}
	case r.Failing && !f.force && f.due:
		return []string{"not to wait: instantly-rotator rotate --due --force " + r.Target}
	case r.Failing && !f.force:
		return []string{"not to wait: instantly-rotator rotate --force " + r.Target}
	case r.Err != nil && !r.Rotated && !f.due && !f.oldAlone() && !waitsForSomebody(r.Err):
		return []string{"this rotation was asked for by hand: no later run repeats it unless it is due; again: instantly-rotator rotate --force " + r.Target}
	default:
		return nil
	}
}

// afterIncident is what is said of one, and of an admin key what follows from it besides.
func (f rotateFlags) afterIncident(r rotator.Result, said string) []string {
	if !r.Status.Credential {
		return []string{said}
	}
	return append([]string{said}, f.afterAdmin()...)
}

// carriedOnByAnyRun tells whether what failed was begun, by whatever command, so that every run
// goes on with it: an incident, or webhooks that are to send what the stores have.
func carriedOnByAnyRun(r rotator.Result) bool {
	return leaked(r) || r.Step == rotator.Switch || r.Step == rotator.SwitchBack
}

// leaked tells whether keys in wrong hands live on after the run, whatever it waits for.
func leaked(r rotator.Result) bool { return !r.Status.Incident.IsZero() }

// leftUnrevoked tells whether the incident left a value whose key only a person can
// revoke.
func leftUnrevoked(r rotator.Result, f rotateFlags) bool {
	return f.compromised && r.Status.Resolved.Unrevoked
}

// reportOne says how a run ended; why it failed is told elsewhere if that is shared.
func (a *app) reportOne(r rotator.Result, f rotateFlags, shared bool) {
	for _, id := range r.Swept {
		fmt.Fprintf(a.stdout, "%s: revoked key %s, of a rotation that was cut off or superseded\n", r.Target, id)
	}
	for _, id := range r.Discarded {
		fmt.Fprintf(a.stdout, "%s: revoked the new key %s, which could not be used\n", r.Target, id)
	}
	for _, id := range r.Revoked {
		fmt.Fprintf(a.stdout, "%s: revoked the old key %s\n", r.Target, id)
	}
	for _, k := range r.Forgotten {
		a.say(text.FgYellow, r.Target, fmt.Sprintf("the old key %s (%s) is forgotten; it is still alive, and no rotation revokes it: revoke it yourself in Instantly under Settings > Integrations > API Keys", k.ID, k.Name))
	}
	if r.Rotated {
		fmt.Fprintf(a.stdout, "%s: %s %s %s is current\n", r.Target, text.FgGreen.Sprint("rotated:"), noun(r.Status), r.KeyID)
	}
	switch {
	case errors.Is(r.Err, rotator.ErrLostRace):
		fmt.Fprintf(a.stdout, "%s: stood back: %v\n", r.Target, rotator.ErrLostRace)
	case shared:
	case r.Err != nil:
		fmt.Fprintf(a.stdout, "%s: %s %v\n", r.Target, text.FgRed.Sprint("failed:"), r.Err)
		if h := a.hintFor(r.Err, r.Target); h != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", r.Target, h)
		}
	case forgotten(r, f):
		fmt.Fprintf(a.stdout, "%s: interrupted: nothing was begun\n", r.Target)
	case r.Interrupted:
		fmt.Fprintf(a.stdout, "%s: interrupted: the next run goes on\n", r.Target)
	default:
		fmt.Fprintf(a.stdout, "%s: %s%s\n", r.Target, settledWord(r), a.whatNext(r))
	}
}

// noun is what people call that which a target keeps.
func noun(t rotator.TargetStatus) string {
	if t.Sent {
		return "secret"
	}
	return "key"
}

// forgotten tells whether a run was cut off before anything of what was asked for by
// hand was begun: no store has a trace of it for a later run to go on from.
func forgotten(r rotator.Result, f rotateFlags) bool {
	begun := r.Rotated || r.Waived || r.Status.Rotation != nil || !r.Status.Incident.IsZero() || len(r.Revoked) > 0
	return r.Interrupted && !f.due && !begun
}

// command is the command as it was given, for one target.
func (f rotateFlags) command(target string) string {
	words := []string{program, "rotate"}
	if f.endGrace {
		words = append(words, "--end-grace")
	}
	if f.skipGates != "" {
		words = append(words, "--skip-gates", fleet.ShellQuote(f.skipGates))
	}
	if f.beginAnew {
		words = append(words, "--begin-anew")
	}
	return strings.Join(append(words, target), " ")
}

// waitsForSomebody tells whether trying again by hand fails in the same way.
func waitsForSomebody(err error) bool {
	for _, of := range []error{rotator.ErrInGrace, rotator.ErrLostRace, rotator.ErrHeld, rotator.ErrBusy, rotator.ErrStoreLost, rotator.ErrByHand} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// carriedOn says what becomes of an incident whose run was cut off.
func carriedOn(r rotator.Result, f rotateFlags) []string {
	retry := "instantly-rotator rotate --compromised " + r.Target + " --incident " + fleet.ShellQuote(f.incident)
	switch {
	case errors.Is(r.Err, rotator.ErrLostRace): // whoever it was may have dealt with it, under another name
		return []string{"another command or instance came between; see where it stands before you type it again: instantly-rotator status " + r.Target}
	case r.Status.Incident.IsZero() && r.Status.Resolved.ID == f.incident:
		return []string{"the incident is done with: no key of before it is left; what failed is tried again by every later run, at once with: instantly-rotator rotate --due --force " + r.Target}
	case r.Status.Incident.IsZero() && errors.Is(r.Err, rotator.ErrHeld):
		return []string{"the incident is NOT noted and the key lives on: instantly-rotator release " + r.Target + ", then " + retry}
	case r.Status.Incident.IsZero():
		return []string{"the incident is NOT noted and the key lives on, run it again: " + retry}
	default:
		return append(andAllWaits(f), "the incident is noted: every later run of any instance carries it on; not to wait: instantly-rotator rotate --due --force "+r.Target)
	}
}

// andAllWaits says of keys that wait for the admin key that they do.
func andAllWaits(f rotateFlags) []string {
	if !f.andAll {
		return nil
	}
	return []string{"the other keys are not replaced before the admin key is: type the same command again"}
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
		fmt.Fprintf(a.stdout, "%s: %s the old %s %s lives on: %s\n", r.Target, text.FgRed.Sprint("failed:"), noun(r.Status), r.Status.Old[0].ID, whyOldLives(r))
	case len(r.Revoked)+len(r.Forgotten) == 0:
		fmt.Fprintf(a.stdout, "%s: no grace period to end: there is no old %s beside %s\n", r.Target, noun(r.Status), dash(r.KeyID))
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
	fmt.Fprintf(a.stdout, "%s: incident %s was resolved %s ago: key %s is from after it and lives on\n", r.Target, i.ID, humantime.Span(a.now().Sub(i.Resolved)), r.KeyID)
}

// reportDead says how long the keys of before an incident lived: from the command on that
// declared it, or, where a later run carried it out, from then on.
func (a *app) reportDead(r rotator.Result, f rotateFlags, began time.Time) {
	since, what := began, "the command"
	if !f.compromised {
		i := r.Status.Incident
		if i.IsZero() && !r.Status.Resolved.Resolved.Before(began) {
			i = r.Status.Resolved
		}
		if i.IsZero() {
			return // in no incident
		}
		since, what = i.At, "incident "+i.ID+" was declared"
	}
	if i := r.Status.Resolved; r.Status.Senders != nil && !i.Resolved.Before(began) {
		fmt.Fprintf(a.stdout, "%s: no webhook sends a secret of before: %.1f s after %s\n", r.Target, i.Resolved.Sub(since).Seconds(), what)
	}
	for _, d := range r.Dead {
		fmt.Fprintf(a.stdout, "%s: key %s is dead: refused %.1f s after %s\n", r.Target, d.KeyID, d.At.Sub(since).Seconds(), what)
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
