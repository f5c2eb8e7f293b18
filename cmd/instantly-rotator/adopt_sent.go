package main

import (
	"context"
	"errors"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/adoption"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Of a secret that webhooks send nothing is to be shown: it is what they send.

// overtake asks for what its webhooks send, and for no rotation.
func overtake() rotator.Request { return rotator.Request{TakeOver: true, NoRotation: true} }

// proposeSent says which values that webhooks send can be taken over.
func (a *app) proposeSent(ctx context.Context, fl *fleet.Fleet, sent []rotator.Target) []adoption.Target {
	targets := make([]adoption.Target, 0, len(sent))
	if len(sent) == 0 {
		return targets
	}
	for i, s := range fl.Glance(ctx, sent, overtake()) {
		t := adoption.Target{Target: s.Target, Store: sent[i].Stores[0].Name, Sent: true}
		if s.Current != nil {
			t.Version = s.Current.ID
		}
		err := errors.Join(s.Err, s.Next.Err)
		switch {
		case errors.Is(err, rotator.ErrNoSender):
			t.Result, t.Error = adoption.Empty, err.Error()
		case err != nil:
			a.failed(&t, adoption.Refused, err)
		case s.Next.Verb == rotator.Reserve, s.Stores[0].Versions[secretstore.Pending].Intent.Adopted != "": // or it was cut off
			t.Result = adoption.Proposed
		case s.Current == nil && sendsNothing(s.Senders):
			t.Result, t.Error = adoption.Empty, "its webhooks send no secret yet"
		default:
			t.Result = adoption.Managed
			if t.SendsPrevious = sendsPrevious(s.Senders); t.SendsPrevious {
				t.Hints = []string{a.pasted(`"` + program + " rotate --due " + t.Target + `" switches them to the current one when receivers have read it`)}
			}
		}
		targets = append(targets, t)
	}
	return targets
}

func sendsNothing(senders []rotator.SenderState) bool {
	return !slices.ContainsFunc(senders, func(s rotator.SenderState) bool { return s.Carries != rotator.CarriesNothing })
}

func sendsPrevious(senders []rotator.SenderState) bool {
	return slices.ContainsFunc(senders, func(s rotator.SenderState) bool { return s.Carries == rotator.CarriesPrevious })
}

// takeOverSent takes over what is proposed of values that webhooks send.
func (a *app) takeOverSent(ctx context.Context, fl *fleet.Fleet, targets []adoption.Target) {
	for i := range targets {
		t := &targets[i]
		if !t.Sent || t.Result != adoption.Proposed || ctx.Err() != nil {
			continue
		}
		at := slices.IndexFunc(fl.Targets, func(x rotator.Target) bool { return x.Name == t.Target })
		switch res := fl.Reconcile(ctx, fl.Targets[at], overtake()); {
		case res.Adopted != "" && res.Err != nil:
			a.failed(t, adoption.Adopted, res.Err)
			t.Version = res.Adopted
		case res.Adopted != "":
			t.Result, t.Version = adoption.Adopted, res.Adopted
		case res.Err != nil:
			a.failed(t, adoption.Failed, res.Err)
		case !res.Interrupted:
			t.Result, t.Version = adoption.Managed, res.KeyID // somebody else was quicker
		}
	}
}
