package main

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// Whoever moves or renames what a bug is planted in is told so here, and which
// functions are like the one that is gone. Whether tests find the bug is shown by
// the command.
func TestEveryBugHasItsPlaceAndCompiles(t *testing.T) {
	tree, check := newTree(root), newChecker(t)
	for _, b := range bugs() {
		t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) {
			planted, err := tree.plant(b)
			if err != nil {
				t.Fatal(err)
			}
			dirs := map[string]bool{}
			for file := range planted {
				dirs[path.Dir(file)] = true
			}
			for dir := range dirs {
				if err := check.compile(tree, dir, planted); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Each name in a bug's pattern must be that of a test, or part of it.
func TestEveryBugHasTestsThatMayFindIt(t *testing.T) {
	names := map[string][]string{}
	for _, b := range bugs() {
		dir, run, _ := strings.Cut(b.test, " ")
		if names[dir] == nil {
			names[dir] = testsOf(t, filepath.Join(root, dir))
		}
		for alternative := range strings.SplitSeq(run, "|") {
			top, _, _ := strings.Cut(alternative, "/")
			if !slices.ContainsFunc(names[dir], regexp.MustCompile(top).MatchString) {
				t.Errorf("%s: %s has no test like %s", b.name, dir, top)
			}
		}
	}
}

func TestNamesOfBugsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range bugs() {
		if seen[b.name] {
			t.Errorf("two bugs are named %s", b.name)
		}
		seen[b.name] = true
	}
	for _, name := range simulated() {
		if !seen[name] {
			t.Errorf("the simulator is to find %s, which there is not", name)
		}
	}
}

func testsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find tests in %s: %v", dir, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(src, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

// A checker type-checks packages of the tree, with what they import as it is.
type checker struct {
	tokens   *token.FileSet
	importer types.Importer
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}")
	list.Dir = root
	for _, b := range bugs() {
		for _, e := range b.edits {
			if arg := "./" + e.dir; !slices.Contains(list.Args, arg) {
				list.Args = append(list.Args, arg)
			}
		}
	}
	list.Args = append(list.Args, "log") // which a bug wants
	var complaints bytes.Buffer
	list.Stderr = &complaints
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &complaints)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			exports[name] = file
		}
	}
	tokens := token.NewFileSet()
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	return &checker{tokens, importer.ForCompiler(tokens, "gc", lookup)}
}

func (c *checker) compile(tree *tree, dir string, planted map[string][]byte) error {
	sources, err := tree.read(dir)
	if err != nil {
		return err
	}
	var files []*ast.File
	for _, s := range sources {
		src := s.src
		if p, ok := planted[s.path]; ok {
			src = p
		}
		file, err := parser.ParseFile(c.tokens, s.path, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	config := types.Config{Importer: c.importer}
	_, err = config.Check(dir, c.tokens, files, nil)
	return err
}
