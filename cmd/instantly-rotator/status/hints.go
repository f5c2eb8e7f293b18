package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// errorHints say what is in the way of a target, and what can be done.
func errorHints(ob *sortedError) []string {
	if ob == nil {
		return nil
	}
	text := ob.text
	if ob.sink != "" {
		text = "sink " + ob.sink + ": " + text
	}
	if ob.hint == "" {
		return []string{text}
	}
	return []string{text, ob.hint}
}

// remarksOf says what else a person should know or do about a target.
func remarksOf(o rotator.TargetStatus) []string {
	var hints []string
	if h := o.Hold; !h.IsZero() {
		hints = append(hints, holdHint(o.Target, h))
	}
	if i := o.Incident; !i.IsZero() {
		hints = append(hints, fmt.Sprintf("incident %s since %s: what is from before it is replaced, and ends without a grace period; not to wait for the next run: instantly-rotator rotate --due --force %s", i.ID, humantime.Stamp(i.At), o.Target))
	}
	if i := o.Resolved; i.Unrevoked {
		hints = append(hints, UnrevokedHint(o.Target, i))
	}
	if o.Rotation != nil {
		hints = append(hints, rotationHint(*o.Rotation))
	}
	sinksSaid := sinkHints(o)
	if o.Failure.Count > 0 && !ofSinkBehind(o) {
		hints = append(hints, fmt.Sprintf("failed %s, last at %s (%s): %s", humantime.Times(o.Failure.Count), humantime.Stamp(o.Failure.At), o.Failure.Step, o.Failure.Reason))
	}
	if o.Current != nil && o.Current.Foreign && !o.Dead && !o.Refused { // else only a rotation helps
		hints = append(hints, foreignHint(o))
	}
	if o.Credential && replacedHandMade(o) {
		hints = append(hints, handMadeHint)
	}
	if o.Current != nil && o.Since.IsZero() {
		hints = append(hints, "the age of the current key is not known, so it never falls due by itself; \"instantly-rotator rotate "+o.Target+"\" starts afresh")
	}
	if o.Odd != "" {
		hints = append(hints, o.Odd+"; \"instantly-rotator rotate "+o.Target+"\" starts afresh")
	}
	hints = append(hints, sinksSaid...)
	hints = append(hints, adviceOf(o)...)
	if n := len(o.Orphans); n > 0 {
		when := "\"instantly-rotator rotate --due\" revokes them"
		if o.Quarantine != "" {
			when = "they are revoked when the quarantine is over"
		}
		hints = append(hints, fmt.Sprintf("%d keys left behind by interrupted rotations; %s", n, when))
	}
	switch {
	case o.Dead:
		hints = append(hints, "consumers hold a dead key; run: instantly-rotator rotate "+o.Target)
	case o.Refused:
		hints = append(hints, refusedHint)
	case o.Next.Verb == rotator.Supply && len(sinksSaid) > 0: // it was said which sink
	case o.Due && o.Next.Err == nil && o.Next.Verb != rotator.Converge:
		hints = append(hints, "due: "+o.Because+"; \"instantly-rotator rotate --due\" sees to it")
	}
	return hints
}

// foreignHint says what becomes of a current value that somebody put there.
func foreignHint(o rotator.TargetStatus) string {
	again := "\"instantly-rotator rotate " + o.Target + "\" replaces it"
	stands := slices.ContainsFunc(o.Stores, func(st rotator.StoreState) bool { return st.Versions[secretstore.Previous].ID != "" })
	switch {
	case !o.Sent:
		return "the current key was not made by the rotator: it is used as it is and never revoked; \"instantly-rotator adopt " + o.Target + "\" takes it over as it is; " + again + ", then revoke it yourself in Instantly"
	case stands:
		return "the current value was put there by hand, and receivers get it beside the one of before: \"instantly-rotator rotate --due " + o.Target +
			"\" switches its webhooks to it when receivers have read it; when the one of before is gone, " + again
	default:
		return "the current value was put there by hand: it is used as it is; " + again
	}
}

// replacedHandMade tells whether a rotation put a key of ours in the place of a value of
// unknown origin. What a hand displaced may be the current key's own value, or none.
func replacedHandMade(o rotator.TargetStatus) bool {
	if o.Current == nil || o.Current.Foreign || o.Current.Intent.Adopted != "" {
		return false
	}
	return len(o.Stores) > 0 && o.Stores[0].Versions[secretstore.Previous].Foreign
}

const handMadeHint = "the admin key of before, which the rotator did not make, still lives: when nothing else uses it, revoke it yourself in Instantly under Settings > Integrations > API Keys"

const refusedHint = "the current key was refused just now: it is dead, or not active yet; \"instantly-rotator rotate --due\" finds out, and replaces it"

// UnrevokedHint says what an incident could not do, and how a person does it.
func UnrevokedHint(target string, i secretstore.Incident) string {
	return "incident " + i.ID + " replaced a value that somebody put there: the rotator does not know its key and left it alive. If it leaked, delete it in Instantly under Settings > Integrations > API Keys; when it is gone, or did not leak: instantly-rotator release --revoked-by-hand " + target
}

// rotationHint says who has begun a rotation, and whether anybody is at it.
func rotationHint(r rotator.Rotation) string {
	begun := "since " + humantime.Stamp(r.Since)
	if r.By != "" {
		begun = "by " + r.By + " " + begun
	}
	if r.UnderWay {
		return "rotating " + begun
	}
	if r.Gone {
		return "interrupted (" + r.By + " is gone); \"instantly-rotator rotate --due\" goes on with the rotation that it began at " + humantime.Stamp(r.Since)
	}
	return "a rotation begun " + begun + " was interrupted; \"instantly-rotator rotate --due\" goes on with it"
}

// adviceOf gathers what the stores have to say, and what the old key waits for.
func adviceOf(o rotator.TargetStatus) []string {
	var advice []string
	if o.Quarantine != "" {
		advice = append(advice, o.Quarantine)
	}
	if len(o.Gates) > 0 {
		advice = append(advice, "the old key is revoked only when its consumers have moved: "+strings.Join(o.Gates, ", ")+gatesHint(o))
	}
	for _, st := range o.Stores {
		for _, text := range st.Advice {
			advice = append(advice, "store "+st.Name+": "+text)
		}
	}
	return advice
}

// gatesHint says how a wait for consumers ends.
func gatesHint(o rotator.TargetStatus) string {
	if o.Next.Verb != rotator.Converge {
		return " (a run asks whether they have; this command did not)"
	}
	since := ""
	if len(o.Old) > 0 && !o.Old[0].Until.IsZero() {
		since = " since " + humantime.Stamp(o.Old[0].Until)
	}
	return "; it waits for them" + since + ", when its grace period was over. To ask them again: instantly-rotator rotate --due " + o.Target +
		"; if they never will: instantly-rotator rotate --skip-gates REASON " + o.Target
}

// holdText says why a key is left as it is.
func holdText(h secretstore.Hold) string {
	text := "on hold since " + humantime.Stamp(h.Since)
	if h.Reason != "" {
		text += " (" + h.Reason + ")"
	}
	return text
}

func holdHint(target string, h secretstore.Hold) string {
	text := holdText(h)
	if !h.Until.IsZero() {
		text += ", until " + humantime.Stamp(h.Until)
	}
	return text + "; \"instantly-rotator release " + target + "\" ends it"
}
