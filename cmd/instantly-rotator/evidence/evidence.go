// Package evidence makes, out of a trail and of what the stores say now, a report for
// auditors: what became of each key, and how that compares with the policy.
//
// It is pure: it reads no file and asks nobody. Every figure carries the numbers of the
// entries that it comes from, and what no entry tells of is not known.
//
// In this package: traced.go (figures with their entries), history.go (intents with their
// outcomes), keys.go, incidents.go, exceptions.go, surroundings.go (audits and members),
// unknown.go (what is not known), controls.go (which control each part speaks to),
// markdown.go and csv.go.
package evidence

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// LateAfter is how much later than it fell due a key may be replaced without being called
// late: time for runs once a day, and for jitter, retries and keys that are kept apart.
const LateAfter = 24 * time.Hour

// Input is what a report is made of.
type Input struct {
	// From and To bound the period; To is not part of it.
	From, To time.Time
	// Made is when the report is made.
	Made time.Time
	// Logs of the trail: each machine has one.
	Logs []Log
	// Policies of the targets, by the configuration that is in force when the report is
	// made.
	Policies []Policy
	// Now is what stores and key lists say; nil if they were not asked.
	Now *Now
}

// Log is one of a trail, from its beginning.
type Log struct {
	Record  Record
	Entries []trail.Entry
}

// Record is what the verification of a log came to.
type Record struct {
	// Log names it.
	Log string `json:"log"`
	// PublicKey that its checkpoints were checked with.
	PublicKey string `json:"public_key"`
	// First and Last are the numbers of the entries that are there; Last is -1 if none is.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Signed is how many entries the last checkpoint covers.
	Signed int64 `json:"signed"`
	// Compared: a checkpoint that was kept elsewhere was compared. Without one, entries
	// that were cut off at the end do not show.
	Compared bool `json:"compared_with_kept_checkpoint"`
	// Unfinished: the last line is cut off, as a crash leaves one.
	Unfinished bool `json:"unfinished,omitempty"`
	// Fault says what is wrong with the first entry that is not as it was written, and
	// FaultAt is its number; empty and nil if all are as they were written.
	Fault   string `json:"fault,omitempty"`
	FaultAt *int64 `json:"fault_at,omitempty"`
}

// Verified tells whether the entries are as they were written.
func (r Record) Verified() bool { return r.Fault == "" && r.Last >= r.First }

// Policy is how a target's key is to be kept.
type Policy struct {
	Target    string
	Workspace string
	Schedule  string
	Grace     time.Duration
	MaxAge    time.Duration
	Scopes    string
	// Due tells when a key that became current at that time falls due; zero if never.
	Due func(since time.Time) time.Time
}

// Now is what the stores and the key lists say.
type Now struct {
	At         time.Time
	Targets    []TargetNow
	Workspaces []WorkspaceNow
}

// TargetNow is what the primary store of a target says.
type TargetNow struct {
	Target string
	// Key is the id of the current key; empty if there is none, or if it is of unknown
	// origin.
	Key string
	// Error is why it is not known.
	Error string
}

// WorkspaceNow is what a workspace's key list says.
type WorkspaceNow struct {
	Workspace string
	Keys      int
	// Unmanaged names the keys that no target refers to.
	Unmanaged []string
	Error     string
}

// Report is the evidence of a period. Times are in UTC.
type Report struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Made time.Time `json:"made"`

	Records    []Record    `json:"records"`
	Begins     Moment      `json:"record_begins"`
	Ends       Moment      `json:"record_ends"`
	Summary    []Figure    `json:"summary"`
	Targets    []Target    `json:"targets"`
	Late       []Late      `json:"late"`
	Incidents  []Incident  `json:"incidents"`
	Exceptions []Exception `json:"exceptions"`
	Outside    Outside     `json:"keys_outside_of_management"`
	Audits     Audits      `json:"audits"`
	Access     Access      `json:"access"`
	Seen       Seen        `json:"seen"`
	Unknown    []Unknown   `json:"not_known"`
	Controls   []Control   `json:"controls"`
	Stores     *Comparison `json:"stores_now,omitempty"`
}

// Verified tells whether all logs are as they were written, and there is one.
func (r Report) Verified() bool {
	return len(r.Records) > 0 && !slices.ContainsFunc(r.Records, func(rec Record) bool { return !rec.Verified() })
}

// Known tells whether the record is as it was written, and nothing is missing in it.
func (r Report) Known() bool { return r.Verified() && len(r.Unknown) == 0 }

// Make makes the report.
func Make(in Input) Report {
	if in.To.After(in.Made) {
		in.To = in.Made // what comes then is not known
	}
	h := read(in)
	r := Report{From: in.From.UTC(), To: in.To.UTC(), Made: in.Made.UTC(), Records: []Record{}}
	for _, l := range in.Logs {
		r.Records = append(r.Records, l.Record)
	}
	r.Begins, r.Ends = h.ends()
	r.Targets = h.targets()
	r.Late = h.late(r.Targets)
	r.Incidents = h.incidents()
	r.Exceptions = h.exceptions()
	r.Audits = h.audits()
	r.Outside = h.outside(in.Now)
	r.Access = h.access(r.Targets)
	r.Seen = h.seen()
	r.Stores = h.compare(in.Now)
	r.Controls = Controls()
	r.Unknown = h.unknown(r)
	r.Summary = summary(r)
	return r
}
