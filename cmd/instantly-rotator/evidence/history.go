package evidence

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// An entry is one of a log. Of two, the one with the lower place is the earlier.
type entry struct {
	trail.Entry
	ref   Ref
	place int
}

// An effect is an intent with what came of it.
type effect struct {
	entry
	// outcome is nil if none is recorded.
	outcome *entry
}

// done tells whether the effect is recorded to have happened.
func (e effect) done() bool { return e.outcome != nil && e.outcome.Result == resultOK }

// resultOK is the result of an effect that was made.
const resultOK = "ok"

// key is the id of the key concerned, which may be known only afterwards.
func (e effect) key() string {
	if e.outcome != nil && e.outcome.Key != "" {
		return e.outcome.Key
	}
	return e.Key
}

// when is when it was done; without an outcome, when it began.
func (e effect) when() Moment {
	if e.done() {
		return Moment{At: e.outcome.Time.UTC(), Entries: []Ref{e.ref, e.outcome.ref}}
	}
	m := at(e.entry)
	m.Note = "begun; what came of it is not recorded, but later entries show that it was done"
	return m
}

// history is what entries say until the end of the period.
type history struct {
	in      Input
	effects []effect
	events  []entry
	// all are the entries until the end of the period.
	all      []entry
	lives    map[string]*Key
	order    []string // the keys, in the order of their first entry
	policies map[string]Policy
}

// ordered gives the entries of all logs until an instant, in the order of time; those of
// one log in its own.
func ordered(logs []Log, until time.Time) []entry {
	var all []entry
	for _, l := range logs {
		for _, e := range l.Entries {
			if !e.Time.Before(until) {
				continue
			}
			ref := Ref{Seq: e.Seq}
			if len(logs) > 1 {
				ref.Log = l.Record.Log
			}
			all = append(all, entry{Entry: e, ref: ref})
		}
	}
	if len(logs) > 1 {
		slices.SortStableFunc(all, func(a, b entry) int { return a.Time.Compare(b.Time) })
	}
	for i := range all {
		all[i].place = i
	}
	return all
}

// read pairs intents with outcomes.
func read(in Input) *history {
	h := &history{in: in, lives: map[string]*Key{}, policies: map[string]Policy{}}
	for _, p := range in.Policies {
		h.policies[p.Target] = p
	}
	h.all = ordered(in.Logs, in.To)
	intents := map[Ref]int{}
	for _, e := range h.all {
		switch e.Kind {
		case trail.Intent:
			intents[e.ref] = len(h.effects)
			h.effects = append(h.effects, effect{entry: e})
		case trail.Outcome:
			if i, ok := intents[Ref{e.ref.Log, e.Of}]; ok {
				h.effects[i].outcome = &e
			}
		default:
			h.events = append(h.events, e)
		}
	}
	h.live()
	return h
}

// ends gives the first and the last entry until the end of the period.
func (h *history) ends() (begins, ends Moment) {
	if len(h.all) == 0 {
		none := Moment{Note: "there is no entry until the end of the period"}
		return none, none
	}
	return at(h.all[0]), at(h.all[len(h.all)-1])
}

// within tells whether an instant is in the period.
func (h *history) within(t time.Time) bool { return !t.Before(h.in.From) && t.Before(h.in.To) }

// of gives the effects of a target with one of these verbs.
func (h *history) of(target string, verbs ...rotator.Verb) []effect {
	var out []effect
	for _, e := range h.effects {
		if e.Target == target && slices.Contains(verbs, rotator.Verb(e.Verb)) {
			out = append(out, e)
		}
	}
	return out
}

// targetNames lists the targets of the record and of the configuration.
func (h *history) targetNames() []string {
	seen := map[string]bool{}
	var names []string
	add := func(name string) {
		if name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, p := range h.in.Policies {
		add(p.Target)
	}
	for _, e := range h.effects {
		add(e.Target)
	}
	slices.Sort(names)
	return names
}
