package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Every error variable that the engine, the stores' contract and the client export is
// in exactly one class: what was forgotten shows here, and not as "other" in a metric.
func TestEveryExportedErrorIsInOneClass(t *testing.T) {
	want := []string{"context.DeadlineExceeded"}
	for prefix, dir := range map[string]string{"": ".", "instantly.": "../instantly", "secretstore.": "../secretstore"} {
		for _, name := range exportedErrors(t, dir) {
			want = append(want, prefix+name)
		}
	}
	got := classified(t)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("classes (-exported +classified):\n%s", diff)
	}
}

// exportedErrors gives the names of the error variables that a package exports.
func exportedErrors(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(parsed(t, name), func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Err") {
				names = append(names, v.Names[0].Name)
			}
			return true
		})
	}
	return names
}

// classified gives the names of the errors that the table has, as they are written there.
func classified(t *testing.T) (names []string) {
	t.Helper()
	ast.Inspect(parsed(t, "classes.go"), func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok || fmt.Sprint(kv.Key) != "Is" {
			return true
		}
		switch v := kv.Value.(type) {
		case *ast.Ident:
			names = append(names, v.Name)
		case *ast.SelectorExpr:
			names = append(names, fmt.Sprint(v.X)+"."+v.Sel.Name)
		}
		return true
	})
	return names
}

func parsed(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestClassesLeaveNothingOut(t *testing.T) {
	names := map[string]bool{"other": true}
	for _, c := range rotator.Classes() {
		if c.Name == "" || names[c.Name] || c.Name != strings.ToLower(c.Name) {
			t.Errorf("%v is called %q, which must be a word of its own", c.Is, c.Name)
		}
		names[c.Name] = true
		if !slices.Contains([]rotator.Category{rotator.Passing, rotator.Person, rotator.Configuration, rotator.Bug}, c.Category) {
			t.Errorf("%s: category %q", c.Name, c.Category)
		}
		if !slices.Contains([]rotator.Scope{rotator.ScopeTarget, rotator.ScopeWorkspace, rotator.ScopeStore}, c.Scope) {
			t.Errorf("%s: scope %q", c.Name, c.Scope)
		}
		if (c.Remedy == "") == (c.NoRemedy == "") {
			t.Errorf("%s has neither a remedy nor a reason for none, or both", c.Name)
		}
	}
}

// A remedy is a sentence for people: it begins in lower case, as what follows a colon
// does, ends without a full stop, and has no placeholder but those that are filled in.
func TestRemediesReadWell(t *testing.T) {
	for _, c := range rotator.Classes() {
		said := c.RemedyFor("prog", "web")
		if said == "" {
			continue
		}
		if first := said[:1]; first != strings.ToLower(first) && !strings.HasPrefix(said, "Instantly") {
			t.Errorf("begins in upper case: %s", said)
		}
		if strings.HasSuffix(said, ".") || strings.ContainsAny(said, "{}") {
			t.Errorf("ends in a full stop, or has something left to fill in: %s", said)
		}
	}
}

// The order decides where an error is of several classes.
func TestAnErrorOfSeveralClassesIsOfTheMostTellingOne(t *testing.T) {
	for name, c := range map[string]struct{ err, as error }{
		"inconclusive for want of a plan": {fmt.Errorf("%w: %w", rotator.ErrIndeterminate, instantly.ErrPlan), instantly.ErrPlan},
		"never valid":                     {fmt.Errorf("%w: %w", rotator.ErrNeverValid, instantly.ErrUnauthorized), rotator.ErrNeverValid},
		"lost race":                       {fmt.Errorf("%w: %w", rotator.ErrLostRace, secretstore.ErrConflict), rotator.ErrLostRace},
		"create broke off":                {fmt.Errorf("%w: %w", instantly.ErrOutcomeUnknown, instantly.ErrUnavailable), instantly.ErrUnavailable},
		"store hangs":                     {fmt.Errorf("%w: %w", secretstore.ErrUnavailable, context.DeadlineExceeded), secretstore.ErrUnavailable},
	} {
		if got, want := rotator.ClassOf(c.err).Name, rotator.ClassOf(c.as).Name; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := rotator.ClassOf(errors.New("new")).Name; got != "other" {
		t.Errorf("an error of no class is called %q", got)
	}
}
