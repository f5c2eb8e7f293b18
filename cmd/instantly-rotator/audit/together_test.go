package audit_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
)

// together are faults that can be planted in one workspace at a time: not those that change
// the same setting, nor what hides others (the loss of the audit log, values of unknown origin).
func together() []string {
	return []string{
		"a target that may read all, for a reason", "a key that may do all", "a key that may read all",
		"a key that is a quarter old", "a key that is years old", "a young key that nobody rotates",
		"a key of leads that may make keys", "a scope that nobody knows",
		"a key of a store that is not configured", "an orphan",
		"an admin key that may do harm",
		"a webhook without a secret", "a webhook that does not encrypt", "a host that is gone",
		"a receiver with another secret", "a webhook that was given up",
		"somebody who is not on the list", "an invitation of three weeks ago",
		"a key that somebody made", "a login without a second factor", "a second factor that failed and failed", "leads that were exported",
		"a consumer that has the old key all the time",
		"a schedule of once a year", "a grace period longer than the schedule's gap", "no max_age to speak of",
		"a domain that is not blocked", "an address that is not blocked",
		"a key in a file", "a key in git's history", "a file with secrets that git would take up",
	}
}

func TestThirtyFaultsOfOneWorkspaceAreAllFound(t *testing.T) {
	w := newWorld(t)
	var planted []fault
	for _, name := range together() {
		all := faults()
		at := slices.IndexFunc(all, func(f fault) bool { return f.name == name })
		all[at].plant(w)
		planted = append(planted, all[at])
	}
	w.more = `audit: {block_list: [friend.example.org, "boss@friend.example.org"]}`
	w.scan.Git = true
	r := w.audit()
	for _, f := range planted {
		found := slices.ContainsFunc(r.Findings, func(one audit.Finding) bool {
			says := one.Named() + ": " + one.Said() + " | do: " + one.Remedy
			return one.Check == f.check && one.Severity == f.severity && regexp.MustCompile(f.says).MatchString(says)
		})
		if !found {
			t.Errorf("not found: %s %s", f.check, f.name)
		}
	}
	if len(planted) < 30 {
		t.Errorf("%d faults are planted, want 30", len(planted))
	}
	if t.Failed() {
		t.Log(strings.Join(lines(r), "\n"))
	}
}
