package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func outputFlag(c *cobra.Command, output *string) {
	c.Flags().StringVarP(output, "output", "o", "table", "table or json")
}

func timeoutFlag(c *cobra.Command, timeout *time.Duration) {
	c.Flags().DurationVar(timeout, "timeout", defaultTimeout, "how long to wait for Instantly and the stores while nothing is answered")
}

// wrongOutput is for a form that there is not.
func wrongOutput(output string) error {
	return usageError{fmt.Errorf("--output %q: want table or json", output)}
}

// show prints v as JSON, or calls forPeople.
func (a *app) show(output string, v any, forPeople func()) error {
	switch output {
	case "json":
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	case "table":
		forPeople()
		return nil
	default:
		return wrongOutput(output)
	}
}

// table makes a table without lines, as kubectl prints them.
func (a *app) table(columns ...string) table.Writer {
	t := plainTable()
	t.SetOutputMirror(a.stdout)
	t.AppendHeader(row(columns...))
	return t
}

// plainTable makes one that is printed by whoever asks for it.
func plainTable() table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

// narrow is how wide a terminal is that does not say.
const narrow = 80

// width is how many characters fit on a line.
func (a *app) width() int {
	if f, ok := a.stdout.(interface{ Fd() uintptr }); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return narrow
}

func row(cells ...string) table.Row {
	r := make(table.Row, len(cells))
	for i, c := range cells {
		r[i] = c
	}
	return r
}

// dash stands for nothing where nothing could be taken for an oversight.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shortID cuts a UUID to what tells two keys apart: UUIDs of version 7 made in
// the same minute begin alike, so its end is kept too.
func shortID(id string) string {
	const head, tail = 8, 4
	if len(id) <= head+tail+1 {
		return dash(id)
	}
	return id[:head] + "…" + id[len(id)-tail:]
}
