package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/adoption"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// adoptFlags say what is adopted, and on whose word.
type adoptFlags struct {
	all, yes, dryRun bool
	wish             rotator.Wish
	output           string
}

func (a *app) adoptCommand() *cobra.Command {
	var f adoptFlags
	c := &cobra.Command{
		Use:               "adopt TARGET | --all",
		ValidArgsFunction: a.completeOneTarget,
		Short:             "Take over a key made by hand, without rotating it",
		Long: `Take over a key that somebody made by hand and whose value a target's store gives
already. Consumers go on reading the same value. From then on it is a key like any
other: its age counts from when it was made, and when it was replaced it is revoked
after its grace period.

Which key the value is must be shown: by the key list's own value; or by the scopes
that Instantly says the value has, if only one key can be meant, by them or by the
target's name. Else a person has to say it: --key-id ID --i-know. That is
kept on record, and a key adopted on somebody's word, or that another target has too,
is never revoked by the rotator; you are told when to revoke it.

Of a target of webhook_secrets it takes over the value that its webhooks send today:
receivers accept it from the store then, and the next rotation replaces it.

The value must work, and its key be in the key list. A key whose scopes are not those
of the configuration, or that is too old, is rotated by the next run; it is said before.
Such a key, one that is taken on a person's word, and all with --all, are proposed, and
not adopted without a yes.`,
		Example: `  instantly-rotator adopt --all --dry-run
  instantly-rotator adopt sending
  instantly-rotator adopt sending --i-know \
    --key-id 0193a7c2-5a10-7c3e-9b1f-00000000000a`,
		RunE: func(c *cobra.Command, names []string) error { return a.adopt(c.Context(), names, f) },
	}
	outputFlag(c, &f.output)
	c.Flags().BoolVar(&f.all, "all", false, "every key of the configuration, and what webhooks send")
	c.Flags().StringVar(&f.wish.KeyID, "key-id", "", "the `ID` of the key that the value is (default: what the evidence says)")
	c.Flags().BoolVar(&f.wish.Word, "i-know", false, "take it for that key on your word, if nothing shows it")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be adopted, and change nothing")
	return c
}

// check refuses flags that make no sense.
func (f adoptFlags) check(names []string) error {
	switch {
	case f.all == (len(names) > 0) || len(names) > 1:
		return usageError{errors.New("adopt takes one TARGET, or --all")}
	case f.all && (f.wish != rotator.Wish{}):
		return usageError{errors.New("--key-id and --i-know are about one TARGET")}
	case f.wish.Word && f.wish.KeyID == "":
		return usageError{errors.New("--i-know needs --key-id: which key is it?")}
	case f.output != "table" && f.output != "json":
		return wrongOutput(f.output)
	}
	return nil
}

func (a *app) adopt(ctx context.Context, names []string, f adoptFlags) error {
	if err := f.check(names); err != nil {
		return err
	}
	doing := errands{of: map[string]string{}}
	stop := a.afterSilence(doing.String)
	defer func() { stop() }()
	fl, err := a.openFleet(ctx, nil, f.dryRun, func(o *fleet.Options) { o.Doing = doing.begun }) // other targets may have the same keys
	if err != nil {
		return err
	}
	defer fl.Close()
	keys, sent := f.chosen(fl.Targets, names)
	if len(names) == 1 && len(sent) == 1 && f.wish != (rotator.Wish{}) {
		return usageError{errors.New("--key-id and --i-know are about keys: what webhooks send is no key")}
	}
	wishes, err := f.wishes(fl, names)
	if err != nil {
		return err
	}
	var proposals []rotator.Proposal
	if len(keys) > 0 {
		proposals = fl.Propose(ctx, keys, wishes)
	}
	var targets []adoption.Target
	for _, p := range proposals {
		targets = append(targets, a.proposed(p))
	}
	targets = append(targets, a.proposeSent(ctx, fl, sent)...)
	if ctx.Err() != nil {
		return errInterrupted
	}
	stop()
	stop = func() {}
	if f.output == "table" {
		a.proposalTable(targets)
	}
	if agreed, err := a.agreed(ctx, targets, f); err != nil {
		return err
	} else if agreed {
		a.takeOver(ctx, fl, proposals, targets)
		a.takeOverSent(ctx, fl, targets)
	}
	if err := a.show(f.output, map[string]any{"targets": targets}, func() { a.adoptedLines(targets) }); err != nil {
		return err
	}
	return adoptOutcome(ctx, targets, f.all)
}

// proposed draws the picture of a proposal; with the remedy of what was in the way of one.
func (a *app) proposed(p rotator.Proposal) adoption.Target {
	t := adoption.Of(p, a.now())
	if t.Result == adoption.Refused && len(t.Hints) == 0 {
		a.failed(&t, adoption.Refused, p.Err)
	}
	return t
}

// chosen gives the targets of keys and those of secrets that webhooks send. Of keys all are
// looked at, since others may have the same.
func (f adoptFlags) chosen(all []rotator.Target, names []string) (keys, sent []rotator.Target) {
	for _, t := range all {
		switch {
		case t.Senders == nil:
			keys = append(keys, t)
		case f.all || slices.Contains(names, t.Name):
			sent = append(sent, t)
		}
	}
	if !f.all && len(sent) > 0 {
		keys = nil
	}
	return keys, sent
}

// wishes says what each target is to adopt; nil for all of them.
func (f adoptFlags) wishes(fl *fleet.Fleet, names []string) (map[string]rotator.Wish, error) {
	if f.all {
		return nil, nil //nolint:nilnil // nil stands for all
	}
	if _, err := fleet.Chosen(fl.Config, names); err != nil {
		return nil, err
	}
	return map[string]rotator.Wish{names[0]: f.wish}, nil
}

// agreed tells whether what is proposed is to be done. Who named one target has said so,
// unless more follows from it than meets the eye, or nothing but their word shows the key.
func (a *app) agreed(ctx context.Context, targets []adoption.Target, f adoptFlags) (bool, error) {
	n, doubts, what := 0, 0, "key"
	for _, t := range targets {
		if t.Result == adoption.Proposed {
			n++
		}
		if t.Sent && t.Result == adoption.Proposed {
			what = "value"
		}
		if t.Surprise != "" || t.Evidence == rotator.AdoptedByWord {
			doubts++
		}
	}
	switch {
	case n == 0 || f.dryRun:
		return false, nil
	case f.yes || !f.all && doubts == 0:
		return true, nil
	case f.output == "json" || !terminal(os.Stdin):
		return false, usageError{fmt.Errorf("nothing was adopted: --yes adopts %s as proposed", humantime.Count(n, what))}
	}
	fmt.Fprintf(a.stderr, "Adopt %s? Type yes: ", humantime.Count(n, what))
	return typedYes(ctx)
}

// takeOver adopts what is proposed, one after another.
func (a *app) takeOver(ctx context.Context, fl *fleet.Fleet, proposals []rotator.Proposal, targets []adoption.Target) {
	for i, p := range proposals {
		if p.Adoption == nil || ctx.Err() != nil {
			continue
		}
		at := slices.IndexFunc(fl.Targets, func(t rotator.Target) bool { return t.Name == p.Target })
		res := fl.Adopt(ctx, fl.Targets[at], *p.Adoption)
		t := &targets[i]
		t.Hints = nil
		switch {
		case res.Err != nil && res.Adopted == "":
			a.failed(t, adoption.Failed, res.Err)
		case res.Err != nil:
			a.failed(t, adoption.Adopted, res.Err)
		case !res.Interrupted:
			t.Result = adoption.Adopted
		}
	}
}

// failed says what went wrong with a target, and what came of it all the same.
func (a *app) failed(t *adoption.Target, how adoption.Result, err error) {
	t.Result, t.Error = how, err.Error()
	if h := a.hintFor(err, t.Target); h != "" {
		t.Hints = []string{h}
	}
}

// proposalTable shows what was found.
func (a *app) proposalTable(targets []adoption.Target) {
	table := a.table("TARGET", "STORE", "KEY", "NAME", "AGE", "SCOPES", "EVIDENCE")
	rows := 0
	for _, t := range targets {
		if t.Key == nil {
			continue
		}
		age := "-"
		if t.Key.Created != nil {
			age = humantime.Span(a.now().Sub(*t.Key.Created))
		}
		table.AppendRow(row(t.Target, t.Store, t.Key.ID, t.Key.Name, age, strings.Join(t.Key.Scopes, ", "), string(t.Evidence)))
		rows++
	}
	if rows > 0 {
		table.Render()
	}
	for _, t := range targets {
		switch t.Result {
		case adoption.Refused, adoption.Empty:
			a.say(text.FgRed, t.Target, t.Error)
		case adoption.Proposed:
			if t.Sent {
				a.say(text.Reset, t.Target, "the value that its webhooks send can be taken over")
			}
		case adoption.Managed:
			a.say(text.Reset, t.Target, managedText(t))
		default:
		}
		for _, h := range t.Hints {
			a.say(text.FgYellow, t.Target, h)
		}
	}
}

// managedText says why there is nothing to take over.
func managedText(t adoption.Target) string {
	switch {
	case t.SendsPrevious:
		return "its webhooks send the previous value of the store: there is nothing to take over"
	case t.Sent:
		return "the store has what its webhooks send already"
	default:
		return "its key is the rotator's already: " + t.Version
	}
}

// adoptedLines say what came of it.
func (a *app) adoptedLines(targets []adoption.Target) {
	for _, t := range targets {
		switch t.Result {
		case adoption.Adopted:
			a.adoptedLine(t)
			a.failedLines(t)
		case adoption.Failed:
			a.failedLines(t)
		case adoption.Proposed:
			fmt.Fprintf(a.stdout, "%s: nothing was changed\n", t.Target)
		default:
		}
	}
}

func (a *app) adoptedLine(t adoption.Target) {
	if t.Sent {
		fmt.Fprintf(a.stdout, "%s: adopted: the value that its webhooks send, as %s\n", t.Target, t.Version)
		return
	}
	next := ""
	if t.NextRotation != nil {
		next = "; falls due " + humantime.Until(*t.NextRotation, a.now())
	}
	fmt.Fprintf(a.stdout, "%s: adopted: key %s (%s)%s\n", t.Target, t.Key.ID, t.Key.Name, next)
}

// failedLines say what went wrong, with a target that was adopted too.
func (a *app) failedLines(t adoption.Target) {
	if t.Error == "" {
		return
	}
	a.say(text.FgRed, t.Target, "failed: "+t.Error)
	for _, h := range t.Hints {
		a.say(text.FgYellow, t.Target, "hint: "+h)
	}
}

// adoptOutcome: a target that could not be taken over must be seen to, and one of which
// something failed then. Of all, some may have nothing to take over.
func adoptOutcome(ctx context.Context, targets []adoption.Target, all bool) error {
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case slices.ContainsFunc(targets, func(t adoption.Target) bool {
		return t.Result == adoption.Refused || t.Result == adoption.Failed || t.Result == adoption.Empty && !all ||
			t.Result == adoption.Adopted && t.Error != ""
	}):
		return errFailed
	}
	return nil
}
