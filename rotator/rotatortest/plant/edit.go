package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// A bug is a few edits of the source, and the tests that must find it.
type bug struct {
	name  string
	test  string // package, then -run pattern
	edits []edit
}

// An edit spoils one declaration: a function, a method, a constant, a variable or
// a type. It names what it changes there by as little text as tells it apart, so
// that it stands whatever else is done to the file and to the rest of the function. A
// method's receiver is self in that text.
type edits = []edit

type edit struct {
	place
	spoil   func(*declaration) (change, error)
	imports string // that the planted text wants
}

// A place is a declaration by its package's folder and its name, which is that of
// a method with its receiver's type before it, TYPE.METHOD, or without it where
// the package has no other of that name.
type place struct{ dir, name string }

// within gives the places of a package.
func within(dir string) func(name string) place {
	return func(name string) place { return place{dir, name} }
}

// A change is a piece of a file, and what becomes of it.
type change struct {
	from, to token.Pos
	text     string
}

// returns has a function do nothing but return values.
func (p place) returns(values string) edit {
	return edit{place: p, spoil: func(d *declaration) (change, error) {
		f, ok := d.node.(*ast.FuncDecl)
		if !ok {
			return change{}, errors.New("is no function")
		}
		return change{f.Body.Lbrace + 1, f.Body.Rbrace, " return " + d.named(values) + " "}, nil
	}}
}

// never makes the one condition in which what occurs, or the one operand of && and
// || in it, false. A condition counts what is assigned before it, too.
func (p place) never(what string) edit { return p.decides(what, "&& false") }

// always makes it true, likewise.
func (p place) always(what string) edit { return p.decides(what, "|| true") }

func (p place) decides(what, rest string) edit {
	return edit{place: p, spoil: func(d *declaration) (change, error) {
		found, err := d.operand(what)
		if err != nil {
			return change{}, err
		}
		return change{found.Pos(), found.End(), "((" + d.text(found.Pos(), found.End()) + ") " + rest + ")"}, nil
	}}
}

// drops takes code away.
func (p place) drops(code string) edit { return p.replaces(code, "") }

// replaces puts code in the place of other code. How either is laid out in lines
// and spaces does not matter, nor do comments.
func (p place) replaces(code, planted string) edit {
	return edit{place: p, spoil: func(d *declaration) (change, error) {
		found := d.find(code)
		if len(found) != 1 {
			return change{}, fmt.Errorf("has this code %d times, want once: %s", len(found), strings.Join(strings.Fields(code), " "))
		}
		return change{found[0].from, found[0].to, d.named(planted)}, nil
	}}
}

// importing has the file import a package for the planted text. What is no longer
// used goes by itself.
func (e edit) importing(path string) edit {
	e.imports = path
	return e
}
