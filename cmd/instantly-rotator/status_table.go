package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// statusTable shows a report to people: troubled targets first, and below the table
// each trouble once.
func (a *app) statusTable(report status.Report, wide bool) {
	targets := slices.Clone(report.Targets)
	slices.SortStableFunc(targets, func(x, y status.Target) int {
		return cmp.Compare(y.State.Severity(), x.State.Severity())
	})
	if wide {
		a.wideRows(targets, report.At)
	} else {
		a.narrowRows(targets, report.At)
	}
	blocked := map[string]bool{}
	for _, t := range report.Obstacles() {
		blocked[t.Workspace] = true
		a.tellObstacle(t)
	}
	a.remarks(targets, wide)
	for _, w := range report.Workspaces {
		if w.Error != "" && blocked[w.Workspace] {
			continue // it was said why
		}
		a.say(text.Reset, "workspace "+w.Workspace, w.Text())
	}
}

// tellObstacle says what is in the way, of how many, and what can be done.
func (a *app) tellObstacle(o status.Obstacle) {
	a.say(text.FgRed, obstacleHead(o), o.Text)
	if o.Hint != "" {
		a.say(text.FgYellow, "  hint", o.Hint)
	}
}

func obstacleHead(t status.Obstacle) string {
	head := "workspace " + t.Workspace
	if t.Store != "" {
		head = "store " + t.Store
	}
	return head + " (" + someOf(t.Targets) + ")"
}

// mostRemarks is how many of them one reads; more are for -o wide.
const mostRemarks = 20

// remarks say what is to be known or done of targets; what is the same for several is
// said once.
func (a *app) remarks(targets []status.Target, wide bool) {
	var said []string
	about := map[string][]string{}
	for _, of := range targets {
		for _, remark := range of.Remarks() {
			if about[remark] == nil {
				said = append(said, remark)
			}
			about[remark] = append(about[remark], of.Target)
		}
	}
	for i, remark := range said {
		if i == mostRemarks && !wide {
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

// wideRows shows all there is, a row for each store.
func (a *app) wideRows(targets []status.Target, now time.Time) {
	t := a.table("TARGET", "WORKSPACE", "STORE", "PENDING", "CURRENT", "PREVIOUS", "AGE", "NEXT ROTATION", "OLD KEY ENDS", "STATE")
	for _, of := range targets {
		for i, st := range of.Stores {
			ids := []string{st.Store, dash(st.Pending), dash(st.Current), dash(st.Previous)}
			if i > 0 {
				t.AppendRow(row(slices.Concat([]string{"", ""}, ids, []string{"", "", "", storeState(st)})...))
				continue
			}
			t.AppendRow(row(slices.Concat([]string{of.Target, of.Workspace}, ids,
				[]string{age(of, now), at(of.NextRotation, now), oldKeyEnds(of, func(end *time.Time) string { return at(end, now) }), state(of, true)})...))
		}
	}
	t.Render()
}

// narrowRows shows a row for each target, and one for each store that has something
// else than its primary. What is empty, or the same everywhere, is left out; what does
// not fit is stacked.
func (a *app) narrowRows(targets []status.Target, now time.Time) {
	header := []string{"TARGET", "WORKSPACE", "STORES", "CURRENT", "AGE", "NEXT", "OLD KEY ENDS", "STATE"}
	var rows [][]string
	for _, of := range targets {
		agree, differ := of.StoresApart()
		rows = append(rows, []string{of.Target, of.Workspace, strings.Join(agree, ", "), shortID(of.Current()), age(of, now), in(of.NextRotation, now),
			oldKeyEnds(of, func(end *time.Time) string { return in(end, now) }), state(of, false)})
		for _, st := range differ {
			rows = append(rows, []string{"", "", st.Store, shortID(st.Current), "", "", "", storeState(st)})
		}
	}
	keep := telling(header, rows)
	t := plainTable()
	t.AppendHeader(row(pick(header, keep)...))
	for _, r := range rows {
		t.AppendRow(row(pick(r, keep)...))
	}
	if out := t.Render(); text.LongestLineLen(out) <= a.width() {
		fmt.Fprintln(a.stdout, out)
		return
	}
	for _, r := range rows {
		a.stack(header, r, keep)
	}
}

// stack prints a row as two lines or more.
func (a *app) stack(header, r []string, keep []int) {
	last := len(r) - 1
	fmt.Fprintln(a.stdout, strings.TrimSpace(cmp.Or(r[0], "  store "+r[2])+"  "+r[last]))
	var rest []string
	for _, i := range keep {
		if i > 0 && i < last && r[i] != "" && (r[0] != "" || header[i] != "STORES") {
			rest = append(rest, strings.ToLower(header[i])+" "+r[i])
		}
	}
	if len(rest) == 0 {
		return
	}
	const indent = "  "
	said := text.WrapSoft(strings.Join(rest, ", "), a.width()-len(indent))
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

// state writes a target's state for people.
func state(of status.Target, wide bool) string {
	word := of.State.Text()
	switch {
	case of.State == status.Failing:
		word += " " + humantime.Times(of.LastFailure.Count)
	case of.State == status.Rotating && wide:
		word += " (" + of.Rotation.By + " since " + humantime.Stamp(of.Rotation.Since) + ")"
	}
	switch severity := of.State.Severity(); {
	case severity == status.Trouble:
		return text.FgRed.Sprint(word)
	case severity == status.Notice:
		return text.FgYellow.Sprint(word)
	case of.State == status.OK:
		return text.FgGreen.Sprint(word)
	default:
		return word
	}
}

func storeState(st status.Store) string {
	switch {
	case st.Error != "":
		return text.FgRed.Sprint("unreadable")
	case st.Pending != "":
		return text.FgYellow.Sprint("pending " + shortID(st.Pending))
	default:
		return ""
	}
}

func age(of status.Target, now time.Time) string {
	if of.Since == nil {
		return "-"
	}
	return humantime.Span(now.Sub(*of.Since))
}

// at prints an instant, and how far away it is.
func at(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s)", humantime.Stamp(*t), humantime.Until(*t, now))
}

// in prints how far away an instant is.
func in(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return humantime.Until(*t, now)
}

// oldKeyEnds says when the first old key may go.
func oldKeyEnds(of status.Target, write func(*time.Time) string) string {
	switch {
	case len(of.OldKeys) == 0:
		return "-"
	case of.OldKeys[0].Held:
		return "when released"
	default:
		return write(of.OldKeys[0].Ends)
	}
}
