package evidence_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/evidence"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

var out = flag.String("evidence.out", "", "a folder to which the simulated year's report is written, to be read")

// TestAYearOfTwentyTargetsAsAnAuditorReadsIt: two incidents, a hold, a rotation that nobody
// explains and a member who left, each with its figures as they were counted beside the
// trail; and every figure leads back to entries.
func TestAYearOfTwentyTargetsAsAnAuditorReadsIt(t *testing.T) {
	inYear(t, func(o *office, r evidence.Report, all []trail.Entry, incidents map[string][2]time.Time) {
		o.keep(r)
		if !r.Known() {
			t.Errorf("not known: %+v", r.Unknown)
		}
		countsAreTheEngines(t, o, r)
		deathsAreTheSandboxes(t, o, r)
		incidentsAreAsTheyWere(t, r, incidents)
		exceptionsAreAsTheyWere(t, r)
		surroundingsAreAsTheyWere(t, r)
		tr := tracer{T: t, entries: map[evidence.Ref]trail.Entry{}}
		for _, e := range all {
			tr.entries[evidence.Ref{Seq: e.Seq}] = e
		}
		tr.trace("report", reflect.ValueOf(r))
		if tr.figures < 500 {
			t.Errorf("%d figures were traced: the test does not look where they are", tr.figures)
		}
		everyRowFitsItsTable(t, r)
	})
}

// keep writes the report where it can be read.
func (o *office) keep(r evidence.Report) {
	if *out == "" {
		return
	}
	var md, sheet bytes.Buffer
	if err := r.Markdown(&md); err != nil {
		o.Error(err)
	}
	if err := r.CSV(&sheet); err != nil {
		o.Error(err)
	}
	for name, text := range map[string][]byte{"evidence.md": md.Bytes(), "evidence.csv": sheet.Bytes()} {
		if err := os.WriteFile(filepath.Join(*out, name), text, 0o600); err != nil {
			o.Error(err)
		}
	}
}

// figure gives a number of the summary.
func figure(t *testing.T, r evidence.Report, name string) int {
	t.Helper()
	i := slices.IndexFunc(r.Summary, func(f evidence.Figure) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no figure %q in the summary", name)
	}
	return r.Summary[i].Count.N
}

// countsAreTheEngines compares the summary with what the engine told beside the trail, and
// with itself.
func countsAreTheEngines(t *testing.T, o *office, r evidence.Report) {
	issued := len(o.told[rotator.Issue])
	for name, want := range map[string]int{
		"Keys issued": issued, "Rotations": issued - len(o.targets), "Old keys revoked": len(o.told[rotator.Revoke]),
		"… proven dead by a refused call": len(o.told[rotator.Revoke]), "… not proven dead": 0,
		"… late": 1, "… before they were due": 5, "… not judged: schedule never, or age or policy not known": 0, "… on time": issued - len(o.targets) - 6,
		"Rotations missing at the end": 0, "Incidents": 3, "Exceptions": 2,
	} {
		if got := figure(t, r, name); got != want {
			t.Errorf("%s: %d, counted beside the trail %d", name, got, want)
		}
	}
	if r.Stores == nil || r.Stores.Same != len(o.targets) {
		t.Errorf("the stores, as the record says: %+v", r.Stores)
	}
}

// deathsAreTheSandboxes compares which keys are dead with which the sandbox refuses.
func deathsAreTheSandboxes(t *testing.T, o *office, r evidence.Report) {
	alive := map[string]bool{}
	for _, k := range o.box.Keys(o.box.Workspaces()[0].ID) {
		alive[k.ID] = o.box.Alive(k.Value)
	}
	for _, target := range r.Targets {
		for _, k := range target.Keys {
			if known := k.End == evidence.Dead; known == alive[k.ID] {
				t.Errorf("%s, key %s: %s; alive: %v", target.Name, k.ID, k.End, alive[k.ID])
			}
			if k.End == evidence.Dead && (k.Answer == "" || k.Dead.At.Before(k.Revoked.At)) {
				t.Errorf("%s, key %s: dead %+v by %q, revoked %+v", target.Name, k.ID, k.Dead, k.Answer, k.Revoked)
			}
		}
	}
}

func incidentsAreAsTheyWere(t *testing.T, r evidence.Report, incidents map[string][2]time.Time) {
	if len(r.Incidents) != len(incidents)+1 {
		t.Fatalf("%d incidents", len(r.Incidents))
	}
	left := r.Incidents[2]
	if left.ID != "left: bob@x.example" || !left.Graceful || !left.Exposure.Known || left.Exposure.Duration() < grace || left.Replaced.Seconds > 60 {
		t.Errorf("who left: %+v", left)
	}
	for _, in := range r.Incidents[:2] {
		when := incidents[in.ID]
		took := when[1].Sub(when[0]).Seconds()
		switch {
		case !in.Declared.At.Equal(when[0]) || !in.Resolved.Known() || in.Resolved.At.After(when[1]):
			t.Errorf("%s: declared %s, resolved %+v; it was %v", in.ID, in.Declared.At, in.Resolved, when)
		case !in.Exposure.Known || in.Exposure.Seconds < 20 || in.Exposure.Seconds > took+0.1:
			t.Errorf("%s: exposure %s; a revoked key works for 20 s more, and all was over after %.1f s", in.ID, in.Exposure, took)
		case in.Graceful || in.Replaced.Seconds > in.Exposure.Seconds || !strings.HasPrefix(in.Who, "ada, rotate"):
			t.Errorf("%s: replaced after %s, by %s", in.ID, in.Replaced, in.Who)
		}
	}
}

func exceptionsAreAsTheyWere(t *testing.T, r evidence.Report) {
	var said []string
	for _, x := range r.Exceptions {
		said = append(said, strings.Join([]string{x.Began.At.Format(time.DateOnly), x.Kind, x.Target, x.Reason, x.Ended.At.Format(time.DateOnly)}, " | "))
	}
	want := []string{
		"2000-03-01 | before it was due | app-03 | asked for | 0001-01-01",
		"2000-03-21 | hold | app-07 | migration of the mailer | 2000-04-20",
	}
	if !slices.Equal(said, want) {
		t.Errorf("exceptions:\n%s", strings.Join(said, "\n"))
	}
	if len(r.Late) != 1 || r.Late[0].Target != "app-07" || r.Late[0].Held.N != 1 || r.Late[0].By.Truncate(time.Minute) != 19*day+time.Hour {
		t.Errorf("late: %+v", r.Late)
	}
}

func surroundingsAreAsTheyWere(t *testing.T, r evidence.Report) {
	if a := r.Audits; a.Recorded.N != 13 || len(a.Open) != 1 || a.Open[0].Subject != "key zapier" || len(a.Closed) != 1 || a.Closed[0].Check != "KEY-06" {
		t.Errorf("audits: %+v", a)
	}
	if len(r.Outside.Recorded) != 1 {
		t.Errorf("outside of management: %+v", r.Outside)
	}
	if m := r.Access.Members; len(m) != 1 || !slices.Equal(m[0].Gone(), []string{"bob@x.example admin"}) || len(m[0].Came()) != 0 {
		t.Errorf("members: %+v", m)
	}
	if acts := r.Access.People; len(acts) != 1 || acts[0].Verb != "remove-member" || acts[0].Subject != "bob@x.example, admin" || acts[0].Came != "done" {
		t.Errorf("acts: %+v", acts)
	}
}

// tracer leads every figure back to the entries that it names.
type tracer struct {
	*testing.T
	entries map[evidence.Ref]trail.Entry
	figures int
}

func (tr *tracer) trace(where string, v reflect.Value) {
	switch x := v.Interface().(type) {
	case evidence.Moment:
		tr.moment(where, x)
		return
	case evidence.Count:
		tr.figures++
		if x.N != len(x.Entries) {
			tr.Errorf("%s: %d, of %d entries", where, x.N, len(x.Entries))
		}
		tr.there(where, x.Entries)
		return
	case evidence.Span:
		tr.span(where, x)
		return
	case []evidence.Ref:
		tr.there(where, x)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[time.Time]() {
				tr.trace(where+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			tr.trace(where, v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			tr.trace(where, v.Elem())
		}
	default:
	}
}

// times are those that an entry tells of.
func (tr *tracer) times(refs []evidence.Ref) []time.Time {
	var all []time.Time
	for _, ref := range refs {
		e := tr.entries[ref]
		all = append(all, e.Time)
		if e.Proof != nil {
			all = append(all, e.Proof.At)
		}
		if e.Since != nil {
			all = append(all, *e.Since)
		}
	}
	return all
}

func (tr *tracer) there(where string, refs []evidence.Ref) {
	for _, ref := range refs {
		if _, ok := tr.entries[ref]; !ok {
			tr.Errorf("%s: there is no entry %s", where, ref)
		}
	}
}

func (tr *tracer) moment(where string, m evidence.Moment) {
	tr.figures++
	tr.there(where, m.Entries)
	if m.Known() && !slices.ContainsFunc(tr.times(m.Entries), m.At.Equal) {
		tr.Errorf("%s: no entry of %v tells of %s", where, m.Entries, m.At)
	}
}

func (tr *tracer) span(where string, s evidence.Span) {
	tr.figures++
	tr.there(where, s.Entries)
	if !s.Known {
		return
	}
	times := tr.times(s.Entries)
	for _, a := range times {
		for _, b := range times {
			if math.Abs(b.Sub(a).Seconds()-s.Seconds) < 0.06 {
				return
			}
		}
	}
	tr.Errorf("%s: no two entries of %v are %s apart", where, s.Entries, s)
}

// everyRowFitsItsTable: no text of a person breaks a table, in either form.
func everyRowFitsItsTable(t *testing.T, r evidence.Report) {
	var md, sheet bytes.Buffer
	if err := r.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	columns := 0
	for line := range strings.Lines(md.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns > 0 && n != columns {
			t.Errorf("a row of %d columns in a table of %d: %s", n-1, columns-1, line)
		}
		columns = n
	}
	if err := r.CSV(&sheet); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&sheet).ReadAll()
	if err != nil || len(rows) < 500 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}
