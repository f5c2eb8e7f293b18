// Package doctor finds out now what can be known to go wrong later, without harm: it
// asks Instantly, the stores and the machine everything that a rotation will need of
// them, and judges the answers.
//
// In this package: facts.go (what was found out), ask*.go (asks it, side by side),
// registry.go (every check with its id), check_*.go (the judgement, pure). What could
// not be looked at is not known, and never good.
package doctor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
)

// Options say what is examined.
type Options struct {
	fleet.Options
	// Warnings are what reading the configuration has found.
	Warnings config.Warnings
	// Keys are the targets to look at; all of the configuration if it is nil.
	Keys []config.Key
	// Waiting is told what is being asked about something, and that it was answered;
	// may be nil.
	Waiting func(about, what string, answered bool)
}

// Level is how much a finding matters.
type Level string

// The levels, the worst first.
const (
	Bad    Level = "bad"       // a rotation will fail, or consumers do
	Hidden Level = "not-known" // it could not be looked at
	Advice Level = "advice"    // it works; better change it
	Good   Level = "good"      // it was looked at
)

// Levels lists all of them, the worst first.
func Levels() []Level { return []Level{Bad, Hidden, Advice, Good} }

// Text is the level as people read it.
func (l Level) Text() string {
	if l == Hidden {
		return "not known"
	}
	return string(l)
}

// Failed tells whether somebody must see to it: what is not known is not good.
func (l Level) Failed() bool { return l == Bad || l == Hidden }

func (l Level) rank() int { return slices.Index(Levels(), l) }

// Finding is what one check says of one thing.
type Finding struct {
	Level Level  `json:"level"`
	Check string `json:"check"`
	// About names what it is about: "workspace main", "store s3, secret sending".
	About []string `json:"about"`
	Text  string   `json:"text,omitempty"`
	// Remedy is what to type, or to do; may be empty.
	Remedy string `json:"remedy,omitempty"`
	// Follows from another finding, which is told in its place.
	Follows bool `json:"follows,omitempty"`
}

// Outcome is what a check came to.
type Outcome struct {
	ID string `json:"id"`
	// Finds says what it looks at.
	Finds string `json:"finds"`
	// Level is the worst of its findings; empty if there was nothing to look at.
	Level Level `json:"level,omitempty"`
	// Looked counts the things that it looked at.
	Looked int `json:"looked_at"`
}

// Report is what an examination came to.
type Report struct {
	At       time.Time `json:"at"`
	Healthy  bool      `json:"healthy"`
	Checks   []Outcome `json:"checks"`
	Findings []Finding `json:"findings"`
}

// Examine asks everything within ctx, and judges what has come by then.
func Examine(ctx context.Context, o Options) Report { return Judge(ask(ctx, o)) }

// Judge runs every check over what was found out.
func Judge(f Facts) Report {
	r := Report{At: f.Now.UTC(), Healthy: true, Findings: []Finding{}}
	for _, c := range Checks() {
		found := c.judge(f)
		out := Outcome{ID: c.ID, Finds: c.Finds, Looked: len(found)}
		for _, one := range found {
			if out.Level == "" || one.Level.rank() < out.Level.rank() {
				out.Level = one.Level
			}
			one.Check = c.ID
			r.add(one)
		}
		r.Checks = append(r.Checks, out)
		r.Healthy = r.Healthy && (out.Level == "" || out.Level == Good)
	}
	slices.SortStableFunc(r.Findings, func(x, y Finding) int { return cmp.Compare(x.Level.rank(), y.Level.rank()) })
	return r
}

// add puts a finding to those that say the same of something else.
func (r *Report) add(one Finding) {
	for i := range r.Findings {
		same := &r.Findings[i]
		if same.Check == one.Check && same.Level == one.Level && same.Text == one.Text && same.Remedy == one.Remedy && same.Follows == one.Follows {
			same.About = append(same.About, one.About...)
			return
		}
	}
	r.Findings = append(r.Findings, one)
}

// Failed tells whether somebody must see to something.
func (r Report) Failed() bool {
	return slices.ContainsFunc(r.Checks, func(c Outcome) bool { return c.Level.Failed() })
}

// Told are the findings that people are shown, the worst first; all of them if they
// want to see what is good, too.
func (r Report) Told(all bool) []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return !all && (f.Level == Good || f.Follows) })
}
