package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// accept marks a finding that somebody answers for, or did until a while ago. used notes
// the words that were good for something.
func accept(f *Finding, words []config.Acceptance, used []bool, now time.Time) {
	for i, a := range words {
		if a.Check != f.Check || (a.Subject != "*" && a.Subject != f.Subject && (f.ID == "" || a.Subject != f.ID)) {
			continue
		}
		used[i] = true
		word := &Accepted{a.Reason, a.Until.UTC()}
		if now.Before(a.Until) {
			f.Accepted, f.Ended = word, nil
			return
		}
		f.Ended = word
	}
}

// unused names the words that accept nothing: what they were for is mended, or they are
// misspelt. Of a check that was skipped nothing is known.
func unused(words []config.Acceptance, used []bool, checks []Outcome) []string {
	var all []string
	for i, a := range words {
		skipped := slices.ContainsFunc(checks, func(c Outcome) bool { return c.ID == a.Check && c.State == Skipped })
		known := slices.ContainsFunc(checks, func(c Outcome) bool { return c.ID == a.Check })
		switch {
		case used[i] || skipped:
		case !known:
			all = append(all, fmt.Sprintf("%s: %s: there is no such check", a.Check, a.Subject))
		default:
			all = append(all, fmt.Sprintf("%s: %s: nothing is found that it could accept", a.Check, a.Subject))
		}
	}
	return all
}
