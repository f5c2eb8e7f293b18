package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Problem is one thing that is wrong, or looks wrong, with the file.
type Problem struct {
	// File as it was named by the caller.
	File string
	// Line and Column count from 1; 0 if they are not known.
	Line, Column int
	// Path of the option, such as keys[1].grace_period; empty for the file.
	Path string
	// Message says what is wrong. It never holds what might be a secret.
	Message string
	// Elsewhere is the other place in the file that the message is about, with its
	// line; may be empty.
	Elsewhere string
	// Hint says what to write instead; may be empty.
	Hint string
}

// String gives "file:line:column: path: message: hint" without what is not known.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Line > 0 && p.Column > 0 {
		fmt.Fprintf(&b, ":%d", p.Column)
	}
	for _, part := range []string{p.Path, p.Message + p.Elsewhere, p.Hint} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	return b.String()
}

// Problems are the errors of a file, in the order of the file; never empty
// where they are returned as an error. Match with [errors.As].
type Problems []Problem //nolint:errname // it is a list, and read as one

// Error gives one problem per line.
func (ps Problems) Error() string { return lines(ps) }

// Warnings are problems a user may well have meant, in the order of the file.
type Warnings []Problem

// String gives one warning per line.
func (ws Warnings) String() string { return lines(ws) }

func lines(ps []Problem) string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return strings.Join(out, "\n")
}

// A mark is a place in the file: where something was written, or where it
// should have been.
type mark struct {
	line, column int // 0: not in the file
	path         string
}

// at gives the mark itself; it is what forms have in common by embedding.
func (m mark) at() mark { return m }

// written tells whether the place is in the file.
func (m mark) written() bool { return m.line > 0 }

// inLine names the place's line behind a message.
func (m mark) inLine() string { return fmt.Sprintf(", in line %d", m.line) }

// byPath names the place behind a message.
func (m mark) byPath() string { return fmt.Sprintf(", by %s in line %d", m.path, m.line) }

// place sets the mark.
func (m *mark) place(at mark) { *m = at }

// below gives the mark with a path one field deeper.
func (m mark) below(field string) mark {
	m.path = join(m.path, field)
	return m
}

// join puts a field's name behind a path.
func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

// A report collects what is wrong with one file.
type report struct {
	file     string
	errors   []Problem
	warnings []Problem
}

// fail adds an error.
func (r *report) fail(at mark, hint, format string, args ...any) {
	r.errors = append(r.errors, r.problem(at, hint, format, args))
}

// clash adds an error about two places; elsewhere names the other one.
func (r *report) clash(at mark, hint, elsewhere, format string, args ...any) {
	p := r.problem(at, hint, format, args)
	p.Elsewhere = printable(elsewhere)
	r.errors = append(r.errors, p)
}

// warn adds a warning.
func (r *report) warn(at mark, hint, format string, args ...any) {
	r.warnings = append(r.warnings, r.problem(at, hint, format, args))
}

func (r *report) problem(at mark, hint, format string, args []any) Problem {
	return Problem{
		File: r.file, Line: at.line, Column: at.column, Path: at.path,
		Message: printable(fmt.Sprintf(format, args...)), Hint: printable(hint),
	}
}

// printable takes out what would break lines or steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// err gives the errors in the order of the file; nil if there are none.
func (r *report) err() error {
	if len(r.errors) == 0 {
		return nil
	}
	return Problems(inFileOrder(r.errors))
}

// maxProblems is how many are reported at once: more would help nobody.
const maxProblems = 200

// inFileOrder sorts, and drops repetitions: an inherited option is checked once
// for every target that inherits it.
func inFileOrder(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	seen := map[Problem]bool{}
	ps = slices.DeleteFunc(ps, func(p Problem) bool {
		repeated := seen[p]
		seen[p] = true
		return repeated
	})
	if more := len(ps) - maxProblems; more > 0 {
		ps = append(ps[:maxProblems:maxProblems], Problem{File: ps[0].File, Message: fmt.Sprintf("and %d more", more)})
	}
	return ps
}
