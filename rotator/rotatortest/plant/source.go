package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A source is a file of the tree.
type source struct {
	path   string
	src    []byte
	syntax *ast.File
	tokens *token.FileSet
}

func readSource(path string, src []byte) (*source, error) {
	s := &source{path: path, src: src, tokens: token.NewFileSet()}
	var err error
	s.syntax, err = parser.ParseFile(s.tokens, path, src, parser.ParseComments|parser.SkipObjectResolution)
	return s, err
}

func (s *source) offset(p token.Pos) int { return s.tokens.Position(p).Offset }

// A tree is the repository's source, packages read when they are asked for.
type tree struct {
	root     string
	packages map[string][]*source
}

func newTree(root string) *tree { return &tree{root, map[string][]*source{}} }

// read gives a package's files, but those of tests and of other machines.
func (t *tree) read(dir string) ([]*source, error) {
	if files, ok := t.packages[dir]; ok {
		return files, nil
	}
	listed, err := build.ImportDir(filepath.Join(t.root, dir), 0)
	if err != nil {
		return nil, err
	}
	var files []*source
	for _, name := range listed.GoFiles {
		src, err := os.ReadFile(filepath.Join(t.root, dir, name))
		if err != nil {
			return nil, err
		}
		file, err := readSource(path.Join(dir, name), src)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	t.packages[dir] = files
	return files, nil
}

// find gives the declaration at a place.
func (t *tree) find(p place) (*declaration, error) {
	files, err := t.read(p.dir)
	if err != nil {
		return nil, err
	}
	var found, methods []*declaration
	var names []string
	for _, file := range files {
		for _, decl := range file.syntax.Decls {
			for name, node := range named(decl) {
				names = append(names, name)
				_, method, _ := strings.Cut(name, ".")
				switch p.name {
				case name:
					found = append(found, &declaration{node, file})
				case method:
					methods = append(methods, &declaration{node, file})
				}
			}
		}
	}
	if len(found) == 0 {
		found = methods
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%s has %d of the name %s: write TYPE.METHOD", p.dir, len(found), p.name)
	default:
		return nil, fmt.Errorf("%s has no %s; like it are: %s", p.dir, p.name, strings.Join(alike(p.name, names), ", "))
	}
}

// named gives what a declaration declares.
func named(decl ast.Decl) map[string]ast.Node {
	found := map[string]ast.Node{}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		if d.Body != nil {
			found[name] = d
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range s.Names {
					found[name.Name] = s
				}
			case *ast.TypeSpec:
				found[s.Name.Name] = s
			}
		}
	}
	delete(found, "_")
	return found
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	default:
		return ""
	}
}

// alike gives the names that have most in common with one.
func alike(name string, names []string) []string {
	shared := func(other string) int {
		a, b := strings.ToLower(name), strings.ToLower(other)
		if _, method, ok := strings.Cut(a, "."); ok {
			a = method
		}
		pairs := 0
		for i := range len(a) - 1 {
			if strings.Contains(b, a[i:i+2]) {
				pairs++
			}
		}
		return pairs*100 - len(b)
	}
	slices.SortFunc(names, func(a, b string) int { return shared(b) - shared(a) })
	return names[:min(5, len(names))]
}

// plant gives the files that a bug changes, by path, as they are with it.
func (t *tree) plant(b bug) (map[string][]byte, error) {
	changes := map[*source][]change{}
	imports := map[*source][]string{}
	for _, e := range b.edits {
		d, err := t.find(e.place)
		if err != nil {
			return nil, err
		}
		c, err := e.spoil(d)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", d, e.name, err)
		}
		changes[d.file] = append(changes[d.file], c)
		if e.imports != "" {
			imports[d.file] = append(imports[d.file], e.imports)
		}
	}
	planted := map[string][]byte{}
	for file, all := range changes {
		src, err := file.changed(all, imports[file])
		if err != nil {
			return nil, err
		}
		planted[file.path] = src
	}
	return planted, nil
}

// changed gives the file with the changes made, and the imports it then wants.
func (s *source) changed(changes []change, imports []string) ([]byte, error) {
	slices.SortFunc(changes, func(a, b change) int { return int(b.from - a.from) })
	src := bytes.Clone(s.src)
	for _, c := range changes {
		src = slices.Replace(src, s.offset(c.from), s.offset(c.to), []byte(c.text)...)
	}
	after, err := readSource(s.path, src)
	if err != nil {
		return nil, err
	}
	// From the last one on, so that the places of the others stand.
	for _, spec := range slices.Backward(after.syntax.Imports) {
		if uses(s.syntax, spec) && !uses(after.syntax, spec) {
			src = slices.Replace(src, after.offset(spec.Pos()), after.offset(spec.End()), []byte("_ "+spec.Path.Value)...)
		}
	}
	at := after.offset(after.syntax.Name.End())
	for _, path := range imports {
		if slices.ContainsFunc(after.syntax.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == strconv.Quote(path) }) {
			continue
		}
		src = slices.Insert(src, at, []byte("; import "+strconv.Quote(path))...)
	}
	return src, nil
}

// uses tells whether a file names a package that it imports.
func uses(file *ast.File, spec *ast.ImportSpec) bool {
	importPath, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return true
	}
	name := path.Base(importPath)
	if spec.Name != nil {
		name = spec.Name.Name
	}
	used := false
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
				used = true
			}
		}
		return !used
	})
	return used
}
