package storetest_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// mutantVariable tells the test binary, run by itself, which mutant to test.
const mutantVariable = "STORETEST_MUTANT"

func mutants() []mutant {
	return slices.Concat(describeMutants(), annotateMutants(), stageMutants(),
		promoteMutants(), destroyMutants(), swapMutants(), errorMutants())
}

// TestEveryMutantTurnsItsClaimsRed runs this test binary once a mutant: a suite
// that is meant to fail cannot fail inside a test that is meant to pass.
func TestEveryMutantTurnsItsClaimsRed(t *testing.T) {
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			out := runMutant(t, m)
			for _, name := range m.red {
				if !strings.Contains(out, "--- FAIL: TestMutant/"+subtest(name)+" ") {
					t.Errorf("claim %q did not turn red; the run said:\n%s", name, out)
				}
			}
		})
	}
}

// TestMutant is what the runs of TestEveryMutantTurnsItsClaimsRed run.
func TestMutant(t *testing.T) {
	name := os.Getenv(mutantVariable)
	if name == "" {
		t.Skip("runs only where a mutant is named")
	}
	at := slices.IndexFunc(mutants(), func(m mutant) bool { return m.name == name })
	storetest.Run(t, storetest.Harness{Fresh: func(*testing.T) storetest.Secret {
		b := straight()
		mutants()[at].bend(b)
		return b.lever
	}})
}

func runMutant(t *testing.T, m mutant) string {
	t.Helper()
	var only []string
	for _, name := range m.red {
		only = append(only, regexp.QuoteMeta(subtest(name)))
	}
	run := fmt.Sprintf("^TestMutant$/^(%s)$", strings.Join(only, "|"))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", run, "-test.v")
	cmd.Env = append(os.Environ(), mutantVariable+"="+m.name)
	out, _ := cmd.CombinedOutput() // It fails, if all is well.
	return string(out)
}

// subtest is how package testing writes a claim's name.
func subtest(name string) string { return strings.ReplaceAll(name, " ", "_") }

func TestEveryClaimCanTurnRed(t *testing.T) {
	covered := map[string]bool{}
	for _, m := range mutants() {
		for _, name := range m.red {
			covered[name] = true
		}
	}
	for _, name := range storetest.Claims() {
		if !covered[name] {
			t.Errorf("no mutant shows that claim %q can fail", name)
		}
		delete(covered, name)
	}
	for name := range covered {
		t.Errorf("a mutant speaks of %q, which is no claim", name)
	}
}

func TestClaimNamesAreUnique(t *testing.T) {
	names := storetest.Claims()
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("two claims share a name: %q", names)
	}
}

// TestStoreWithoutABugKeepsEveryClaim shows that the mutants are red for their
// bugs and not for the wrapper around them.
func TestStoreWithoutABugKeepsEveryClaim(t *testing.T) {
	storetest.Run(t, storetest.Harness{Fresh: func(*testing.T) storetest.Secret { return straight().lever }})
}
