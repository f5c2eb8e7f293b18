package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// newsOf says what of a run people want to be told.
func newsOf(r rotator.Result, maxAge time.Duration, now time.Time) []notify.Message {
	var news []notify.Message
	tell := func(kind notify.Kind, topic, format string, args ...any) {
		news = append(news, notify.Message{
			Kind: kind, Target: r.Target, Workspace: r.Outlook.Workspace, Topic: topic, Text: fmt.Sprintf(format, args...), At: now,
		})
	}
	if r.FoundDead {
		tell(notify.NeedsPerson, "dead_key", "consumers held a key that Instantly refused; restart those that cache it, once a new one is current")
	}
	if r.Rotated {
		tell(notify.Rotated, r.KeyID, "key %s is current", r.KeyID)
	}
	if age := now.Sub(r.Outlook.Since); maxAge > 0 && !r.Outlook.Since.IsZero() && age > maxAge && !r.Rotated {
		tell(notify.TooOld, "", "the current key is %s old, max_age is %s", span(age), span(maxAge))
	}
	if kind, ok := kindOf(r.Err); ok {
		text := r.Err.Error()
		if h := hintFor(r.Err); h != "" {
			text += "; " + h
		}
		tell(kind, rotator.ReasonOf(r.Err), "%s", text)
		if kind == notify.Unable { // of the workspace: said once, not for each of its keys
			news[len(news)-1].Target = ""
		}
	}
	return news
}

// kindOf sorts an error by who can do something about it; false if it is no news.
func kindOf(err error) (notify.Kind, bool) {
	switch {
	case err == nil, errors.Is(err, rotator.ErrLostRace), errors.Is(err, rotator.ErrBusy), errors.Is(err, rotator.ErrHeld):
		return "", false
	case errors.Is(err, rotator.ErrFrozen):
		return notify.Unable, true
	case needsPerson(err):
		return notify.NeedsPerson, true
	default:
		return notify.Failed, true
	}
}

// needsPerson tells whether trying again changes nothing by itself.
func needsPerson(err error) bool {
	for _, of := range []error{
		rotator.ErrOrganization, rotator.ErrByHand, rotator.ErrScopes, rotator.ErrStillAlive, rotator.ErrGateOpen, rotator.ErrPanic,
		instantly.ErrUnauthorized, instantly.ErrScope, instantly.ErrPlan, instantly.ErrForbidden, instantly.ErrRedirect,
		secretstore.ErrDenied, secretstore.ErrCorrupt, secretstore.ErrNotFound, errNoAdminKey,
	} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}
