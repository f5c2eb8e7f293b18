package alltest_test

import (
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
)

func TestEveryKindHasAFixture(t *testing.T) {
	var kinds, fixtures []string
	for _, k := range all.Kinds() {
		kinds = append(kinds, k.Name)
	}
	for _, f := range alltest.Fixtures() {
		fixtures = append(fixtures, f.Kind)
	}
	if !slices.Equal(kinds, fixtures) {
		t.Errorf("kinds %v, fixtures %v", kinds, fixtures)
	}
}

// TestNoStandInIsShipped: a linter cannot tell the stand-ins of a backend that is
// yet to come.
func TestNoStandInIsShipped(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/instantly-rotator")
	list.Dir = filepath.Join("..", "..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		ours := strings.HasPrefix(pkg, "github.com/instantly-rotator/")
		if name := path.Base(pkg); ours && (strings.HasSuffix(name, "test") || name == "fixture") {
			t.Errorf("the binary has %s in it", pkg)
		}
	}
}
