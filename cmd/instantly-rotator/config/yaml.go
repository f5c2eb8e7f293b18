package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readYAML turns the text into its one node; nil if it reported why not.
func readYAML(r *report, data []byte) *yaml.Node {
	if len(data) > maxFile {
		r.fail(mark{}, "is it the right file?", "larger than %d KiB", maxFile>>10)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	err := decodeNode(dec, &doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && isEmpty(&doc):
		r.fail(mark{}, "begin with a copy of config.example.yaml", "the file is empty")
		return nil
	case err != nil:
		reportSyntax(r, data, err)
		return nil
	}
	var second yaml.Node
	switch err := decodeNode(dec, &second); {
	case errors.Is(err, io.EOF):
		return doc.Content[0]
	case err != nil:
		reportSyntax(r, data, err)
	default:
		r.fail(mark{line: second.Line, column: second.Column},
			`take out the line "---" or what follows it`, "a second YAML document begins here")
	}
	return nil
}

// isEmpty tells whether a document holds nothing but comments.
func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null"
}

// decodeNode reads the next document. The library reports most bad input as an
// error, but keeps panics for what it thinks cannot happen.
func decodeNode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: the YAML reader gave up: %v", p)
		}
	}()
	return dec.Decode(n)
}

// A syntaxRule says in plain words what the YAML library means by a message.
type syntaxRule struct {
	begins  string // of the library's message
	message string
	hint    string
	// fromZero: the library counts lines from 0 here. It names the line where
	// the list or mapping begins that it could not read to its end.
	fromZero bool
}

func syntaxRules() []syntaxRule {
	return []syntaxRule{
		{begins: "did not find expected '-' indicator", fromZero: true,
			message: "the list here has a line that does not line up",
			hint:    `items begin with "- ", all in the same column, and their fields line up behind it`},
		{begins: "did not find expected key", fromZero: true,
			message: "the mapping here has a line that does not line up",
			hint:    "give all its names the same indentation"},
		{begins: "did not find expected ',' or ']'", fromZero: true,
			message: "the list here is not closed, or a comma is missing",
			hint:    "write [a, b]"},
		{begins: "did not find expected ',' or '}'", fromZero: true,
			message: "the mapping here is not closed, or a comma is missing",
			hint:    "write {a: 1, b: 2}"},
		{begins: "did not find expected node content", fromZero: true,
			message: "the list or mapping here lacks a value"},
		{begins: "mapping values are not allowed",
			message: `a ":" is in a place where none can be`,
			hint:    "line up with the lines above, or put text that has a colon in quotes"},
		{begins: "could not find expected ':'",
			message: `a ":" is missing`, hint: "write NAME: VALUE"},
		{begins: "found character that cannot start any token",
			message: "a value cannot begin with this character", hint: "put the value in quotes"},
		{begins: "found a tab character",
			message: "a tab in the indentation", hint: "indent with spaces"},
		{begins: "found unexpected end of stream",
			message: "a quote is opened and never closed"},
		{begins: "did not find expected alphabetic or numeric character",
			message: `text that begins with "*" or "&"`, hint: "put it in quotes"},
		{begins: "unknown anchor",
			message: "an alias (*NAME) without its anchor (&NAME) above it",
			hint:    `put text that begins with "*" in quotes`},
	}
}

// reportSyntax reports an error of the YAML library, which comes as text, with
// the line it names and sometimes without.
func reportSyntax(r *report, data []byte, err error) {
	if line := tabbedLine(data); line > 0 {
		r.fail(mark{line: line, column: 1}, "indent with spaces", "a tab in the indentation")
		return
	}
	line, text := splitSyntaxError(err)
	rule := syntaxRule{message: "not YAML: " + text}
	for _, known := range syntaxRules() {
		if strings.HasPrefix(text, known.begins) {
			rule = known
		}
	}
	switch {
	case strings.HasPrefix(text, "unknown anchor"):
		line = aliasLine(data, text)
	case rule.fromZero || line == 0: // it does not name a line 0
		line++
	}
	last := 1 + bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n"))
	r.fail(mark{line: min(line, last)}, rule.hint, "%s", rule.message)
}

// splitSyntaxError takes "yaml: line 3: text" apart; the line is 0 if there is none.
func splitSyntaxError(err error) (line int, text string) {
	parts := regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`).FindStringSubmatch(err.Error())
	if parts == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(parts[1]) // 0 if empty
	return line, parts[2]
}

// tabbedLine gives the first line whose indentation has a tab; 0 if none has.
func tabbedLine(data []byte) int {
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := bytes.TrimLeft(line, " \t")
		if len(bytes.TrimSpace(text)) > 0 && bytes.Contains(line[:len(line)-len(text)], []byte("\t")) {
			return i + 1
		}
	}
	return 0
}

// aliasLine finds the line of the alias that "unknown anchor 'x' referenced"
// speaks of: the library does not tell it.
func aliasLine(data []byte, text string) int {
	_, rest, _ := strings.Cut(text, "'")
	name, _, _ := strings.Cut(rest, "'")
	before, _, found := bytes.Cut(data, []byte("*"+name))
	if !found {
		return 0
	}
	return bytes.Count(before, []byte("\n")) + 1
}
