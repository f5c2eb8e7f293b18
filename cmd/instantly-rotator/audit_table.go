package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// auditTable shows a report to people: the worst first, below each check why it asks, and
// with each finding what to do.
func (a *app) auditTable(r audit.Report) {
	titles := map[string]audit.Outcome{}
	for _, c := range r.Checks {
		titles[c.ID] = c
	}
	for _, s := range audit.Severities() {
		a.auditSection(r, titles, strings.ToUpper(s.Text()), severityColor(s), func(f audit.Finding) bool { return f.Severity == s && f.Accepted == nil && f.Follows == "" })
	}
	a.auditSection(r, titles, "ACCEPTED", text.Reset, func(f audit.Finding) bool { return f.Accepted != nil })
	for _, u := range r.Unused {
		a.say(text.FgYellow, "exception", u)
	}
	if r.Scanned != nil {
		a.say(text.Reset, "searched for "+humantime.Count(r.Scanned.Values, "value"), r.Scanned.Text())
	}
	a.say(text.Reset, a.configPath, r.Summary()+" "+version())
}

func severityColor(s audit.Severity) text.Color {
	switch s {
	case audit.High:
		return text.FgRed
	case audit.Medium, audit.Low:
		return text.FgYellow
	case audit.NotKnown:
		return text.FgMagenta
	default:
		return text.Reset
	}
}

// auditSection prints the findings that belong into it, those of one check together.
func (a *app) auditSection(r audit.Report, checks map[string]audit.Outcome, head string, color text.Color, belongs func(audit.Finding) bool) {
	found := slices.DeleteFunc(slices.Clone(r.Findings), func(f audit.Finding) bool { return !belongs(f) })
	if len(found) > 0 {
		fmt.Fprintln(a.stdout, color.Sprint(head))
	}
	for len(found) > 0 {
		id, n := found[0].Check, 0
		for n < len(found) && found[n].Check == id {
			n++
		}
		const indent = "          "
		fmt.Fprintf(a.stdout, "  %-8s%s\n", id, a.within(checks[id].Title+". "+checks[id].Why, indent))
		for i, f := range found[:min(n, mostAlike)] {
			last := i == min(n, mostAlike)-1
			a.auditFinding(f, indent, last || found[i+1].Remedy != f.Remedy)
		}
		if more := n - mostAlike; more > 0 {
			fmt.Fprintf(a.stdout, "%s%d more of %s: -o json has all\n", indent, more, id)
		}
		found = found[n:]
	}
}

// auditFinding prints one, with what to do unless the next one says the same.
func (a *app) auditFinding(f audit.Finding, indent string, remedy bool) {
	fmt.Fprintf(a.stdout, "%s- %s\n", indent, a.within(f.Named()+": "+f.Said(), indent+"  "))
	indent += "  "
	switch {
	case f.Accepted != nil:
		fmt.Fprintf(a.stdout, "%s%s\n", indent, a.within("until "+humantime.Stamp(f.Accepted.Until)+": "+f.Accepted.Reason, indent))
	case f.Remedy != "" && remedy:
		fmt.Fprintf(a.stdout, "%s%s\n", indent, a.within("do: "+f.Remedy, indent))
	}
}
