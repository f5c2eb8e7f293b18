package evidence

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

func (p *page) late(r Report) {
	p.part("Late rotations")
	p.say("Late is what came more than %s after it fell due.\n", span(LateAfter))
	var rows [][]string
	for _, l := range r.Late {
		came := "not by the end"
		if l.Rotated.Known() {
			came = stamp(l.Rotated.At)
		}
		rows = append(rows, []string{
			l.Target, shortID(l.Key), stamp(l.Due), came, span(l.By), meanwhile(l),
			refs(l.Since.Entries, l.Rotated.Entries, l.Failed.Entries, l.Held.Entries),
		})
	}
	p.table([]string{"target", "key", "due", "replaced", "late by", "meanwhile", "entries"}, rows, "None.")
}

// meanwhile says what is recorded of the time in which nothing came.
func meanwhile(l Late) string {
	var said []string
	if l.Held.N > 0 {
		said = append(said, "on hold")
	}
	if l.Failed.N > 0 {
		said = append(said, fmt.Sprintf("%d steps failed", l.Failed.N))
	}
	if len(said) == 0 {
		return "nothing recorded"
	}
	return strings.Join(said, ", ")
}

func (p *page) incidents(r Report) {
	p.part("Incidents")
	if len(r.Incidents) == 0 {
		p.say("None was declared.")
		return
	}
	p.say("Exposure runs from the declaration until a call with the value of the last old key was refused, or, of")
	p.say("webhooks, until they sent the last old secret no more and no store had it; how long a key was in wrong")
	p.say("hands before that is not known to the record.\n")
	var rows [][]string
	for _, in := range r.Incidents {
		rows = append(rows, []string{
			in.ID, in.Who, stamp(in.Declared.At), in.Replaced.String(), exposureOf(in), cmp.Or(in.Resolved.Note, moment(in.Resolved)),
			refs(in.Replaced.Entries, in.Exposure.Entries, in.Resolved.Entries),
		})
	}
	p.table([]string{"incident", "declared by", "declared", "until replaced everywhere", "exposure", "resolved", "entries"}, rows, "")
	p.say("")
	rows = nil
	for _, in := range r.Incidents {
		for _, t := range in.Targets {
			for _, old := range t.Old {
				rows = append(rows, []string{
					in.ID, t.Target, shortID(old.ID), exactMoment(t.Declared), exactMoment(t.Replaced), exactMoment(old.Revoked), exactMoment(old.end()),
					last(t.Declared, t.Replaced, old.Revoked, old.end()),
				})
			}
		}
	}
	p.table([]string{"incident", "target", "old key", "declared", "replaced everywhere", "revoked", "dead, or no longer sent", "entries"}, rows, "No old key is recorded.")
}

// exposureOf writes how long old keys worked on, and whether that was wanted.
func exposureOf(in Incident) string {
	if in.Graceful {
		return in.Exposure.String() + ", with grace periods"
	}
	return in.Exposure.String()
}

// exactMoment writes one to the second.
func exactMoment(m Moment) string {
	if !m.Known() {
		return cmp.Or(m.Note, "-")
	}
	return m.At.Round(tenth).Format("2006-01-02 15:04:05.0")
}

func (p *page) exceptions(r Report) {
	p.part("Exceptions")
	var rows [][]string
	for _, x := range r.Exceptions {
		when := stamp(x.Began.At)
		if x.stands() {
			when += " – " + cmp.Or(x.Ended.Note, moment(x.Ended))
		}
		rows = append(rows, []string{x.Kind, cmp.Or(x.Target, "-"), when, x.Who, cmp.Or(x.Reason, "no reason recorded"), refs(x.Entries)})
	}
	p.table([]string{"exception", "target", "when", "who", "reason", "entries"}, rows, "None.")
}

func (p *page) outside(r Report) {
	p.part("Keys outside of management")
	if r.Outside.Note != "" {
		p.say("In the period: %s.", r.Outside.Note)
	} else {
		p.findings(r.Outside.Recorded, "By the last audit of the period: none.")
	}
	for _, w := range r.Outside.Now {
		switch {
		case w.Error != "":
			p.say("\nWhen this was made, in workspace %s: %s (%s).", w.Workspace, notKnown, cell(w.Error))
		default:
			p.say("\nWhen this was made, of the %d keys in workspace %s, not managed: %s.", w.Keys, w.Workspace, cell(list(w.Unmanaged)))
		}
	}
	if r.Outside.Now == nil {
		p.say("\nWhen this was made: %s, the key lists were not asked.", notKnown)
	}
}

// findings writes a table of them; those that are gone, with when.
func (p *page) findings(all []Finding, none string) {
	end := "last found"
	var rows [][]string
	for _, f := range all {
		seen := f.Last
		if f.Gone.Known() {
			end, seen = "gone by", f.Gone
		}
		rows = append(rows, []string{f.Check, f.Severity, f.Subject, moment(f.First), moment(seen), refs(f.First.Entries, seen.Entries)})
	}
	p.table([]string{"check", "severity", "subject", "first found", end, "entries"}, rows, none)
}

func (p *page) audits(r Report) {
	p.part("Audit findings")
	if r.Audits.Note != "" {
		p.say("%s: no audit of the period is in the record.", strings.ToUpper(r.Audits.Note[:1])+r.Audits.Note[1:])
		if len(r.Audits.Open) == 0 {
			return
		}
		p.say("\nOpen since an audit before it:\n")
		p.findings(r.Audits.Open, "")
		return
	}
	p.say("%s of audits, one for each workspace and audit (%s).\n\nOpen at the end:\n", humantime.Count(r.Audits.Recorded.N, "record"), entriesWord(r.Audits.Recorded.Entries))
	p.findings(r.Audits.Open, "None.")
	p.say("\nAccepted at the end, by an exception in the configuration:\n")
	p.findings(r.Audits.Accepted, "None.")
	p.say("\nClosed in the period:\n")
	p.findings(r.Audits.Closed, "None.")
}

func (p *page) access(r Report) {
	p.part("Access")
	p.say("What the keys that consumers had may do, at both ends of the period:\n")
	var rows [][]string
	for _, s := range r.Access.Scopes {
		rows = append(rows, []string{
			s.Target, scopesOf(s.AtStart), scopesOf(s.AtEnd), refs(s.AtStart.Entries, s.AtEnd.Entries),
		})
	}
	p.table([]string{"target", "at the start", "at the end", "entries"}, rows, "No target is known.")
	p.say("\nMembers of the workspaces:\n")
	rows = nil
	for _, m := range r.Access.Members {
		rows = append(rows, []string{
			m.Workspace, list(m.AtStart) + " (" + stamp(m.Start.At) + ")", list(m.AtEnd) + " (" + stamp(m.End.At) + ")",
			list(m.Gone()), list(m.Came()), refs(m.Start.Entries, m.End.Entries),
		})
	}
	p.table([]string{"workspace", "at the start", "at the end", "gone or changed", "new or changed", "entries"}, rows, "Not recorded.")
	p.say("\nWhat people did to members and with values:\n")
	rows = nil
	for _, a := range r.Access.People {
		rows = append(rows, []string{a.Verb, cmp.Or(a.Subject, "-"), a.Who, a.Came, strconv.Itoa(a.Times.N), stamp(a.First.At), cmp.Or(a.Reason, "-"), refs(a.Times.Entries)})
	}
	p.table([]string{"what", "subject", "who", "came to", "times", "first", "why", "entries"}, rows, "Nothing is recorded.")
}

func scopesOf(s Scopes) string {
	if s.Key == "" {
		return s.Note
	}
	return s.Scopes + " (key " + shortID(s.Key) + ")"
}

func (p *page) seen(r Report) {
	p.part("What wrote the record")
	var rows [][]string
	for _, kind := range []struct {
		name string
		used []Used
	}{{"version", r.Seen.Versions}, {"configuration", r.Seen.Configurations}, {"instance", r.Seen.Instances}} {
		for _, u := range kind.used {
			rows = append(rows, []string{kind.name, u.Name, stamp(u.First.At), stamp(u.Last.At), strconv.Itoa(u.N), refs(u.First.Entries, u.Last.Entries)})
		}
	}
	p.table([]string{"", "name", "first", "last", "how many entries", "first and last entry"}, rows, "Not recorded.")
}

func (p *page) controls(r Report) {
	p.part("Controls that the parts speak to")
	p.say("That a part speaks to a control does not say that the control is met: that is for the auditor to judge.\n")
	var rows [][]string
	for _, c := range r.Controls {
		rows = append(rows, []string{c.Part, c.SOC2, c.ISO27001, cmp.Or(c.PCI, "-"), c.Says})
	}
	p.table([]string{"part", "SOC 2", "ISO 27001:2022", "PCI DSS 4", "shows"}, rows, "")
	p.say("\nThe record can be verified with `instantly-rotator trail verify`, or with other programs: it is a Merkle")
	p.say("tree with signed checkpoints, as of Go's checksum database (`golang.org/x/mod/sumdb/tlog` and `note`).")
}
