package evidence

import (
	"maps"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Access is who and what had access at both ends of the period.
type Access struct {
	// Scopes are the keys that consumers had.
	Scopes []ScopesOfTarget `json:"scopes"`
	// Members of the workspaces; MembersNote says if they are not recorded.
	Members     []MembersOfWorkspace `json:"members"`
	MembersNote string               `json:"members_note,omitempty"`
	// People are the commands by which people changed members, or had to do with values.
	People []Act `json:"acts"`
}

// ScopesOfTarget are those of the current key at both ends.
type ScopesOfTarget struct {
	Target  string `json:"target"`
	AtStart Scopes `json:"at_start"`
	AtEnd   Scopes `json:"at_end"`
}

// Scopes are what a key may do. Of one that the record does not know they are empty.
type Scopes struct {
	Key     string `json:"key,omitempty"`
	Scopes  string `json:"scopes,omitempty"`
	Entries []Ref  `json:"entries,omitempty"`
	// Note says why there are none.
	Note string `json:"note,omitempty"`
}

// MembersOfWorkspace are the members at both ends, each "EMAIL ROLE".
type MembersOfWorkspace struct {
	Workspace string   `json:"workspace"`
	AtStart   []string `json:"at_start"`
	Start     Moment   `json:"start"`
	AtEnd     []string `json:"at_end"`
	End       Moment   `json:"end"`
}

// Gone are those who were there at the start only, Came at the end only.
func (m MembersOfWorkspace) Gone() []string { return without(m.AtStart, m.AtEnd) }

// Came are those who were there at the end only.
func (m MembersOfWorkspace) Came() []string { return without(m.AtEnd, m.AtStart) }

func without(all, these []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(these, s) })
}

// Act is something that people did, and how often it came to the same.
type Act struct {
	Verb    string `json:"verb"`
	Subject string `json:"subject,omitempty"`
	Who     string `json:"who"`
	Came    string `json:"came_to"`
	First   Moment `json:"first"`
	Times   Count  `json:"times"`
	Reason  string `json:"reason,omitempty"`
}

// same tells whether two acts are told together.
func (a Act) same(b Act) bool {
	return a.Verb == b.Verb && a.Subject == b.Subject && a.Who == b.Who && a.Came == b.Came
}

func (h *history) access(targets []Target) Access {
	a := Access{Scopes: []ScopesOfTarget{}, Members: h.members(), People: h.acts()}
	for _, t := range targets {
		s := ScopesOfTarget{Target: t.Name, AtStart: Scopes{Note: notKnown}, AtEnd: Scopes{Note: notKnown}}
		if h.beganEmpty(t) {
			s.AtStart.Note = "no key yet"
		}
		for _, k := range t.Keys {
			from, to := k.Promoted.At, k.Displaced.At
			if !k.Promoted.Known() && k.Origin != Before || k.Scopes == "" {
				continue
			}
			here := Scopes{Key: k.ID, Scopes: k.Scopes, Entries: merged(k.Promoted.Entries, k.Revoked.Entries)}
			if from.Before(h.in.From) && (to.IsZero() || to.After(h.in.From)) {
				s.AtStart = here
			}
			if to.IsZero() && k.ended().IsZero() {
				s.AtEnd = here
			}
		}
		a.Scopes = append(a.Scopes, s)
	}
	if len(a.Members) == 0 {
		a.MembersNote = notRecorded
	}
	return a
}

// beganEmpty tells whether the record shows that a target had no key at the start: the
// first one that became current displaced none.
func (h *history) beganEmpty(t Target) bool {
	for _, e := range h.of(t.Name, rotator.Promote) {
		return e.Previous == "" && !e.Time.Before(h.in.From)
	}
	return false
}

// members compares the recorded lists of members: the last before the start, or else the
// first of the period, with the last of all.
func (h *history) members() []MembersOfWorkspace {
	of := map[string]*MembersOfWorkspace{}
	for _, e := range h.eventsOf(membersVerb) {
		m, ok := of[e.Workspace]
		if !ok {
			m = &MembersOfWorkspace{Workspace: e.Workspace}
			of[e.Workspace] = m
		}
		if !m.Start.Known() || !e.Time.After(h.in.From) {
			m.AtStart, m.Start = slices.Sorted(slices.Values(e.Names)), at(e)
		}
		m.AtEnd, m.End = slices.Sorted(slices.Values(e.Names)), at(e)
	}
	var out []MembersOfWorkspace
	for _, name := range slices.Sorted(maps.Keys(of)) {
		out = append(out, *of[name])
	}
	return out
}

// peopleVerbs are what people do to members, and with values.
func peopleVerbs() []string {
	return []string{"offboard", "remove-member", "member-left", "member-removed", "get", "put", "exec"}
}

// acts counts what people did to members and with values.
func (h *history) acts() []Act {
	out := []Act{}
	add := func(e entry, came string) {
		if !slices.Contains(peopleVerbs(), e.Verb) || !h.within(e.Time) {
			return
		}
		act := Act{Verb: e.Verb, Subject: e.Target, Who: who(e), Came: came, First: at(e), Reason: e.Why}
		switch {
		case len(e.Names) > 0:
			act.Subject = strings.Join(e.Names, ", ")
		case act.Subject == "":
			act.Subject, act.Reason = e.Why, e.Incident
		}
		i := slices.IndexFunc(out, act.same)
		if i < 0 {
			i = len(out)
			out = append(out, act)
		}
		out[i].Times = counted(append(out[i].Times.Entries, e.ref)...)
	}
	for _, e := range h.effects {
		switch {
		case e.outcome == nil:
			add(e.entry, notKnown)
		case e.done():
			add(e.entry, "done")
		default:
			add(e.entry, "failed")
		}
	}
	for _, e := range h.events {
		add(e, "recorded")
	}
	slices.SortStableFunc(out, func(a, b Act) int { return a.First.At.Compare(b.First.At) })
	return out
}
