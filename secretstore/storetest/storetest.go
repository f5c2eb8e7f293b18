// Package storetest is the contract of package secretstore as a suite of named
// claims. Every backend passes it:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, storetest.Harness{Fresh: …})
//	}
//
// The claims speak only of what the contract says, so that they hold for a
// folder and for a cloud alike. Times are compared to the second. A claim that
// needs something that a backend has not, such as a way to write a value by
// hand, is skipped by its name.
package storetest

import (
	"slices"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Harness leads the suite to one backend.
type Harness struct {
	// Backend is its column in the table of claims; see [Run]. Without a name
	// the run is in no table.
	Backend string
	// Fresh makes a secret that holds nothing yet. Every claim has its own.
	Fresh func(t *testing.T) Secret
	// Skip says, by the name of the claim, why it is not checked here: an
	// emulator gets it wrong, a backend's own rules forbid it. A name that is
	// no claim's fails the run.
	Skip map[string]string
}

// Secret is one secret in a backend and what can happen to it. Only Open is
// required; the claims that need one of the others are skipped without it.
type Secret struct {
	// Open gives a store that is bound to the secret, made anew on every call as
	// by another process.
	Open func(t *testing.T) secretstore.Store
	// PutByHand makes value the current version as somebody without the rotator
	// would.
	PutByHand func(t *testing.T, value secret.Value)
	// ForgetPromoted loses the promotion times of all versions.
	ForgetPromoted func(t *testing.T)
	// FailNextWrite makes the next write, and only that, fail with an error that wraps
	// ErrUnavailable: before its effect, or after it.
	FailNextWrite func(t *testing.T, afterEffect bool)
}

// claim is one statement of the contract and the check of it.
type claim struct {
	name  string
	check func(*trial)
}

// claims lists the suite in the order in which it runs.
func claims() []claim {
	return slices.Concat(
		describeClaims(),
		annotateClaims(),
		stageClaims(),
		readClaims(),
		promoteClaims(),
		destroyClaims(),
		swapClaims(),
		crowdClaims(),
		errorClaims(),
		byHandClaims(),
	)
}

// Claims lists the names of all claims in the order in which they run.
func Claims() []string {
	var names []string
	for _, c := range claims() {
		names = append(names, c.name)
	}
	return names
}

// Run checks every claim as a subtest under the claim's name, and logs at the
// end how many were kept.
//
// For a table of claims and backends it marks the test with the attribute
// "backend", and each subtest with "claim" and, if it is skipped, with
// "skipped" and the reason: see [testing.T.Attr] and the output of go test -json.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for name := range h.Skip {
		if !slices.Contains(Claims(), name) {
			t.Errorf("the harness skips %q, which is no claim", name)
		}
	}
	if h.Backend != "" {
		t.Attr("backend", h.Backend)
	}
	var kept, broken, skipped int
	for _, c := range claims() {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				switch {
				case t.Skipped():
					skipped++
				case t.Failed():
					broken++
				default:
					kept++
				}
			}()
			t.Attr("claim", c.name)
			if why, skip := h.Skip[c.name]; skip {
				skipClaim(t, why)
			}
			c.check(newTrial(t, h))
		})
	}
	t.Logf("%d claims: %d kept, %d broken, %d skipped", len(claims()), kept, broken, skipped)
}

// skipClaim ends a claim that cannot be checked, and says why.
func skipClaim(t *testing.T, why string) {
	t.Helper()
	t.Attr("skipped", why)
	t.Skip(why)
}
