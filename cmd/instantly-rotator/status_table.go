package main

import (
	"cmp"
	"fmt"
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
		if t.Unanswered && t.Workspace != "" {
			t.Text += ": shown as of the stores"
		}
		a.tellObstacle(t)
	}
	a.tellOnce(remarksOf(targets), wide)
	for _, w := range report.Workspaces {
		if w.Error != "" && blocked[w.Workspace] {
			continue // it was said why
		}
		a.say(text.Reset, "workspace "+w.Workspace, w.Text())
	}
	if report.Audit != nil {
		a.say(text.Reset, "audit", report.Audit.Text(report.At))
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
	return t.Name() + " (" + someOf(t.Targets) + ")"
}

// remarksOf gives what is to be known or done of targets.
func remarksOf(targets []status.Target) []remark {
	var all []remark
	for _, of := range targets {
		for _, text := range of.Remarks() {
			all = append(all, remark{of.Target, text})
		}
	}
	return all
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
				[]string{age(of, now), nextRotation(of, now, at), oldKeyEnds(of, now, func(end *time.Time) string { return at(end, now) }), state(of, true)})...))
		}
		for _, s := range of.Sinks {
			t.AppendRow(row("", "", "sink "+s.Sink, "-", dash(s.KeyID), "-", "", "", "", sinkState(s)))
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
		rows = append(rows, []string{of.Target, of.Workspace, strings.Join(agree, ", "), shortID(of.Current()), age(of, now), nextRotation(of, now, in),
			oldKeyEnds(of, now, func(end *time.Time) string { return in(end, now) }), state(of, false)})
		for _, st := range differ {
			rows = append(rows, []string{"", "", st.Store, shortID(st.Current), "", "", "", storeState(st)})
		}
		for _, s := range of.Sinks {
			if s.Behind() || s.Error != "" {
				rows = append(rows, []string{"", "", "sink " + s.Sink, shortID(s.KeyID), "", "", "", sinkState(s)})
			}
		}
	}
	keep := telling(header, rows)
	if out := drawn(header, rows, keep); text.LongestLineLen(out) <= a.width() {
		fmt.Fprintln(a.stdout, out)
		return
	}
	for _, r := range rows {
		a.stack(header, r, keep)
	}
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

func sinkState(s status.Sink) string {
	switch {
	case s.Error != "":
		return text.FgRed.Sprint("failing")
	case !s.Current:
		return text.FgYellow.Sprint("behind")
	case s.Unproven:
		return text.FgYellow.Sprint("unproven")
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

// nextRotation says when the key falls due.
func nextRotation(of status.Target, now time.Time, write func(t *time.Time, now time.Time) string) string {
	if of.OnlyWhenAsked {
		return status.NeverText
	}
	return write(of.NextRotation, now)
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

// oldKeyEnds says when the first old key may go, or what keeps it.
func oldKeyEnds(of status.Target, now time.Time, write func(*time.Time) string) string {
	if len(of.OldKeys) == 0 {
		return "-"
	}
	switch old := of.OldKeys[0]; {
	case old.Gone:
		return "gone already"
	case old.Held:
		return "when released"
	case of.Quarantine != "":
		return "when replaced"
	case old.Ends == nil && len(old.WaitsFor) > 0:
		return "waits for " + strings.Join(old.WaitsFor, ", ")
	case old.Ends == nil || old.Ends.After(now):
		return write(old.Ends)
	case len(old.WaitsFor) > 0:
		return "overdue: waits for " + strings.Join(old.WaitsFor, ", ")
	default:
		return "overdue: waits for a run"
	}
}
