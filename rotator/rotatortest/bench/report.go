package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A report is a page of Markdown. It remembers which goals were missed.
type report struct {
	w      io.Writer
	missed []string
}

// chapter begins a part.
func (r *report) chapter(title string) { fmt.Fprintf(r.w, "\n### %s\n", title) }

// say writes a paragraph.
func (r *report) say(format string, args ...any) { fmt.Fprintf(r.w, "\n"+format+"\n", args...) }

// table writes rows that are as wide as head.
func (r *report) table(head []string, rows [][]string) {
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
	}
	fmt.Fprintln(r.w)
	for _, row := range append([][]string{head, rule}, rows...) {
		fmt.Fprintf(r.w, "| %s |\n", strings.Join(row, " | "))
	}
}

// atLeast gives a measured value with the verdict on its goal.
func (r *report) atLeast(what string, got, goal float64) string {
	return r.judge(what, got >= goal, fmt.Sprintf("%.3f", got), fmt.Sprintf("≥ %.2f", goal))
}

// atMost is atLeast's other direction.
func (r *report) atMost(what string, got, goal float64) string {
	return r.judge(what, got <= goal, fmt.Sprintf("%.3f", got), fmt.Sprintf("≤ %.2f", goal))
}

// exactly is for what is counted.
func (r *report) exactly(what string, got, goal int) string {
	return r.judge(what, got == goal, strconv.Itoa(got), strconv.Itoa(goal))
}

func (r *report) judge(what string, kept bool, got, goal string) string {
	if kept {
		return got + " (goal " + goal + ")"
	}
	r.missed = append(r.missed, fmt.Sprintf("%s: %s, goal %s", what, got, goal))
	return "**" + got + " (goal " + goal + ", missed)**"
}

// seconds writes a duration as people compare it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func millis(d time.Duration) string { return fmt.Sprintf("%.0f ms", d.Seconds()*1000) }

func megabytes(n int) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
