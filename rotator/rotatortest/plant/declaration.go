package main

import (
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// A declaration is one of a package's, with its source.
type declaration struct {
	node ast.Node
	file *source
}

// A span is a piece of a file.
type span struct{ from, to token.Pos }

func (d *declaration) text(from, to token.Pos) string {
	return string(d.file.src[d.file.offset(from):d.file.offset(to)])
}

// String tells where the declaration is.
func (d *declaration) String() string {
	at := d.file.tokens.Position(d.node.Pos())
	return fmt.Sprintf("%s:%d", d.file.path, at.Line)
}

// self is what bugs call a method's receiver, whatever it is called there.
const self = "self"

// receiver gives the name of a method's; "" if there is none.
func (d *declaration) receiver() string {
	f, ok := d.node.(*ast.FuncDecl)
	if !ok || f.Recv == nil || len(f.Recv.List[0].Names) == 0 {
		return ""
	}
	return f.Recv.List[0].Names[0].Name
}

// named gives planted code with the receiver's own name in it.
func (d *declaration) named(code string) string {
	name := d.receiver()
	if name == "" {
		return code
	}
	return regexp.MustCompile(`\b`+self+`\b`).ReplaceAllString(code, name)
}

// find gives every place where the declaration has that code.
func (d *declaration) find(code string) []span {
	return d.findWithin(code, d.node.Pos(), d.node.End())
}

func (d *declaration) findWithin(code string, from, to token.Pos) (found []span) {
	want := wordsOf([]byte(code))
	have := wordsOf(d.file.src[d.file.offset(from):d.file.offset(to)])
	if name := d.receiver(); name != "" {
		for i, w := range have {
			if w.text == name && (i == 0 || have[i-1].text != ".") {
				have[i].text = self
			}
		}
	}
	for i := 0; len(want) > 0 && i+len(want) <= len(have); i++ {
		if sameWords(have[i:i+len(want)], want) {
			last := have[i+len(want)-1]
			found = append(found, span{from + token.Pos(have[i].at), from + token.Pos(last.end)})
		}
	}
	return found
}

// A word is a token as it is written.
type word struct {
	text    string
	at, end int
}

// wordsOf takes code apart. What comes and goes with line ends is left out: comments,
// semicolons, and the comma before a closing parenthesis.
func wordsOf(src []byte) (words []word) {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, src, func(token.Position, string) {}, 0) // a piece need not be whole
	for {
		pos, tok, text := s.Scan()
		switch tok {
		case token.EOF:
			return words
		case token.SEMICOLON:
			continue
		case token.RPAREN, token.RBRACE, token.RBRACK:
			if n := len(words); n > 0 && words[n-1].text == "," {
				words = words[:n-1]
			}
		default:
		}
		if !tok.IsLiteral() && !tok.IsKeyword() {
			text = tok.String()
		}
		words = append(words, word{text, file.Offset(pos), file.Offset(pos) + len(text)})
	}
}

func sameWords(a, b []word) bool {
	for i := range a {
		if a[i].text != b[i].text {
			return false
		}
	}
	return true
}

// operand gives the smallest condition, or operand of && and || in one, in which
// that code occurs. It must occur in one only.
func (d *declaration) operand(code string) (ast.Expr, error) {
	var found []ast.Expr
	note := func(within ast.Node, condition ast.Expr) {
		if len(d.findWithin(code, within.Pos(), within.End())) > 0 {
			found = append(found, d.smallest(code, within, condition)...)
		}
	}
	ast.Inspect(d.node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			if n.Init != nil {
				note(n.Init, n.Cond)
			}
			note(n.Cond, n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				note(n.Cond, n.Cond)
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				note(e, e)
			}
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				if _, literal := e.(*ast.FuncLit); !literal {
					note(e, e)
				}
			}
		case *ast.AssignStmt:
			for _, e := range n.Rhs {
				if b, ok := e.(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) {
					note(e, e)
				}
			}
		}
		return true
	})
	if len(found) != 1 {
		return nil, fmt.Errorf("has %d conditions with this code, want one: %s", len(found), strings.Join(strings.Fields(code), " "))
	}
	return found[0], nil
}

// smallest goes down to the operands in which the code occurs.
func (d *declaration) smallest(code string, within ast.Node, condition ast.Expr) (found []ast.Expr) {
	if within != ast.Node(condition) {
		return []ast.Expr{condition}
	}
	switch e := condition.(type) {
	case *ast.ParenExpr:
		return d.smallest(code, e.X, e.X)
	case *ast.BinaryExpr:
		if e.Op != token.LAND && e.Op != token.LOR {
			break
		}
		for _, operand := range []ast.Expr{e.X, e.Y} {
			if len(d.findWithin(code, operand.Pos(), operand.End())) > 0 {
				found = append(found, d.smallest(code, operand, operand)...)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return []ast.Expr{condition}
}
