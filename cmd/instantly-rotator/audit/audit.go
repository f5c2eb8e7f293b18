// Package audit judges a workspace by what is around its keys: how wide they are, who
// rotates them, where else their values are. It reads, and changes nothing.
//
// In this package: facts.go (what was found out, each part perhaps not known), gather.go
// (finds it out), registry.go (every check with its id), one pure check a file,
// accept.go (what somebody answers for), sarif.go and markdown.go (reports for others).
// What could not be looked at is not known, and never passed.
package audit

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
)

// Options say what is looked at.
type Options struct {
	fleet.Options
	// Workspace is the only one that is judged; all of them if it is empty.
	Workspace string
	// Scan searches a folder for managed values; nil: nothing is searched.
	Scan *scan.Options
	// Timeout bounds everything but the scan.
	Timeout time.Duration
	// Since is from when on the workspace's audit log is looked at: the audit before. Zero:
	// the last 30 days.
	Since time.Time
	// ProbeWebhooks sends requests without the secret to their receivers.
	ProbeWebhooks bool
	// Lookup tells why a host cannot be found; nil: as the machine does it.
	Lookup func(ctx context.Context, host string) error
	// Waiting is told what is being asked about something, and that it was answered;
	// may be nil.
	Waiting func(about, what string, answered bool)
}

// Severity is how much a finding matters.
type Severity string

// The severities, the worst first.
const (
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	NotKnown Severity = "not-known" // it could not be looked at
	Note     Severity = "note"      // to be known; nothing is wrong
)

// Severities lists all of them, the worst first.
func Severities() []Severity { return []Severity{High, Medium, Low, NotKnown, Note} }

// Text is the severity as people read it.
func (s Severity) Text() string { return strings.ReplaceAll(string(s), "-", " ") }

func (s Severity) rank() int { return slices.Index(Severities(), s) }

// Finding is what one check says of one thing.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	// Workspace that it is in; empty if it is in none.
	Workspace string `json:"workspace,omitempty"`
	// Subject names what it is about, the same in every audit: "key zapier".
	Subject string `json:"subject"`
	// ID is the subject's at Instantly, if it has one.
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
	// Remedy is what to type, or to do; may be empty.
	Remedy string `json:"remedy,omitempty"`
	// File and Line are where it is, if it is in a file; as the scan names it.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Accepted is somebody's word that it is as it should be; nil if nobody gave it.
	Accepted *Accepted `json:"accepted,omitempty"`
	// Ended is such a word that has ended.
	Ended *Accepted `json:"acceptance_ended,omitempty"`
	// Follows is the check whose finding is the reason for this one: it is not counted
	// once more.
	Follows string `json:"follows,omitempty"`
}

// Accepted is why a finding is accepted, and how long.
type Accepted struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// Key tells a finding from others in another audit. What changes by itself, such as an
// age in the text, is no part of it.
func (f Finding) Key() string {
	return strings.Join([]string{f.Check, string(f.Severity), f.Workspace, f.Subject, f.ID, f.File}, "\x00")
}

// checkOf gives the check in a finding's key.
func checkOf(key string) string {
	check, _, _ := strings.Cut(key, "\x00")
	return check
}

// Counts tells whether the finding is somebody's to see to.
func (f Finding) Counts() bool {
	return f.Accepted == nil && f.Severity != Note && f.Follows == ""
}

// State is what a check came to.
type State string

// The states.
const (
	Passed  State = "passed"
	Found   State = "found"
	Unknown State = "not-known" // it found nothing, but could not look at everything
	Skipped State = "skipped"   // it was not asked for
)

// Outcome is what a check came to.
type Outcome struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why"`
	State State  `json:"state"`
	// Skipped says what asks for it.
	Skipped string `json:"skipped,omitempty"`
	// Open counts the findings that are somebody's to see to, by severity.
	Open map[Severity]int `json:"open,omitempty"`
}

// Report is what an audit came to.
type Report struct {
	At         time.Time `json:"at"`
	Workspaces []string  `json:"workspaces"`
	Checks     []Outcome `json:"checks"`
	Findings   []Finding `json:"findings"`
	// Unused are the exceptions that accept nothing.
	Unused []string `json:"unused_exceptions,omitempty"`
	// Scanned is what was searched for values; nil if nothing was.
	Scanned *Scanned `json:"scanned,omitempty"`

	people map[string][]string // who is a member, by workspace, of those that told it
}

// Scanned is how much was searched.
type Scanned struct {
	Dir     string `json:"dir"`
	Values  int    `json:"values"`
	Files   int64  `json:"files"`
	Objects int64  `json:"git_objects,omitempty"`
	Bytes   int64  `json:"bytes"`
}

// Make finds everything out, and judges it. It fails only if ctx ends, or if what was to
// be scanned is not there.
func Make(ctx context.Context, o Options) (Report, error) {
	f, err := gather(ctx, o)
	if err != nil {
		return Report{}, err
	}
	r := Judge(f)
	record(o, r)
	return r, nil
}

// Judge runs every check over what was found out.
func Judge(f *Facts) Report {
	r := Report{At: f.Now.UTC(), Workspaces: []string{}, Findings: []Finding{}, Scanned: f.scanned(), people: f.peopleOf()}
	for _, w := range f.Workspaces {
		r.Workspaces = append(r.Workspaces, w.Name)
	}
	used := make([]bool, len(f.Config.Audit.Accept))
	told := map[string]string{} // which check said it first: what several ask is not known once
	for _, c := range Checks() {
		out := Outcome{ID: c.ID, Title: c.Title, Why: c.Why, State: Passed, Open: map[Severity]int{}}
		if c.unless != nil {
			out.Skipped = c.unless(f)
		}
		if out.Skipped != "" {
			out.State = Skipped
			r.Checks = append(r.Checks, out)
			continue
		}
		for _, one := range c.judge(f) {
			one.Check = c.ID
			if said, ok := told[one.Subject+"\x00"+one.Text]; !ok {
				told[one.Subject+"\x00"+one.Text] = c.ID
			} else if said != c.ID && one.Severity == NotKnown {
				one.Follows = said
			}
			accept(&one, f.Config.Audit.Accept, used, f.Now)
			r.Findings = append(r.Findings, one)
			out.count(one)
		}
		r.Checks = append(r.Checks, out)
	}
	r.Unused = unused(f.Config.Audit.Accept, used, r.Checks)
	slices.SortStableFunc(r.Findings, func(x, y Finding) int { return cmp.Compare(x.Severity.rank(), y.Severity.rank()) })
	return r
}

func (o *Outcome) count(f Finding) {
	switch {
	case f.Accepted != nil || f.Severity == Note:
		return
	case f.Severity != NotKnown:
		o.State = Found
	case o.State == Passed:
		o.State = Unknown
	}
	if f.Counts() {
		o.Open[f.Severity]++
	}
}

// Failed tells whether something is found that is at least so severe, or not known: what
// could not be looked at may be as severe as any.
func (r Report) Failed(least Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Counts() && (f.Severity == NotKnown || f.Severity.rank() <= least.rank())
	})
}

// Open counts the findings that are somebody's to see to, by severity.
func (r Report) Open() map[Severity]int {
	open := map[Severity]int{}
	for _, f := range r.Findings {
		if f.Counts() {
			open[f.Severity]++
		}
	}
	return open
}

// workspacesOf gives those that are judged.
func workspacesOf(cfg *config.Config, only string) []string {
	var names []string
	for name := range cfg.Workspaces {
		if only == "" || name == only {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
