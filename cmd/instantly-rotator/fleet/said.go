package fleet

import (
	"fmt"
	"net/http"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// What is said of a rotation while it happens, to people and to logs alike, has its
// words here.

// Said says what a step has done, and what that means for whoever waits; empty for
// what has only been read, and for what failed, which is told in the end.
func Said(e rotator.Event) string {
	if e.Err != nil {
		return ""
	}
	if said, ok := saidOfSent(e); ok {
		return said
	}
	switch e.Verb {
	case rotator.Declare:
		return "the incident is noted in the store: from now on every instance carries it on"
	case rotator.Reserve:
		return "rotating: " + e.Reason
	case rotator.Issue:
		return "new key " + e.KeyID + " issued"
	case rotator.Stage:
		return "key " + e.KeyID + " stored in " + e.Store + ", not yet for consumers"
	case rotator.Try, rotator.Verify:
		return verified(e)
	case rotator.Promote:
		if e.Adopted {
			return "key " + e.KeyID + " is on record in " + e.Store + ": consumers read the same value as before"
		}
		return "key " + e.KeyID + " is current NOW in " + e.Store + ": restart consumers that cache the old one"
	case rotator.Waive:
		return "noted in the store: " + e.Reason
	case rotator.Converge:
		return "consumers asked for: key " + e.KeyID
	case rotator.SwitchBack, rotator.Resume:
		return e.Reason
	case rotator.Supply:
		return "sink " + e.Sink + " was given key " + e.KeyID
	case rotator.Revoke:
		return "old key " + e.KeyID + " revoked at Instantly; is it refused?"
	case rotator.Prove:
		return proven(e)
	case rotator.Sweep:
		return "key " + e.KeyID + ", which nothing refers to, revoked"
	case rotator.Discard:
		return "key " + e.KeyID + " given up and revoked"
	case rotator.Resolve:
		return "the incident is resolved: no key of before it is left"
	default:
		return ""
	}
}

// saidOfSent says it of a secret that receivers are sent, which no key of Instantly's is.
func saidOfSent(e rotator.Event) (string, bool) {
	if !e.Sent {
		return "", false
	}
	switch e.Verb {
	case rotator.Issue:
		return "new secret " + e.KeyID + " made", true
	case rotator.Stage:
		return "secret " + e.KeyID + " stored in " + e.Store + ", not yet for receivers", true
	case rotator.Promote:
		return "secret " + e.KeyID + " is current in " + e.Store + ": receivers must accept it and the one before, webhooks are switched next", true
	case rotator.Try:
		return "", true // nobody but its receivers can say whether it works
	case rotator.Verify:
		if e.Verdict != rotator.Valid.String() {
			return "", true
		}
		return "secret " + e.KeyID + " read back from " + e.Store, true
	case rotator.Converge:
		return "receivers asked for: secret " + e.KeyID, true
	case rotator.Switch:
		return e.Sender + ": sends the current value now; are its deliveries accepted?", true
	case rotator.Confirm:
		if e.Verdict != rotator.Valid.String() {
			return "", true
		}
		return e.Sender + ": its deliveries are accepted", true
	case rotator.Discard:
		return "secret " + e.KeyID + " given up", true
	case rotator.Resolve:
		return "the incident is resolved: no secret of before it is left", true
	default:
		return "", false
	}
}

func verified(e rotator.Event) string {
	switch {
	case e.Verdict != rotator.Valid.String():
		return ""
	case e.Store == "":
		return "key " + e.KeyID + " works"
	default:
		return "key " + e.KeyID + " verified as " + e.Store + " has it"
	}
}

func proven(e rotator.Event) string {
	switch e.Verdict {
	case rotator.Invalid.String():
		return "old key " + e.KeyID + " is refused"
	case rotator.Valid.String():
		return "old key " + e.KeyID + " is still accepted" + ofSpan(e.At, e.Since, e.Until)
	default:
		return ""
	}
}

// ofSpan says how much of the time that something may take is over.
func ofSpan(now, since, until time.Time) string {
	switch {
	case since.IsZero():
		return ""
	case until.IsZero():
		return " for " + humantime.Span(now.Sub(since))
	default:
		return fmt.Sprintf(": %.0f s of %.0f s", now.Sub(since).Seconds(), until.Sub(since).Seconds())
	}
}

// Awaited says what a run is at since then, and has not come to the end of.
func Awaited(s rotator.Step, since, now time.Time) string {
	if !s.Since.IsZero() {
		return s.Reason + ofSpan(now, s.Since, s.Until)
	}
	return s.Reason + " (for " + humantime.Span(now.Sub(since)) + ")"
}

// Trouble says what is wrong with an answer of Instantly that was not one, if the call
// is made again by itself, since the first one; empty if the call was answered.
func Trouble(c instantly.Call, first time.Time) string {
	outage := c.Status == 0 || c.Status == http.StatusTooManyRequests || c.Status >= http.StatusInternalServerError
	if !outage || c.Method == http.MethodPost {
		return ""
	}
	what := "Instantly does not answer"
	if c.Status != 0 {
		what = fmt.Sprintf("Instantly answers with HTTP %d", c.Status)
	}
	return fmt.Sprintf("%s: tried again until %s; all keys live on", what, first.Add(instantly.DefaultRetryBudget).UTC().Format("15:04:05Z"))
}
