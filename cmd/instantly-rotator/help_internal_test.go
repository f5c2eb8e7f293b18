package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpFitsATerminal: help that is broken by the terminal cannot be read in columns.
func TestHelpFitsATerminal(t *testing.T) {
	printed := func(args ...string) string {
		var out bytes.Buffer
		a := &app{stdout: &out, stderr: &out, getenv: func(string) string { return "" }}
		if code := a.run(context.Background(), args); code != exitSettled {
			t.Errorf("%s ends with %d", strings.Join(args, " "), code)
		}
		return out.String()
	}
	pages := [][]string{{"--help"}}
	for _, c := range commandsOf((&app{getenv: func(string) string { return "" }}).rootCommand()) {
		pages = append(pages, append([]string{"help"}, strings.Fields(c.CommandPath())[1:]...))
	}
	for _, words := range pages {
		for line := range strings.Lines(printed(words...)) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
				t.Errorf("%s: %d columns: %s", strings.Join(words, " "), n, line)
			}
		}
	}
}
