package evidence

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// CSV writes one line a figure. Cells that a spreadsheet would take for a formula are
// quoted with an apostrophe.
func (r Report) CSV(w io.Writer) error {
	s := &sheet{}
	s.add("part", "target", "subject", "figure", "value", "note", nil)
	s.rows[0][6] = "entries"
	s.record(r)
	s.keys(r)
	s.people(r)
	s.surroundings(r)
	out := csv.NewWriter(w)
	if err := out.WriteAll(s.rows); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

type sheet struct{ rows [][]string }

func (s *sheet) add(part, target, subject, figure, value, note string, entries []Ref) {
	row := []string{part, target, subject, figure, value, note, numbers(entries, " ")}
	for i, text := range row {
		if strings.ContainsAny(firstOf(text), "=+-@\t\r") {
			row[i] = "'" + text
		}
	}
	s.rows = append(s.rows, row)
}

func firstOf(s string) string { return s[:min(1, len(s))] }

func (s *sheet) moment(part, target, subject, figure string, m Moment) {
	s.add(part, target, subject, figure, exactly(m.At), m.Note, m.Entries)
}

func (s *sheet) span(part, target, subject, figure string, d Span) {
	value := ""
	if d.Known {
		value = d.number()
	}
	s.add(part, target, subject, figure, value, d.Note, d.Entries)
}

func (s *sheet) record(r Report) {
	s.add("period", "", "", "from", exactly(r.From), "", nil)
	s.add("period", "", "", "to", exactly(r.To), "", nil)
	s.add("period", "", "", "made", exactly(r.Made), "", nil)
	for _, rec := range r.Records {
		s.add("record", "", rec.Log, "as it was written", strconv.FormatBool(rec.Verified()), rec.Fault, nil)
		s.add("record", "", rec.Log, "compared with a kept checkpoint", strconv.FormatBool(rec.Compared), "", nil)
		s.add("record", "", rec.Log, "first entry", strconv.FormatInt(rec.First, 10), "", nil)
		s.add("record", "", rec.Log, "last entry", strconv.FormatInt(rec.Last, 10), "", nil)
	}
	for _, f := range r.Summary {
		if f.Span != nil {
			s.span("summary", "", "", f.Name+" (seconds)", *f.Span)
			continue
		}
		s.add("summary", "", "", f.Name, f.Text(), "", f.Entries())
	}
	for _, u := range r.Unknown {
		s.add("not known", "", "", u.What, "", notKnown, u.Entries)
	}
	if r.Stores != nil {
		s.add("stores now", "", "", "targets as recorded", strconv.Itoa(r.Stores.Same), "", nil)
		for _, d := range r.Stores.Differ {
			s.add("stores now", "", "", "differs", d, "", nil)
		}
	}
}

func (s *sheet) keys(r Report) {
	for _, t := range r.Targets {
		for _, k := range t.Keys {
			s.add("keys", t.Name, k.ID, "state at the end", string(k.End), k.Answer, merged(k.Revoked.Entries, k.Dead.Entries, k.Unsent.Entries))
			s.add("keys", t.Name, k.ID, "origin", string(k.Origin), k.Why, k.Issued.Entries)
			s.moment("keys", t.Name, k.ID, "issued", k.Issued)
			s.moment("keys", t.Name, k.ID, "current", k.Promoted)
			s.moment("keys", t.Name, k.ID, "current in all stores", k.Delivered)
			s.add("keys", t.Name, k.ID, "due", exactly(k.Due), "by the configuration when this was made", k.Promoted.Entries)
			s.moment("keys", t.Name, k.ID, "displaced", k.Displaced)
			s.span("keys", t.Name, k.ID, "age at rotation (seconds)", k.Age)
			s.moment("keys", t.Name, k.ID, "revoked", k.Revoked)
			s.moment("keys", t.Name, k.ID, "proven dead", k.Dead)
			if k.sent() {
				s.moment("keys", t.Name, k.ID, "no longer sent", k.Unsent)
			}
		}
	}
	for _, l := range r.Late {
		s.add("late rotations", l.Target, l.Key, "late by (seconds)", strconv.FormatInt(int64(l.By.Seconds()), 10), meanwhile(l),
			merged(l.Since.Entries, l.Rotated.Entries, l.Failed.Entries, l.Held.Entries))
	}
}

func (s *sheet) people(r Report) {
	for _, in := range r.Incidents {
		s.moment("incidents", "", in.ID, "declared", in.Declared)
		s.span("incidents", "", in.ID, "until replaced everywhere (seconds)", in.Replaced)
		s.span("incidents", "", in.ID, "exposure (seconds)", in.Exposure)
		s.moment("incidents", "", in.ID, "resolved", in.Resolved)
		for _, t := range in.Targets {
			s.span("incidents", t.Target, in.ID, "exposure (seconds)", t.Exposure)
		}
	}
	for _, x := range r.Exceptions {
		s.add("exceptions", x.Target, x.Kind, "began", exactly(x.Began.At), x.Who+": "+x.Reason, x.Entries)
		if x.stands() {
			s.moment("exceptions", x.Target, x.Kind, "ended", x.Ended)
		}
	}
	for _, a := range r.Access.People {
		s.add("acts", a.Subject, a.Verb, "times", strconv.Itoa(a.Times.N), a.Who+": "+a.Came, a.Times.Entries)
	}
}

func (s *sheet) surroundings(r Report) {
	for _, f := range r.Audits.Open {
		s.add("audit findings", f.Subject, f.Check, "open", f.Severity, "", merged(f.First.Entries, f.Last.Entries))
	}
	for _, f := range r.Audits.Accepted {
		s.add("audit findings", f.Subject, f.Check, "accepted", f.Severity, "", merged(f.First.Entries, f.Last.Entries))
	}
	for _, f := range r.Audits.Closed {
		s.add("audit findings", f.Subject, f.Check, "closed", f.Severity, "", merged(f.First.Entries, f.Last.Entries, f.Gone.Entries))
	}
	for _, w := range r.Outside.Now {
		for _, name := range w.Unmanaged {
			s.add("keys outside of management", "", w.Workspace, "when this was made", name, w.Error, nil)
		}
	}
	for _, sc := range r.Access.Scopes {
		s.add("access", sc.Target, sc.AtStart.Key, "scopes at the start", sc.AtStart.Scopes, "", sc.AtStart.Entries)
		s.add("access", sc.Target, sc.AtEnd.Key, "scopes at the end", sc.AtEnd.Scopes, "", sc.AtEnd.Entries)
	}
	for _, m := range r.Access.Members {
		s.add("members", "", m.Workspace, "at the start", strings.Join(m.AtStart, "; "), "", m.Start.Entries)
		s.add("members", "", m.Workspace, "at the end", strings.Join(m.AtEnd, "; "), "", m.End.Entries)
	}
	for _, kind := range []struct {
		name string
		used []Used
	}{{"version", r.Seen.Versions}, {"configuration", r.Seen.Configurations}, {"instance", r.Seen.Instances}} {
		for _, u := range kind.used {
			s.add("what wrote the record", "", kind.name, u.Name, strconv.Itoa(u.N), "entries", merged(u.First.Entries, u.Last.Entries))
		}
	}
}
