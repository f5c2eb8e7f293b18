package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// fitted prints rows whose last column says why. At a terminal, columns that tell
// nothing are left out, and what is too wide is broken or stacked: no name and no id is
// ever broken. Others read it line by line.
func (a *app) fitted(header []string, rows [][]string) {
	var keep []int
	for i := range header {
		keep = append(keep, i)
	}
	if !terminal(a.stdout) {
		fmt.Fprintln(a.stdout, drawn(header, rows, keep))
		return
	}
	keep = telling(header, rows)
	out := drawn(header, rows, keep)
	if text.LongestLineLen(out) > a.width() && keep[len(keep)-1] == len(header)-1 {
		out = a.brokenWhy(header, rows, keep)
	}
	if text.LongestLineLen(out) <= a.width() {
		fmt.Fprintln(a.stdout, out)
		return
	}
	for _, r := range rows {
		a.stack(header, r, keep)
	}
}

// brokenWhy draws a table whose last column is as wide as there is room for.
func (a *app) brokenWhy(header []string, rows [][]string, keep []int) string {
	const least, gap = 24, 2
	why := len(header) - 1
	room := a.width() - text.LongestLineLen(drawn(header, rows, keep[:len(keep)-1])) - gap
	if room < least {
		return drawn(header, rows, keep)
	}
	broken := make([][]string, len(rows))
	for i, r := range rows {
		broken[i] = slices.Clone(r)
		broken[i][why] = softly(r[why], room)
	}
	return drawn(header, broken, keep)
}

// drawn gives a table of the columns to keep.
func drawn(header []string, rows [][]string, keep []int) string {
	t := plainTable()
	t.AppendHeader(row(pick(header, keep)...))
	for _, r := range rows {
		t.AppendRow(row(pick(r, keep)...))
	}
	return t.Render()
}

// stack prints a row as two lines or more: its name with the last column, unless that
// does not fit, and the others below.
func (a *app) stack(header, r []string, keep []int) {
	last := len(r) - 1
	name, indent := r[0], "  "
	if name == "" { // of the target above
		name, indent = "  store "+r[2], "    "
		if strings.HasPrefix(r[2], "sink ") {
			name = "  " + r[2]
		}
	}
	first := strings.TrimRight(name+"  "+r[last], " ")
	if text.StringWidthWithoutEscSequences(first) > a.width() {
		first, last = name, len(r)
	}
	fmt.Fprintln(a.stdout, first)
	var rest []string
	for _, i := range keep {
		if i > 0 && i < last && r[i] != "" && (r[0] != "" || header[i] != "STORES") {
			rest = append(rest, strings.ToLower(header[i])+" "+r[i])
		}
	}
	if len(rest) == 0 {
		return
	}
	said := softly(strings.Join(rest, ", "), a.width()-len(indent))
	fmt.Fprintln(a.stdout, indent+strings.ReplaceAll(said, "\n", "\n"+indent))
}

// telling gives the columns that tell something: WORKSPACE and STORES only if there are
// several, the others if they are not empty.
func telling(header []string, rows [][]string) []int {
	var keep []int
	for i, name := range header {
		seen := map[string]bool{}
		for _, r := range rows {
			if r[i] != "" && r[i] != "-" {
				seen[r[i]] = true
			}
		}
		several := name == "WORKSPACE" || name == "STORES"
		if len(seen) > 1 || (len(seen) == 1 && !several) || name == "CURRENT" {
			keep = append(keep, i)
		}
	}
	return keep
}

func pick(cells []string, keep []int) []string {
	out := make([]string, len(keep))
	for i, at := range keep {
		out[i] = cells[at]
	}
	return out
}

// A remark is what people should know or do about something, such as a target.
type remark struct{ about, text string }

// mostRemarks is how many of them one reads; more are for -o wide.
const mostRemarks = 20

// tellOnce says remarks; what is the same about several is said once.
func (a *app) tellOnce(remarks []remark, all bool) {
	var said []string
	about := map[string][]string{}
	for _, r := range remarks {
		if about[r.text] == nil {
			said = append(said, r.text)
		}
		if !slices.Contains(about[r.text], r.about) {
			about[r.text] = append(about[r.text], r.about)
		}
	}
	for i, remark := range said {
		if i == mostRemarks && !all {
			fmt.Fprintf(a.stdout, "%d more remarks: -o wide has all\n", len(said)-i)
			return
		}
		a.say(text.FgYellow, someOf(about[remark]), remark)
	}
}

// say prints a line; at a terminal it is broken between words.
func (a *app) say(color text.Color, head, what string) {
	what = a.pasted(what)
	line := head + ": " + what
	if terminal(a.stdout) {
		const indent = "    "
		line = strings.ReplaceAll(wrapped(line, a.width()-len(indent)), "\n", "\n"+indent)
	}
	if rest, ok := strings.CutPrefix(line, head); ok {
		line = color.Sprint(head) + rest
	}
	for part := range strings.Lines(line + "\n") {
		fmt.Fprintln(a.stdout, strings.TrimRight(part, " \n"))
	}
}

// wrapped breaks a line between words, but not within a command: it can be pasted as it
// stands. One that no line holds stands on a line of its own.
func wrapped(line string, width int) string {
	var parts []string
	done := 0
	for _, at := range commandInText().FindAllStringIndex(line, -1) {
		if command := line[at[0]:at[1]]; len(command)+2 > width {
			parts = append(parts, softly(line[done:at[0]], width), command)
			done = at[1]
		}
	}
	parts = append(parts, softly(line[done:], width))
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "\n")
}

// softly breaks a line between words and commands.
func softly(line string, width int) string {
	const glue = "\uE000" // for private use: no text has it
	line = commandInText().ReplaceAllStringFunc(line, func(command string) string {
		return strings.ReplaceAll(command, " ", glue)
	})
	return strings.ReplaceAll(text.WrapSoft(strings.TrimSpace(line), width), glue, " ")
}

// commandInText matches a command of this program up to a mark that ends it.
func commandInText() *regexp.Regexp {
	return regexp.MustCompile(`instantly-rotator( ('[^']*'|[^\s;,"']+))+`)
}
