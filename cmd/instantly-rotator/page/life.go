package page

import (
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// life is where a target is in the life of its key, and since when.
type life struct {
	Step  int // of lifeSteps
	Text  string
	Since *time.Time
}

// The steps of a key's life, as people are shown them.
const (
	stepIssue = iota
	stepVerify
	stepDeliver
	stepGrace
	stepMove
	stepRevoke
	stepInUse
)

// lifeSteps names them, in their order.
func lifeSteps() []string {
	return []string{"issue", "store and verify", "make current everywhere", "grace period of the old key", "move the consumers", "revoke the old key", "in use"}
}

func lifeOf(t status.Target, now time.Time) life {
	switch {
	case t.Rotation != nil:
		return rotating(t)
	case t.KeyID == "":
		return life{stepIssue, "no key yet", nil}
	case len(behind(t)) > 0, slices.ContainsFunc(t.SinksBehind(), func(s status.Sink) bool { return !s.Current }):
		return life{stepDeliver, "the current key is not in every place yet", t.Since}
	case len(t.OldKeys) > 0:
		return ofOldKey(t, now)
	case !t.Ours:
		return life{stepInUse, "in use; of unknown origin", t.Since}
	default:
		return life{stepInUse, "in use", t.Since}
	}
}

// behind lists the places that do not have what the primary store has, or are not known to;
// none if that is not known itself.
func behind(t status.Target) []status.Store {
	if len(t.Stores) == 0 || t.Stores[0].Error != "" || t.Current() == "" {
		return nil
	}
	_, differ := t.StoresApart()
	return differ
}

func rotating(t status.Target) life {
	l := life{stepIssue, "a new key is being issued", &t.Rotation.Since}
	if len(t.Stores) > 0 && t.Stores[0].Pending != "" {
		l.Step, l.Text = stepVerify, "the new key is stored, and being verified"
	}
	if t.Rotation.Interrupted {
		l.Text += ": interrupted"
	}
	return l
}

// ofOldKey tells what the old key waits for.
func ofOldKey(t status.Target, now time.Time) life {
	switch old := t.OldKeys[0]; {
	case old.Gone:
		return life{stepRevoke, "the old key is revoked, and to be proven dead", t.Since}
	case old.Until != nil && now.Before(*old.Until):
		return life{stepGrace, "the old key works until " + humantime.Stamp(*old.Until), t.Since}
	case old.Held:
		return life{stepGrace, "the old key is left as it is: on hold", t.Since}
	case t.Quarantine != "":
		return life{stepGrace, "the old key is left as it is: a value of unknown origin", t.Since}
	case len(old.WaitsFor) > 0:
		return life{stepMove, "the old key lives on until its consumers have moved: " + strings.Join(old.WaitsFor, ", "), old.Until}
	default:
		return life{stepRevoke, "the old key is to be revoked", old.Until}
	}
}

// stepOf names the engine's next step to people: what waits, or stops, is not settled.
func stepOf(t status.Target) string {
	switch rotator.Verb(t.NextStep) {
	case rotator.Stop:
		return "try again"
	case rotator.Settled:
		if t.LastFailure != nil || t.Error != "" {
			return "try again"
		}
		return "wait"
	default:
		return t.NextStep
	}
}

// nextOf says what comes next, and when, if not now.
func nextOf(t status.Target) (what string, at *time.Time) {
	switch {
	case t.Hold != nil && t.Incident == nil:
		if t.Hold.Until == nil {
			return "nothing until it is released", nil
		}
		return "the hold ends", t.Hold.Until
	case t.Incident != nil, t.Due && t.NextAt == nil:
		return stepOf(t), nil
	case len(t.OldKeys) > 0 && t.OldKeys[0].Ends != nil && !t.Due:
		return "revoke the old key", t.OldKeys[0].Ends
	case t.Due:
		return stepOf(t), t.NextAt
	case t.NextRotation != nil:
		return "rotate", t.NextRotation
	default:
		return "never by itself", nil
	}
}
