package service

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// tell sends notifications; it never waits.
func (s *Service) tell(all ...notify.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range all {
		m.Text = s.pasted(m.Text)
		if s.fleet.notifier != nil {
			s.fleet.notifier.Send(m)
		}
	}
}

// notificationsOf gives what of a run people want to be told.
func notificationsOf(r rotator.Result, maxAge time.Duration, now time.Time) []notify.Message {
	var all []notify.Message
	tell := func(kind notify.Kind, topic, format string, args ...any) {
		all = append(all, notify.Message{
			Kind: kind, Target: r.Target, Workspace: r.Status.Workspace, Topic: topic, Text: fmt.Sprintf(format, args...), At: now,
		})
	}
	if r.FoundDead {
		tell(notify.NeedsPerson, "dead_key", "consumers held a key that Instantly refused; restart those that cache it, once a new one is current")
	}
	if r.Rotated {
		tell(notify.Rotated, r.KeyID, "key %s is current", r.KeyID)
	}
	if age := now.Sub(r.Status.Since); maxAge > 0 && !r.Status.Since.IsZero() && age > maxAge && !r.Rotated {
		tell(notify.TooOld, "", "the current key is %s old, max_age is %s", humantime.Span(age), humantime.Span(maxAge))
	}
	if kind, ok := kindOf(r.Err); ok {
		text := r.Err.Error()
		if h := remedy.For(r.Err, r.Target); h != "" {
			text += "; " + h
		}
		tell(kind, rotator.ClassOf(r.Err).Name, "%s", text)
		if kind == notify.Unable { // of the workspace: said once, not for each of its keys
			all[len(all)-1].Target = ""
		}
	}
	return all
}

// kindOf sorts an error by who can do something about it; false if nobody wants to
// be told.
func kindOf(err error) (notify.Kind, bool) {
	switch class := rotator.ClassOf(err); {
	case err == nil, class.Silent:
		return "", false
	case errors.Is(err, rotator.ErrCircuitOpen):
		return notify.Unable, true
	case needsPerson(err):
		return notify.NeedsPerson, true
	default:
		return notify.Failed, true
	}
}

// needsPerson tells whether trying again changes nothing by itself.
func needsPerson(err error) bool {
	return errors.Is(err, fleet.ErrNoAdminKey) || slices.ContainsFunc(rotator.ClassesOf(err), func(c rotator.Class) bool {
		return c.Category != rotator.Passing
	})
}
