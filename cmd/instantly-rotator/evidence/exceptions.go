package evidence

import (
	"cmp"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Exception is something that people had done beyond the policy.
type Exception struct {
	// Kind in the words of the command line: "hold", "force", "end-grace" …
	Kind   string `json:"kind"`
	Target string `json:"target,omitempty"`
	Began  Moment `json:"began"`
	// Ended is when it was taken back, of what stands until then.
	Ended  Moment `json:"ended"`
	Who    string `json:"who"`
	Reason string `json:"reason,omitempty"`
	// Entries are all those that it shows in.
	Entries []Ref `json:"entries"`
}

// The verbs of people that are exceptions in themselves.
const (
	holdVerb          = "hold"
	releaseVerb       = "release"
	revokedByHandVerb = "revoked-by-hand"
)

// kindUnscheduled is a rotation before the key fell due, without another exception.
const kindUnscheduled = "before it was due"

// exceptions lists what was done beyond the policy, in the order of time.
func (h *history) exceptions() []Exception {
	out := slices.Concat(h.holds(), h.said(), h.flagged())
	out = append(out, h.unscheduled(out)...)
	out = slices.DeleteFunc(out, func(x Exception) bool {
		over := x.Ended.Known() && x.Ended.At.Before(h.in.From)
		return over || !x.stands() && !h.within(x.Began.At)
	})
	slices.SortStableFunc(out, func(a, b Exception) int {
		return cmp.Or(a.Began.At.Compare(b.Began.At), cmp.Compare(a.Target, b.Target))
	})
	return out
}

// stands tells whether it is of the kind that lasts until it is taken back.
func (x Exception) stands() bool { return x.Kind == holdVerb }

// holds pairs holds with their releases.
func (h *history) holds() []Exception {
	out := []Exception{}
	for _, e := range h.effects {
		switch {
		case !e.done():
		case e.Verb == holdVerb:
			out = append(out, Exception{
				Kind: holdVerb, Target: e.Target, Began: e.when(), Who: who(e.entry), Reason: e.Why, Entries: e.when().Entries,
				Ended: Moment{Note: "no release is recorded by the end of the period"},
			})
		case e.Verb == releaseVerb:
			for i := range out {
				if x := &out[i]; x.Target == e.Target && !x.Ended.Known() {
					x.Ended, x.Entries = e.when(), merged(x.Entries, e.when().Entries)
				}
			}
		}
	}
	return out
}

// heldBetween gives the entries of the holds that were in force in a time.
func (h *history) heldBetween(target string, from, to time.Time) []Ref {
	var out []Ref
	for _, x := range h.holds() {
		if x.Target == target && x.Began.At.Before(to) && (!x.Ended.Known() || x.Ended.At.After(from)) {
			out = append(out, x.Began.Entries[0])
		}
	}
	return out
}

// said lists the words of people that are effects of their own.
func (h *history) said() []Exception {
	var out []Exception
	for _, e := range h.effects {
		if !e.done() || e.Verb != string(rotator.Waive) && e.Verb != revokedByHandVerb {
			continue
		}
		kind := e.Verb
		if kind == string(rotator.Waive) {
			kind = "skip-gates"
		}
		out = append(out, Exception{Kind: kind, Target: e.Target, Began: e.when(), Who: who(e.entry), Reason: e.Why, Entries: e.when().Entries})
	}
	return out
}

// flagged lists what was asked for on the command line, once for each run at a target.
func (h *history) flagged() []Exception {
	var out []Exception
	type run struct{ target, instance, kind string }
	open := map[run]int{}
	for _, e := range h.effects {
		for r := range open { // a run of this target without that flag ends it
			if r.target == e.Target && (r.instance != e.Instance || !slices.Contains(e.Exceptions, r.kind)) {
				delete(open, r)
			}
		}
		for _, kind := range e.Exceptions {
			if toldElsewhere(e, kind) {
				continue
			}
			r := run{e.Target, e.Instance, kind}
			i, ok := open[r]
			if !ok {
				i = len(out)
				open[r] = i
				out = append(out, Exception{Kind: kind, Target: e.Target, Began: at(e.entry), Who: who(e.entry), Reason: cmp.Or(e.Incident, e.Why)})
			}
			out[i].Entries = append(out[i].Entries, e.ref)
		}
	}
	return out
}

// toldElsewhere tells whether what was asked for is an exception of its own, or an
// incident with what it implies.
func toldElsewhere(e effect, kind string) bool {
	return kind == "skip-gates" && e.Verb == string(rotator.Waive) || kind == holdVerb || slices.Contains(e.Exceptions, compromisedFlag) || slices.Contains(e.Exceptions, gracefulFlag)
}

// unscheduled lists the rotations before their time that no other exception tells of.
func (h *history) unscheduled(others []Exception) []Exception {
	var out []Exception
	for _, id := range h.order {
		k := h.lives[id]
		if k.Due.IsZero() || !k.Displaced.Known() || !k.Displaced.At.Before(k.Due) || !h.within(k.Displaced.At) {
			continue
		}
		by := k.Displaced.Entries[0]
		if h.inIncident(by) || slices.ContainsFunc(others, func(x Exception) bool { return slices.Contains(x.Entries, by) }) {
			continue
		}
		x := Exception{Kind: kindUnscheduled, Target: k.Target, Began: k.Displaced, Entries: k.Displaced.Entries}
		if next, ok := h.lives[k.Successor]; ok {
			x.Reason = next.Why
		}
		if i := slices.IndexFunc(h.all, func(e entry) bool { return e.ref == by }); i >= 0 {
			x.Who = who(h.all[i])
		}
		out = append(out, x)
	}
	return out
}

// inIncident tells whether an effect was made for an incident.
func (h *history) inIncident(by Ref) bool {
	return slices.ContainsFunc(h.effects, func(e effect) bool { return e.ref == by && e.Incident != "" })
}

// who names who did it: the user and the command, on which instance.
func who(e entry) string {
	name := cmp.Or(e.User, "not recorded")
	if e.Command != "" {
		name += ", " + e.Command
	}
	if e.Instance != "" {
		name += " (" + e.Instance + ")"
	}
	return name
}
