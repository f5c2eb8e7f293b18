package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/adoption"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// adoptSent takes over the value that a target's webhooks send. There is nothing to be shown
// of it: it is what they send.
func (a *app) adoptSent(ctx context.Context, fl *fleet.Fleet, t rotator.Target, f adoptFlags) error {
	if f.wish != (rotator.Wish{}) {
		return usageError{errors.New("--key-id and --i-know are about keys: what webhooks send is no key")}
	}
	told := adoption.Target{Target: t.Name, Store: t.Stores[0].Name}
	req := rotator.Request{TakeOver: true, NoRotation: true}
	var err error
	switch {
	case f.dryRun:
		s := fl.Glance(ctx, []rotator.Target{t}, req)[0]
		if err = errors.Join(s.Err, s.Next.Err); s.Next.Verb == rotator.Reserve {
			told.Result = adoption.Proposed
		}
	default:
		res := fl.Reconcile(ctx, t, req)
		if res.Interrupted {
			return errInterrupted
		}
		if told.Version, err = res.KeyID, res.Err; res.Adopted != "" {
			told.Result, told.Version, err = adoption.Adopted, res.Adopted, nil
		}
	}
	switch {
	case err != nil:
		told.Result, told.Error = adoption.Failed, err.Error()
		if h := a.hintFor(err, t.Name); h != "" {
			told.Hints = []string{h}
		}
	case told.Result == "":
		told.Result = adoption.Managed
	}
	targets := []adoption.Target{told}
	if err := a.show(f.output, map[string]any{"targets": targets}, func() { a.adoptedSentLine(told) }); err != nil {
		return err
	}
	return adoptOutcome(ctx, targets, false)
}

func (a *app) adoptedSentLine(t adoption.Target) {
	switch t.Result {
	case adoption.Adopted:
		fmt.Fprintf(a.stdout, "%s: adopted: the value that its webhooks send, as %s\n", t.Target, t.Version)
	case adoption.Proposed:
		fmt.Fprintf(a.stdout, "%s: the value that its webhooks send can be taken over; nothing was changed\n", t.Target)
	case adoption.Managed:
		fmt.Fprintf(a.stdout, "%s: the store has what its webhooks send already\n", t.Target)
	default:
		a.say(text.FgRed, t.Target, "failed: "+t.Error)
		for _, h := range t.Hints {
			a.say(text.FgYellow, t.Target, "hint: "+h)
		}
	}
}
