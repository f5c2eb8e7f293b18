package status

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// PlannedStep is what a run would do next for a target: a line of plan.
type PlannedStep struct {
	Target    string     `json:"target"`
	Workspace string     `json:"workspace"`
	Due       bool       `json:"due"`
	Step      string     `json:"step"`
	Store     string     `json:"store,omitempty"`
	KeyID     string     `json:"key_id,omitempty"`
	Reason    string     `json:"reason"`
	At        *time.Time `json:"at,omitempty"`
	Error     string     `json:"error,omitempty"`
	Hint      string     `json:"hint,omitempty"`
	Advice    []string   `json:"advice,omitempty"`
	// Failing is how it failed last, where that is of a sink: nothing is in the way of
	// the step itself, as far as that is known before it is tried.
	Failing string `json:"failing,omitempty"`
}

// Planned gives what a run would do next.
func Planned(o rotator.TargetStatus) PlannedStep {
	p := PlannedStep{
		Target: o.Target, Workspace: o.Workspace, Due: o.Due, Step: string(o.Next.Verb),
		KeyID: o.Next.ID, Reason: o.Next.Reason, At: humantime.Optional(o.Next.At), Advice: adviceOf(o),
	}
	if !o.Hold.IsZero() && o.Next.Verb == rotator.Settled {
		p.Reason, p.At = holdText(o.Hold), nil
	}
	if onlyWhenAsked(o) && o.Next.Verb == rotator.Settled && p.Reason == "" {
		p.Reason = NeverText
	}
	if o.Due {
		p.Store = o.Stores[max(o.Next.Store, 0)].Name
	}
	if o.Answered {
		p.Advice = append(p.Advice, fmt.Sprintf("incident %s is resolved since %s: key %s is from after it; once more: %s",
			o.Resolved.ID, humantime.Stamp(o.Resolved.Resolved), o.Current.ID, remedy.DeclareAgain(o.Target, o.Resolved.ID)))
		if !o.Due {
			p.Reason, p.At = "the incident is resolved", nil
		}
	}
	switch {
	case o.Next.Verb == rotator.Check, o.Dead && o.Due && !o.Next.At.IsZero() && o.Hold.IsZero(): // asking comes before the step that is meant
		p.Step, p.Reason, p.KeyID, p.At = string(rotator.Reserve), o.Because, "", nil
	case o.Refused:
		p.Reason, p.At = refusedHint, nil
	case !o.Next.At.IsZero() && o.Due: // asking once more
		p.Reason, p.At = o.Because, nil
	}
	if ofSinkBehind(o) {
		p.Failing, p.Advice = o.Failure.Reason, append(p.Advice, sinkHints(o)...)
	}
	if o.Next.Err != nil {
		p.Error, p.Hint = o.Next.Err.Error(), remedy.For(o.Next.Err, o.Target)
	}
	return p
}
