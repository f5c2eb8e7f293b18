package evidence

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Ref names an entry: its number, and its log where there are several.
type Ref struct {
	Log string
	Seq int64
}

// String writes it as "trail show" does.
func (r Ref) String() string {
	if r.Log == "" {
		return strconv.FormatInt(r.Seq, 10)
	}
	return r.Log + " " + strconv.FormatInt(r.Seq, 10)
}

// MarshalText implements [encoding.TextMarshaler].
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r Ref) compare(o Ref) int { return cmp.Or(cmp.Compare(r.Log, o.Log), cmp.Compare(r.Seq, o.Seq)) }

// Moment is when something happened, as entries tell. Without a time it is not known, or
// did not happen: Note says which.
type Moment struct {
	At      time.Time `json:"at,omitzero"`
	Entries []Ref     `json:"entries,omitempty"`
	Note    string    `json:"note,omitempty"`
}

// Known tells whether there is a time.
func (m Moment) Known() bool { return !m.At.IsZero() }

// at gives the moment that an entry tells of.
func at(e entry) Moment { return Moment{At: e.Time.UTC(), Entries: []Ref{e.ref}} }

// Count is how many there are: of each, the entry that tells of it.
type Count struct {
	N       int   `json:"n"`
	Entries []Ref `json:"entries,omitempty"`
}

// counted counts one entry each.
func counted(entries ...Ref) Count { return Count{len(entries), entries} }

// Span is the time between two moments.
type Span struct {
	Seconds float64 `json:"seconds"`
	Entries []Ref   `json:"entries,omitempty"`
	// Known: both moments are.
	Known bool   `json:"known"`
	Note  string `json:"note,omitempty"`
}

// between measures the time between two moments.
func between(a, b Moment) Span {
	if !a.Known() || !b.Known() {
		return Span{Note: notKnown}
	}
	return Span{Seconds: b.At.Sub(a.At).Round(tenth).Seconds(), Entries: merged(a.Entries, b.Entries), Known: true}
}

// Duration of the span.
func (s Span) Duration() time.Duration { return time.Duration(s.Seconds * float64(time.Second)) }

// String writes it, or says why it is not known.
func (s Span) String() string {
	if !s.Known {
		return cmp.Or(s.Note, notKnown)
	}
	if s.Duration() < 2*time.Minute {
		return s.number() + " s"
	}
	return s.number() + " s (" + span(s.Duration()) + ")"
}

// number writes the seconds.
func (s Span) number() string { return strconv.FormatFloat(s.Seconds, 'f', -1, 64) }

// tenth is how exactly spans are told.
const tenth = 100 * time.Millisecond

// notKnown is what no entry tells of.
const notKnown = "not known"

// merged gives the numbers of several lists in their order, each once.
func merged(lists ...[]Ref) []Ref {
	all := slices.Concat(lists...)
	slices.SortFunc(all, Ref.compare)
	return slices.Compact(all)
}

// Figure is a line of the summary: a count or a span.
type Figure struct {
	Name  string `json:"name"`
	Count *Count `json:"count,omitempty"`
	Span  *Span  `json:"span,omitempty"`
}

// Text is the figure as people read it.
func (f Figure) Text() string {
	if f.Span != nil {
		return f.Span.String()
	}
	return strconv.Itoa(f.Count.N)
}

// Entries are those that the figure comes from.
func (f Figure) Entries() []Ref {
	if f.Span != nil {
		return f.Span.Entries
	}
	return f.Count.Entries
}
