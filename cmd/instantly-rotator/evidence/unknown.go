package evidence

import (
	"fmt"
	"slices"
)

// Unknown is something that the record does not tell.
type Unknown struct {
	What    string `json:"what"`
	Entries []Ref  `json:"entries,omitempty"`
}

// unknown lists what is not known, so that nobody takes it for good.
func (h *history) unknown(r Report) []Unknown {
	out := []Unknown{}
	say := func(entries []Ref, format string, args ...any) {
		out = append(out, Unknown{fmt.Sprintf(format, args...), entries})
	}
	for i, rec := range r.Records {
		out = append(out, unknownOf(rec, h.refsOf(i))...)
	}
	switch {
	case !r.Begins.Known():
		say(nil, "the whole period: the record has no entry until its end")
	case r.Begins.At.After(r.From):
		say(r.Begins.Entries, "%s to %s: the record begins in the period", stamp(r.From), stamp(r.Begins.At))
	}
	for _, e := range h.effects {
		if e.outcome == nil && h.within(e.Time) {
			say([]Ref{e.ref}, "what came of %s%s, begun %s: its outcome is not recorded", e.Verb, about(e.entry), stamp(e.Time))
		}
	}
	for _, e := range h.eventsOf("lost") {
		if h.within(e.Time) {
			say([]Ref{e.ref}, "%s", e.Why)
		}
	}
	for _, t := range r.Targets {
		for _, k := range t.Keys {
			if k.End == Revoked {
				say(k.Revoked.Entries, "whether key %s of %s is dead: it was revoked, and no refused call is recorded", k.ID, t.Name)
			}
			if k.End == Living && !k.Promoted.Known() {
				say(nil, "since when key %s of %s is current, and so whether it is late", k.ID, t.Name)
			}
		}
		if !t.Configured {
			say(nil, "the policy of %s: the configuration does not name it any more", t.Name)
		}
		if len(t.Keys) == 0 {
			say(nil, "the keys of %s: the record has no entry of it", t.Name)
		}
	}
	for _, in := range r.Incidents {
		if !in.Exposure.Known {
			say(in.Declared.Entries, "the exposure in incident %s: %s", in.ID, in.Exposure.Note)
		}
	}
	if r.Audits.Recorded.N == 0 {
		say(nil, "what audits found: none of the period is recorded")
	}
	if len(r.Access.Members) == 0 {
		say(nil, "who the members of the workspaces were: no list of them is recorded")
	}
	for _, m := range r.Access.Members {
		if m.Start.At.After(r.From) {
			say(m.Start.Entries, "the members of workspace %s before %s", m.Workspace, stamp(m.Start.At))
		}
	}
	out = append(out, unknownNow(r)...)
	return out
}

// refsOf gives what names an entry of a log.
func (h *history) refsOf(log int) func(seq int64) Ref {
	return func(seq int64) Ref {
		if len(h.in.Logs) > 1 {
			return Ref{h.in.Logs[log].Record.Log, seq}
		}
		return Ref{Seq: seq}
	}
}

// unknownOf lists what the verification of a log left open.
func unknownOf(rec Record, ref func(int64) Ref) []Unknown {
	switch {
	case rec.FaultAt != nil:
		at := ref(*rec.FaultAt)
		return []Unknown{{fmt.Sprintf("what entry %s and those after it said when they were written: %s", at, rec.Fault), []Ref{at}}}
	case rec.Fault != "":
		return []Unknown{{What: "whether the entries of log " + rec.Log + " are as they were written: " + rec.Fault}}
	case !rec.Verified():
		return []Unknown{{What: "what was done: log " + rec.Log + " has no entry"}}
	case !rec.Compared:
		return []Unknown{{What: "whether the end of log " + rec.Log + " was cut off: no checkpoint that was kept elsewhere was compared"}}
	}
	return nil
}

// unknownNow lists what stores and key lists did not say.
func unknownNow(r Report) []Unknown {
	var out []Unknown
	if r.Stores == nil {
		return []Unknown{{What: "whether stores and key lists agree with the record: they were not asked"}}
	}
	for _, d := range r.Stores.Differ {
		out = append(out, Unknown{What: "how this came about, which the record does not tell: " + d})
	}
	for _, why := range r.Stores.NotKnown {
		out = append(out, Unknown{What: "whether the store agrees with the record: " + why})
	}
	if len(r.Outside.Now) == 0 {
		out = append(out, Unknown{What: "which keys nobody rotates now: the key lists were not asked"})
	}
	for _, w := range r.Outside.Now {
		if w.Error != "" {
			out = append(out, Unknown{What: "the keys of workspace " + w.Workspace + ": " + w.Error})
		}
	}
	return slices.Clip(out)
}

// about names what an entry is about.
func about(e entry) string {
	text := ""
	if e.Target != "" {
		text += " of " + e.Target
	}
	if e.Key != "" {
		text += ", key " + e.Key
	}
	return text
}
