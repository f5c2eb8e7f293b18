package evidence

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Markdown writes the report for people.
func (r Report) Markdown(w io.Writer) error {
	p := &page{}
	p.head(r)
	p.summary(r)
	p.unknown(r)
	p.record(r)
	p.keys(r)
	p.late(r)
	p.incidents(r)
	p.exceptions(r)
	p.outside(r)
	p.audits(r)
	p.access(r)
	p.seen(r)
	p.controls(r)
	_, err := io.WriteString(w, p.String())
	return err
}

// page is the text as it is made.
type page struct{ strings.Builder }

func (p *page) say(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// part begins one, with the controls that it speaks to.
func (p *page) part(name string) {
	p.say("\n## %s\n", name)
	if text := speaks(name); text != "" {
		p.say("*%s*\n", text)
	}
}

// table writes one; without rows, that there are none.
func (p *page) table(columns []string, rows [][]string, none string) {
	if len(rows) == 0 {
		p.say("%s", none)
		return
	}
	p.say("| %s |", strings.Join(columns, " | "))
	p.say("|%s", strings.Repeat("---|", len(columns)))
	for _, row := range rows {
		for i := range row {
			row[i] = cell(row[i])
		}
		p.say("| %s |", strings.Join(row, " | "))
	}
}

func (p *page) head(r Report) {
	p.say("# Evidence of key rotation, %s to %s\n", r.From.Format("2006-01-02"), lastDay(r))
	p.say("Period: from %s until before %s. All times are UTC. Made at %s.\n", stamp(r.From), stamp(r.To), stamp(r.Made))
	p.say("Every figure names the entries of the record that it comes from; `-o json` and `-o csv` name all of")
	p.say("them, and keys by their whole ids. What no entry tells of is not known, and never counted as good.")
}

// lastDay is the last one of the period.
func lastDay(r Report) string { return r.To.Add(-1).Format("2006-01-02") }

func (p *page) summary(r Report) {
	p.part("Summary")
	if r.Verified() {
		p.say("The record is as it was written: every entry of it was verified.\n")
	} else {
		p.say("**The record is not as it was written, or is not there: see below.** What follows is what it says now.\n")
	}
	var rows [][]string
	for _, f := range r.Summary {
		rows = append(rows, []string{f.Name, f.Text(), refs(f.Entries())})
	}
	p.table([]string{"figure", "value", "entries"}, rows, "")
}

func (p *page) unknown(r Report) {
	p.part("What is not known")
	if len(r.Unknown) == 0 {
		p.say("Nothing that this report is about.")
	}
	for _, u := range r.Unknown {
		if len(u.Entries) > 0 {
			p.say("- %s (%s)", cell(u.What), entriesWord(u.Entries))
		} else {
			p.say("- %s", cell(u.What))
		}
	}
}

func entriesWord(entries []Ref) string {
	if len(entries) == 1 {
		return "entry " + entries[0].String()
	}
	return "entries " + refs(entries)
}

func (p *page) record(r Report) {
	p.part("The record")
	var rows [][]string
	for _, rec := range r.Records {
		rows = append(rows, [][]string{
			{"log", rec.Log},
			{"entries", fmt.Sprintf("%d to %d; the last signed checkpoint covers those before %d", rec.First, rec.Last, rec.Signed)},
			{"each as it was written", verdictOf(rec)},
			{"none cut off at the end", keptOf(rec)},
			{"public key", rec.PublicKey},
		}...)
	}
	rows = append(rows, [][]string{
		{"first in time", firstOr(r.Begins)},
		{"last of the period", firstOr(r.Ends)},
	}...)
	if s := r.Stores; s != nil {
		rows = append(rows, []string{"the stores at " + s.At, fmt.Sprintf("have the key that the record says at %d of %d targets", s.Same, s.Same+len(s.Differ)+len(s.NotKnown))})
	}
	p.table([]string{"of the record", ""}, rows, "")
	if r.Stores == nil {
		return
	}
	for _, d := range r.Stores.Differ {
		p.say("\n**Differs:** %s", cell(d))
	}
}

func firstOr(m Moment) string {
	if !m.Known() {
		return m.Note
	}
	return stamp(m.At) + ", entry " + refs(m.Entries)
}

func verdictOf(r Record) string {
	if r.Verified() {
		return "yes, by the hash of each and by signed checkpoints"
	}
	if r.FaultAt != nil {
		return fmt.Sprintf("NO: entry %d: %s", *r.FaultAt, r.Fault)
	}
	return "NO: " + cmp.Or(r.Fault, "there is no entry")
}

func keptOf(r Record) string {
	switch {
	case !r.Verified():
		return notKnown
	case r.Compared:
		return "yes, by a checkpoint that was kept elsewhere"
	default:
		return notKnown + ": no checkpoint that was kept elsewhere was compared"
	}
}

func (p *page) keys(r Report) {
	p.part("Keys")
	p.say("What the configuration in force when this was made wants. A key falls due by its schedule or at its")
	p.say("greatest age, whichever comes first; the old one lives on for the grace period and is revoked then.\n")
	if n := len(r.Seen.Configurations); n > 1 {
		p.say("In the period %d configurations were in force (see below); what the others wanted is not recorded.\n", n)
	}
	p.policies(r)
	p.say("\nThe life of each key that lived in the period. \"Current\" is when consumers first got it; \"age\" how")
	p.say("long they had it when its successor, in the next line, came; \"dead\" when a call with its value was")
	p.say("refused, and \"by\" what that was answered, as listed below. A secret of webhooks is not revoked: it")
	p.say("is \"no longer sent\" when they were switched to its successor and no store has it.\n")
	answers := &legend{}
	var lives [][]string
	for _, t := range r.Targets {
		for _, k := range t.Keys {
			lives = append(lives, life(t.Name, k, answers))
		}
	}
	p.table([]string{"target", "key", "issued", "current", "age", "revoked", "dead", "by", "entries"}, lives, "No key is recorded.")
	for i, text := range answers.texts {
		p.say("\n%s: %s", answers.mark(i), cell(text))
	}
}

// policies writes those of the targets, each once.
func (p *page) policies(r Report) {
	var rows [][]string
	for _, t := range r.Targets {
		policy := []string{cmp.Or(t.Workspace, "-"), cmp.Or(t.Schedule, "-"), cmp.Or(t.MaxAge, "-"), cmp.Or(t.Grace, "-")}
		if i := slices.IndexFunc(rows, func(row []string) bool { return slices.Equal(row[1:], policy) }); i >= 0 {
			rows[i][0] += ", " + t.Name
			continue
		}
		rows = append(rows, append([]string{t.Name}, policy...))
	}
	p.table([]string{"targets", "workspace", "schedule", "greatest age", "grace"}, rows, "No target is known.")
}

// legend numbers long texts that a table refers to.
type legend struct{ texts []string }

// of gives the mark of a text.
func (l *legend) of(text string) string {
	i := slices.Index(l.texts, text)
	if i < 0 {
		i = len(l.texts)
		l.texts = append(l.texts, text)
	}
	return l.mark(i)
}

func (l *legend) mark(i int) string { return "[" + strconv.Itoa(i+1) + "]" }

// life is the row of a key.
func life(target string, k Key, answers *legend) []string {
	age, issued, current, revoked := "-", moment(k.Issued), moment(k.Promoted), moment(k.Revoked)
	if k.Displaced.Known() {
		age = notKnown
		if k.Age.Known {
			age = span(k.Age.Duration())
		}
	}
	switch {
	case !k.Issued.Known():
		issued = notKnown
	case k.Origin == Adopted:
		issued += " (adopted)"
	}
	if !k.Promoted.Known() && k.Origin == Before {
		current = notKnown
	}
	switch {
	case k.End == Unsent:
		revoked = string(k.End) + " " + moment(k.Unsent)
	case !k.Revoked.Known():
		revoked = string(k.End)
	}
	return []string{
		target, shortID(k.ID), issued, current, age, revoked, moment(k.Dead), shownBy(k, answers),
		last(k.Issued, k.Promoted, k.Revoked, k.Dead, k.Unsent),
	}
}

// shownBy says what the call with a dead key's value was answered.
func shownBy(k Key, answers *legend) string {
	switch {
	case k.Dead.Known():
		return answers.of(cmp.Or(k.Answer, "the call was refused; its answer is not recorded"))
	case k.End == Revoked:
		return answers.of("no refused call is recorded")
	case k.End == GivenUp:
		return answers.of("it never was current, so that no consumer had it")
	default:
		return "-"
	}
}
