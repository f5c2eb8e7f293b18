package rotator

// This test is inside the package because what is known of the verbs is.

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Something is known of every verb: one that was forgotten could not be performed.
func TestEveryVerbIsKnown(t *testing.T) {
	for _, v := range declaredVerbs(t) {
		a := v.action()
		if ends := v == Settled || v == Stop; ends != (a.perform == nil) {
			t.Errorf("%s: nobody knows how it is performed", v)
		}
		if a.worthRun && !a.effect && v != Check {
			t.Errorf("%s changes nothing, and is nothing to run for", v)
		}
	}
}

// declaredVerbs gives the values of the constants of type Verb.
func declaredVerbs(t *testing.T) (verbs []Verb) {
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
			verbs = append(verbs, Verb(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)))
		}
		return true
	})
	return verbs
}
