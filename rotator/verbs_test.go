package rotator

// This test is inside the package because the table of the verbs is.

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every verb is in the table once: one that was forgotten could not be performed.
func TestEveryVerbIsInTheTable(t *testing.T) {
	var got []string
	for _, a := range actions() {
		got = append(got, string(a.verb))
		if ends := a.verb == Settled || a.verb == Stop; ends != (a.perform == nil) {
			t.Errorf("%s: nobody knows how it is performed", a.verb)
		}
		if a.worthRun && !a.effect && a.verb != Check {
			t.Errorf("%s changes nothing, and is nothing to run for", a.verb)
		}
	}
	want := declaredVerbs(t)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verbs (-declared +in the table):\n%s", diff)
	}
}

// declaredVerbs gives the values of the constants of type Verb.
func declaredVerbs(t *testing.T) (verbs []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "verbs.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Verb" {
			verbs = append(verbs, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	return verbs
}
