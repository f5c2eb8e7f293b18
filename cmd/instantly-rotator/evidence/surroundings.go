package evidence

import (
	"slices"
	"strings"
)

// The verbs of the events that tell of what is around the keys. Names of an audit are its
// findings, each "CHECK SEVERITY SUBJECT"; those of members are "EMAIL ROLE".
const (
	auditVerb   = "audit"
	membersVerb = "members"
)

// notRecorded is said where the record has no entry of a kind.
const notRecorded = "not recorded"

// Audits is what the recorded audits found.
type Audits struct {
	// Recorded counts the audits of the period, of each workspace by itself.
	Recorded Count     `json:"recorded"`
	Note     string    `json:"note,omitempty"`
	Open     []Finding `json:"open"`
	// Accepted are those that somebody answers for, as the configuration said.
	Accepted []Finding `json:"accepted"`
	Closed   []Finding `json:"closed"`
}

// Finding is one of an audit.
type Finding struct {
	Check    string `json:"check"`
	Severity string `json:"severity"`
	Subject  string `json:"subject"`
	// First is the first audit that had it, Last the last one.
	First Moment `json:"first"`
	Last  Moment `json:"last"`
	// Gone is the audit that had it no longer.
	Gone Moment `json:"gone"`
}

// eventsOf gives the events with a verb until the end of the period.
func (h *history) eventsOf(verb string) []entry {
	var out []entry
	for _, e := range h.events {
		if e.Verb == verb {
			out = append(out, e)
		}
	}
	return out
}

// audits compares the audits one after the other, each workspace by itself.
func (h *history) audits() Audits {
	a := Audits{Open: []Finding{}, Accepted: []Finding{}, Closed: []Finding{}, Note: notRecorded}
	type subject struct{ workspace, check, name string }
	open := map[subject]*Finding{}
	var order []subject
	for _, e := range h.eventsOf(auditVerb) {
		if h.within(e.Time) {
			a.Recorded, a.Note = counted(append(a.Recorded.Entries, e.ref)...), ""
		}
		found, unsure := map[subject]bool{}, map[string]bool{}
		for _, name := range e.Names {
			f := findingOf(name)
			unsure[f.Check] = unsure[f.Check] || f.Severity == "not-known"
			s := subject{e.Workspace, f.Check, f.Subject}
			found[s] = true
			if known, ok := open[s]; ok {
				known.Last, known.Severity = at(e), f.Severity
				continue
			}
			f.First, f.Last = at(e), at(e)
			open[s] = &f
			order = append(order, s)
		}
		for s, f := range open {
			if s.workspace != e.Workspace || found[s] || unsure[s.check] {
				continue // what was not looked at may be as it was
			}
			if f.Gone = at(e); h.within(e.Time) {
				a.Closed = append(a.Closed, *f)
			}
			delete(open, s)
		}
	}
	for _, s := range order {
		switch f, ok := open[s]; {
		case !ok || f.Severity == "note": // nothing is wrong
		case f.Severity == "accepted":
			a.Accepted = append(a.Accepted, *f)
		default:
			a.Open = append(a.Open, *f)
		}
		delete(open, s)
	}
	slices.SortStableFunc(a.Closed, func(x, y Finding) int { return strings.Compare(x.Check+x.Subject, y.Check+y.Subject) })
	return a
}

func findingOf(name string) Finding {
	check, rest, _ := strings.Cut(name, " ")
	severity, subject, ok := strings.Cut(rest, " ")
	if !ok {
		return Finding{Check: check, Severity: notRecorded, Subject: rest}
	}
	return Finding{Check: check, Severity: severity, Subject: subject}
}

// Outside is which keys nobody rotates.
type Outside struct {
	// Recorded are those of the last audit of the period.
	Recorded []Finding `json:"recorded"`
	Note     string    `json:"note,omitempty"`
	// Now are those of the key lists, by workspace; nil if they were not asked.
	Now []WorkspaceNow `json:"now,omitempty"`
}

// unmanagedChecks are the audit's that tell of keys nobody rotates.
func unmanagedChecks() []string { return []string{"KEY-02", "KEY-05"} }

func (h *history) outside(now *Now) Outside {
	o := Outside{Recorded: []Finding{}}
	audits := h.audits()
	if audits.Recorded.N == 0 {
		o.Note = notRecorded + ": no audit of the period is in the record"
	}
	for _, f := range slices.Concat(audits.Open, audits.Accepted) {
		if slices.Contains(unmanagedChecks(), f.Check) {
			o.Recorded = append(o.Recorded, f)
		}
	}
	if now != nil {
		o.Now = now.Workspaces
	}
	return o
}
