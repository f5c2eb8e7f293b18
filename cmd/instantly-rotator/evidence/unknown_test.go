package evidence_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/evidence"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// begun is when the period of the small records begins.
var begun = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// record is a log as it is made by hand.
type record struct{ all []trail.Entry }

// intend adds an intent, days after the beginning of the period.
func (r *record) intend(days int, what trail.What) int64 {
	e := trail.Entry{Seq: int64(len(r.all)), Time: begun.Add(time.Duration(days) * day), Kind: trail.Intent, What: what, Who: trail.Who{User: "ada", Command: "rotate"}}
	r.all = append(r.all, e)
	return e.Seq
}

// do adds an intent with its outcome.
func (r *record) do(days int, what trail.What) {
	of := r.intend(days, what)
	r.all = append(r.all, trail.Entry{Seq: of + 1, Time: r.all[of].Time.Add(time.Second), Kind: trail.Outcome, Of: of, Result: "ok", What: trail.What{Verb: what.Verb, Key: what.Key}})
}

// log gives it as one that was verified.
func (r *record) log(name string) evidence.Log {
	return evidence.Log{Record: evidence.Record{Log: name, Last: int64(len(r.all)) - 1, Compared: true}, Entries: r.all}
}

// of makes the report of 2026 up to the end of January.
func of(policies []evidence.Policy, logs ...evidence.Log) evidence.Report {
	end := begun.AddDate(0, 1, 0)
	return evidence.Make(evidence.Input{From: begun, To: end, Made: end, Logs: logs, Policies: policies})
}

// saysUnknown wants the report to name something as not known.
func saysUnknown(t *testing.T, r evidence.Report, what string) {
	t.Helper()
	if r.Known() || !slices.ContainsFunc(r.Unknown, func(u evidence.Unknown) bool { return strings.Contains(u.What, what) }) {
		t.Errorf("it is not said that it is not known: %q, only %+v", what, r.Unknown)
	}
	var text bytes.Buffer
	if err := r.Markdown(&text); err != nil || !strings.Contains(text.String(), what) {
		t.Errorf("not in the text: %q", what)
	}
}

func TestWhatNoEntryTellsOfIsNotKnown(t *testing.T) {
	policy := []evidence.Policy{{Target: "mail", Due: func(since time.Time) time.Time { return since.Add(10 * day) }}, {Target: "crm"}}
	r := &record{}
	r.do(3, trail.What{Verb: "reserve", Target: "mail", Previous: "k1"})
	r.do(3, trail.What{Verb: "issue", Target: "mail", Key: "k2"})
	r.do(3, trail.What{Verb: "promote", Target: "mail", Key: "k2", Previous: "k1"})
	r.do(4, trail.What{Verb: "revoke", Target: "mail", Key: "k1"})
	r.intend(5, trail.What{Verb: "sweep", Target: "mail", Key: "k9"})
	report := of(policy, r.log("host"))
	for _, what := range []string{
		"2026-01-01 00:00 to 2026-01-04 00:00: the record begins in the period",
		"whether key k1 of mail is dead",
		"what came of sweep of mail, key k9",
		"the keys of crm: the record has no entry of it",
		"what audits found", "who the members", "whether stores and key lists agree",
	} {
		saysUnknown(t, report, what)
	}
	keys := report.Targets[1].Keys
	if len(keys) != 2 || keys[0].ID != "k1" || keys[0].Issued.Known() || keys[0].Age.Known || keys[0].End != evidence.Revoked {
		t.Errorf("the key of before the record: %+v", keys)
	}
	if figure(t, report, "… not judged: schedule never, or age or policy not known") != 1 || figure(t, report, "… not proven dead") != 1 {
		t.Errorf("summary: %+v", report.Summary)
	}
	if len(report.Late) != 1 || report.Late[0].Key != "k2" || report.Late[0].Rotated.Known() {
		t.Errorf("a rotation that did not come: %+v", report.Late)
	}
}

func TestARecordThatIsNotAsItWasWrittenIsSaidFirst(t *testing.T) {
	r := &record{}
	r.do(-1, trail.What{Verb: "promote", Target: "mail", Key: "k1"})
	l := r.log("host")
	entry := int64(1)
	l.Record.Fault, l.Record.FaultAt = "it was changed", &entry
	report := of(nil, l)
	saysUnknown(t, report, "what entry 1 and those after it said when they were written: it was changed")
	var text bytes.Buffer
	if err := report.Markdown(&text); err != nil || !strings.Contains(text.String(), "**The record is not as it was written") || strings.Contains(text.String(), "was verified") {
		t.Errorf("%s", &text)
	}
	for name, logs := range map[string][]evidence.Log{"none": nil, "empty": {{Record: evidence.Record{Log: "host", Last: -1}}}} {
		if report := of(nil, logs...); report.Known() || report.Verified() {
			t.Errorf("%s: a record without entries is taken for good", name)
		}
	}
}

func TestAPromotionWhoseOutcomeIsLostIsKnownByWhatCameAfter(t *testing.T) {
	r := &record{}
	r.intend(-20, trail.What{Verb: "promote", Target: "mail", Key: "k1"})
	r.do(2, trail.What{Verb: "issue", Target: "mail", Key: "k2"})
	r.do(2, trail.What{Verb: "promote", Target: "mail", Key: "k2", Previous: "k1"})
	r.intend(3, trail.What{Verb: "promote", Target: "mail", Key: "k3", Previous: "k2"})
	report := of(nil, r.log("host"))
	keys := report.Targets[0].Keys
	if len(keys) != 2 || !keys[0].Promoted.Known() || keys[0].Promoted.Note == "" || keys[1].End != evidence.Living {
		t.Errorf("%+v", keys)
	}
	saysUnknown(t, report, "what came of promote of mail, key k3")
}

// Of several machines each has a log with numbers of its own.
func TestEntriesOfSeveralLogsAreNamedWithTheirLog(t *testing.T) {
	a, b := &record{}, &record{}
	a.do(-30, trail.What{Verb: "issue", Target: "mail", Key: "k1"})
	a.do(-30, trail.What{Verb: "promote", Target: "mail", Key: "k1"})
	b.do(5, trail.What{Verb: "issue", Target: "mail", Key: "k2"})
	b.do(5, trail.What{Verb: "promote", Target: "mail", Key: "k2", Previous: "k1"})
	a.do(6, trail.What{Verb: "revoke", Target: "mail", Key: "k1"})
	k := of(nil, b.log("east"), a.log("west")).Targets[0].Keys[0]
	if k.ID != "k1" || k.Age.Seconds != (35*day).Seconds() || !slices.Equal(k.Displaced.Entries, []evidence.Ref{{Log: "east", Seq: 2}, {Log: "east", Seq: 3}}) || k.Revoked.Entries[0].Log != "west" {
		t.Errorf("%+v", k)
	}
}

// A person's text is a person's: it neither breaks a table nor is a formula.
func TestWhatPeopleWriteStaysText(t *testing.T) {
	r := &record{}
	r.do(1, trail.What{Verb: "hold", Target: "mail"})
	r.all[0].Why, r.all[0].User = "a | b\n## c <img src=x>", "=cmd()"
	report := of(nil, r.log("host"))
	var md, sheet bytes.Buffer
	if report.Markdown(&md) != nil || report.CSV(&sheet) != nil {
		t.Fatal("cannot be written")
	}
	if !strings.Contains(md.String(), `a \| b ## c &lt;img src=x>`) || !strings.Contains(sheet.String(), "'=cmd()") {
		t.Errorf("%s\n%s", &md, &sheet)
	}
}

// A finding is closed by an audit that looked, and did not find it: not by one that could
// not look.
func TestAFindingStaysOpenWhileItsCheckIsNotKnown(t *testing.T) {
	r := &record{}
	audit := func(days int, names ...string) {
		r.all = append(r.all, trail.Entry{Seq: int64(len(r.all)), Time: begun.Add(time.Duration(days) * day), Kind: trail.Event, What: trail.What{Verb: "audit", Workspace: "main"}, Names: names})
	}
	audit(1, "MEM-01 high member eve", "KEY-02 note key old", "KEY-04 accepted key wide", "KEY-06 low target mail")
	audit(2, "MEM-01 not-known members", "KEY-02 note key old", "KEY-04 accepted key wide")
	a := of(nil, r.log("host")).Audits
	if len(a.Open) != 2 || a.Open[0].Subject != "member eve" || len(a.Accepted) != 1 || len(a.Closed) != 1 || a.Closed[0].Check != "KEY-06" {
		t.Errorf("%+v", a)
	}
	audit(3)
	if a := of(nil, r.log("host")).Audits; len(a.Open) != 0 || len(a.Closed) != 5 {
		t.Errorf("after an audit that looked: %+v", a)
	}
}

// Only a refused call shows that a key is dead; an incident is over only with all of those
// that lived when it was declared.
func TestAKeyThatNoCallWasRefusedIsNotDead(t *testing.T) {
	r := &record{}
	for _, id := range []string{"k0", "k1"} {
		r.do(-30, trail.What{Verb: "issue", Target: "mail", Key: id})
	}
	r.do(-30, trail.What{Verb: "promote", Target: "mail", Key: "k0"})
	r.do(-10, trail.What{Verb: "promote", Target: "mail", Key: "k1", Previous: "k0"})
	dead := func(days int, key, verdict string) {
		r.do(days, trail.What{Verb: "revoke", Target: "mail", Key: key})
		r.do(days, trail.What{Verb: "destroy", Target: "mail", Key: key})
		r.all[len(r.all)-2].Proof = &trail.Proof{Key: key, Verdict: verdict, At: begun.Add(time.Duration(days) * day)}
	}
	dead(-8, "k0", "invalid")
	r.do(5, trail.What{Verb: "declare", Target: "mail", Incident: "leak"})
	r.do(5, trail.What{Verb: "issue", Target: "mail", Key: "k2", Incident: "leak"})
	r.do(5, trail.What{Verb: "promote", Target: "mail", Key: "k2", Previous: "k1", Incident: "leak"})
	dead(5, "k1", "indeterminate")
	report := of(nil, r.log("host"))
	in := report.Incidents[0]
	if old := in.Targets[0].Old; len(old) != 1 || old[0].ID != "k1" || old[0].Dead.Known() || in.Exposure.Known || in.Resolved.Known() {
		t.Errorf("%+v", in)
	}
	saysUnknown(t, report, "whether key k1 of mail is dead")
	saysUnknown(t, report, "the exposure in incident leak: mail: key k1 is not proven dead")
	dead(6, "k1", "invalid")
	if in := of(nil, r.log("host")).Incidents[0]; !in.Exposure.Known || in.Exposure.Duration() < 23*time.Hour {
		t.Errorf("once it is proven: %+v", in.Exposure)
	}
}

// Somebody put a key into the store behind the record's back.
func TestAStoreThatHasAnotherKeyThanTheRecordSaysIsNotGood(t *testing.T) {
	r := &record{}
	r.do(-30, trail.What{Verb: "promote", Target: "mail", Key: "k1"})
	end := begun.AddDate(0, 1, 0)
	report := evidence.Make(evidence.Input{
		From: begun, To: end, Made: end.Add(day), Logs: []evidence.Log{r.log("host")},
		Now: &evidence.Now{At: end.Add(day), Targets: []evidence.TargetNow{{Target: "mail"}, {Target: "crm", Error: "it does not answer"}}},
	})
	if report.Stores.Same != 0 || len(report.Stores.Differ) != 1 || len(report.Stores.NotKnown) != 1 {
		t.Errorf("%+v", report.Stores)
	}
	saysUnknown(t, report, "mail: key of unknown origin in the store, k1 in the record")
	saysUnknown(t, report, "crm: it does not answer")
}
