package evidence

import (
	"slices"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Incident is somebody's word that keys were in wrong hands, and what came of it.
type Incident struct {
	ID       string `json:"id"`
	Declared Moment `json:"declared"`
	Resolved Moment `json:"resolved"`
	Who      string `json:"declared_by"`
	// Graceful: old keys had their grace period, as when somebody leaves.
	Graceful bool               `json:"graceful"`
	Targets  []IncidentOfTarget `json:"targets"`
	// Replaced is the time until the last store of the last target had its new key.
	Replaced Span `json:"declared_to_replaced"`
	// Exposure is the time until the last old key was refused, or the last old secret of
	// webhooks was sent no more; not known if one was not.
	Exposure Span `json:"exposure"`
}

// IncidentOfTarget is an incident at one target.
type IncidentOfTarget struct {
	Target   string `json:"target"`
	Declared Moment `json:"declared"`
	// Replaced is when the last store had the new key.
	Replaced Moment   `json:"replaced"`
	Old      []OldKey `json:"old_keys"`
	Resolved Moment   `json:"resolved"`
	Exposure Span     `json:"exposure"`
}

// OldKey is a key that was alive when the incident was declared.
type OldKey struct {
	ID      string `json:"id"`
	Revoked Moment `json:"revoked"`
	Dead    Moment `json:"proven_dead"`
	Answer  string `json:"answer,omitempty"`
	// Unsent is the end of a secret of webhooks: see [Key].
	Unsent Moment `json:"no_longer_sent,omitzero"`

	sent bool
}

// end is when it was of no use any more.
func (k OldKey) end() Moment {
	if k.sent {
		return k.Unsent
	}
	return k.Dead
}

// The names of what declares an incident.
const (
	compromisedFlag = "compromised"
	gracefulFlag    = "graceful"
)

// incidents lists those that were declared, or open, in the period.
func (h *history) incidents() []Incident {
	out := []Incident{}
	for _, e := range h.effects {
		if rotator.Verb(e.Verb) != rotator.Declare || !e.done() || e.Incident == "" {
			continue
		}
		i := slices.IndexFunc(out, func(in Incident) bool { return in.ID == e.Incident })
		if i < 0 {
			i = len(out)
			out = append(out, Incident{ID: e.Incident, Declared: e.when(), Who: who(e.entry), Graceful: slices.Contains(e.Exceptions, gracefulFlag)})
		}
		known := slices.ContainsFunc(out[i].Targets, func(t IncidentOfTarget) bool { return t.Target == e.Target })
		if !known {
			out[i].Targets = append(out[i].Targets, h.incidentOf(e))
		}
	}
	for i := range out {
		out[i].sum()
	}
	return slices.DeleteFunc(out, func(in Incident) bool {
		return in.Resolved.Known() && in.Resolved.At.Before(h.in.From)
	})
}

// incidentOf follows an incident at the target of its declaration.
func (h *history) incidentOf(declared effect) IncidentOfTarget {
	t := IncidentOfTarget{Target: declared.Target, Declared: declared.when(), Old: []OldKey{}}
	open := Moment{Note: "not by the end of the period"}
	t.Replaced, t.Resolved = open, open
	resolved := len(h.all)
	for _, e := range h.of(declared.Target, rotator.Promote, rotator.Resolve) {
		if e.place < declared.place || e.Incident != declared.Incident || !e.done() {
			continue
		}
		if rotator.Verb(e.Verb) == rotator.Promote {
			t.Replaced = e.when()
		} else if !t.Resolved.Known() {
			t.Resolved, resolved = e.when(), e.place
		}
	}
	for _, id := range h.order {
		k := h.lives[id]
		born := k.Issued.Known() && !k.Issued.At.Before(t.Declared.At)
		if k.Target != t.Target || born || k.place > resolved || k.endedBefore(t.Declared) {
			continue
		}
		t.Old = append(t.Old, OldKey{k.ID, k.Revoked, k.Dead, k.Answer, k.Unsent, k.sent()})
	}
	t.Exposure = exposure(t)
	return t
}

// endedBefore tells whether a key was gone at a moment.
func (k *Key) endedBefore(m Moment) bool {
	end := k.ended()
	return !end.IsZero() && end.Before(m.At)
}

// exposure is the time from the declaration until the last of the old keys was refused.
func exposure(t IncidentOfTarget) Span {
	var last Moment
	for _, old := range t.Old {
		switch end := old.end(); {
		case end.Known():
			last = later(last, end)
		case old.sent:
			return Span{Note: "nothing shows that webhooks send secret " + old.ID + " no more"}
		default:
			return Span{Note: "key " + old.ID + " is not proven dead"}
		}
	}
	if !last.Known() {
		return Span{Note: "no old key is recorded"}
	}
	return between(t.Declared, last)
}

// sum gives an incident the figures of its worst target.
func (in *Incident) sum() {
	var replaced, dead, resolved Moment
	open := false
	for _, t := range in.Targets {
		switch {
		case t.Exposure.Known:
			for _, old := range t.Old {
				dead = later(dead, old.end())
			}
		case in.Exposure.Note == "":
			in.Exposure = Span{Note: t.Target + ": " + t.Exposure.Note}
		}
		replaced, resolved = later(replaced, t.Replaced), later(resolved, t.Resolved)
		open = open || !t.Resolved.Known()
		if !t.Replaced.Known() && in.Replaced.Note == "" {
			in.Replaced = Span{Note: t.Target + ": no new key is recorded"}
		}
	}
	if in.Exposure.Note == "" {
		in.Exposure = between(in.Declared, dead)
	}
	if in.Replaced.Note == "" {
		in.Replaced = between(in.Declared, replaced)
	}
	in.Resolved = resolved
	if open {
		in.Resolved = Moment{Note: "not by the end of the period"}
	}
}

func later(a, b Moment) Moment {
	if b.At.After(a.At) {
		return b
	}
	return a
}
