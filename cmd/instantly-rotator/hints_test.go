package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A sentinel is an error that may reach a user.
type sentinel struct {
	name string
	err  error
	// unhinted is why it has no hint; empty if it has one.
	unhinted string
}

func sentinels() []sentinel {
	return []sentinel{
		{"rotator.ErrLostRace", rotator.ErrLostRace, ""},
		{"rotator.ErrHeld", rotator.ErrHeld, ""},
		{"rotator.ErrBusy", rotator.ErrBusy, ""},
		{"rotator.ErrFrozen", rotator.ErrFrozen, "it comes with what failed, which has the hint"},
		{"rotator.ErrGateOpen", rotator.ErrGateOpen, ""},
		{"rotator.ErrInGrace", rotator.ErrInGrace, ""},
		{"rotator.ErrOrganization", rotator.ErrOrganization, ""},
		{"rotator.ErrNeverValid", rotator.ErrNeverValid, ""},
		{"rotator.ErrIndeterminate", rotator.ErrIndeterminate, ""},
		{"rotator.ErrUnlisted", rotator.ErrUnlisted, ""},
		{"rotator.ErrStillAlive", rotator.ErrStillAlive, ""},
		{"rotator.ErrByHand", rotator.ErrByHand, ""},
		{"rotator.ErrScopes", rotator.ErrScopes, ""},
		{"rotator.ErrPanic", rotator.ErrPanic, ""},
		{"rotator.ErrTooManySteps", rotator.ErrTooManySteps, "a bug of ours: there is nothing that a user can do"},

		{"instantly.ErrUnauthorized", instantly.ErrUnauthorized, ""},
		{"instantly.ErrScope", instantly.ErrScope, ""},
		{"instantly.ErrPlan", instantly.ErrPlan, ""},
		{"instantly.ErrBlocked", instantly.ErrBlocked, ""},
		{"instantly.ErrForbidden", instantly.ErrForbidden, ""},
		{"instantly.ErrNotFound", instantly.ErrNotFound, "the client takes it for what was wanted, or looks again"},
		{"instantly.ErrBadRequest", instantly.ErrBadRequest, ""},
		{"instantly.ErrRateLimited", instantly.ErrRateLimited, ""},
		{"instantly.ErrUnavailable", instantly.ErrUnavailable, ""},
		{"instantly.ErrMalformed", instantly.ErrMalformed, ""},
		{"instantly.ErrOutcomeUnknown", instantly.ErrOutcomeUnknown, "it comes with another class that has the hint; the next run cleans up"},
		{"instantly.ErrInsecureURL", instantly.ErrInsecureURL, "the configuration is refused for it before, with its place"},
		{"instantly.ErrRedirect", instantly.ErrRedirect, ""},

		{"secretstore.ErrNotFound", secretstore.ErrNotFound, "what to do depends on what is not there; the error says it"},
		{"secretstore.ErrConflict", secretstore.ErrConflict, "the engine looks again, and reports a lost race"},
		{"secretstore.ErrDenied", secretstore.ErrDenied, ""},
		{"secretstore.ErrUnavailable", secretstore.ErrUnavailable, ""},
		{"secretstore.ErrCorrupt", secretstore.ErrCorrupt, ""},
	}
}

func TestEverySentinelHasAHintOrAReason(t *testing.T) {
	for _, s := range sentinels() {
		t.Run(s.name, func(t *testing.T) {
			hint := hintFor(fmt.Errorf("store a: %w", s.err))
			if hint == "" && s.unhinted == "" {
				t.Error("no hint")
			}
			if hint != "" && s.unhinted != "" {
				t.Errorf("has a hint after all (%s): take the reason out", hint)
			}
		})
	}
}

// The list above is complete: it has what the packages' sources declare.
func TestSentinelsAreAllOfThem(t *testing.T) {
	var want, got []string
	for _, pkg := range []string{"rotator", "instantly", "secretstore"} {
		want = append(want, declaredErrors(t, pkg)...)
	}
	for _, s := range sentinels() {
		got = append(got, s.name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sentinels (-declared +listed):\n%s", diff)
	}
}

// declaredErrors gives the exported error variables of a package of this module.
func declaredErrors(t *testing.T, pkg string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of %s: %v", pkg, err)
	}
	var names []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Err") {
				names = append(names, pkg+"."+v.Names[0].Name)
			}
			return true
		})
	}
	return names
}

// The order decides where an error is of several classes.
func TestHintIsThatOfTheMostTellingClass(t *testing.T) {
	for name, c := range map[string]struct{ err, as error }{
		"inconclusive for want of a plan": {fmt.Errorf("%w: %w", rotator.ErrIndeterminate, instantly.ErrPlan), instantly.ErrPlan},
		"never valid":                     {fmt.Errorf("%w: %w", rotator.ErrNeverValid, instantly.ErrUnauthorized), rotator.ErrNeverValid},
		"admin key in a store":            {fmt.Errorf("%w: %w", errNoAdminKey, secretstore.ErrDenied), errNoAdminKey},
		"lost race":                       {fmt.Errorf("%w: %w", rotator.ErrLostRace, secretstore.ErrConflict), rotator.ErrLostRace},
		"create broke off":                {fmt.Errorf("%w: %w", instantly.ErrOutcomeUnknown, instantly.ErrUnavailable), instantly.ErrUnavailable},
	} {
		if got, want := hintFor(c.err), hintFor(c.as); got != want || got == "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Hints are sentences for people: they begin in lower case, as what follows
// "hint: " does, and end without a full stop.
func TestHintsReadWell(t *testing.T) {
	for _, h := range hints() {
		if first := h.say[:1]; first != strings.ToLower(first) && !strings.HasPrefix(h.say, "Instantly") {
			t.Errorf("begins in upper case: %s", h.say)
		}
		if strings.HasSuffix(h.say, ".") {
			t.Errorf("ends in a full stop: %s", h.say)
		}
	}
}
