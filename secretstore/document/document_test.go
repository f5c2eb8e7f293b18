package document_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// doc holds texts for values.
type doc = document.Document[string]

// early and late are promotion times.
func early() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
func late() time.Time  { return early().Add(time.Hour) }

// holding gives a document with those versions; "" for none.
func holding(pending, current, previous string) doc {
	d := document.New[string]()
	for stage, id := range map[secretstore.Stage]string{
		secretstore.Pending: pending, secretstore.Current: current, secretstore.Previous: previous,
	} {
		if id == "" {
			continue
		}
		v := document.Version[string]{Stage: stage, Version: secretstore.Version{ID: id}, Held: "value of " + id}
		if stage == secretstore.Current {
			v.Promoted = late()
		}
		d = d.Put(v)
	}
	return d
}

// shown writes down which version is on which stage, as "pending/current/previous".
func shown(d doc) string {
	s := d.Shown()
	return fmt.Sprintf("%s/%s/%s", s[secretstore.Pending].ID, s[secretstore.Current].ID, s[secretstore.Previous].ID)
}

func TestPromote(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  doc
		id      string
		at      time.Time
		after   string
		changed bool
		err     error
	}{
		{"the first version", holding("a", "", ""), "a", early(), "/a/", true, nil},
		{"the current one becomes previous", holding("b", "a", ""), "b", early(), "/b/a", true, nil},
		{"a previous one that stands stays", holding("c", "b", "a"), "c", early(), "/c/a", true, nil},
		{"a previous one without a current one stays", holding("c", "", "a"), "c", early(), "/c/a", true, nil},
		{"again", holding("c", "b", "a"), "b", late(), "c/b/a", false, nil},
		{"again, later than is known", holding("c", "b", "a"), "b", late().Add(1), "c/b/a", true, nil},
		{"again, earlier than is known", holding("c", "b", "a"), "b", early(), "c/b/a", false, nil},
		{"the previous one", holding("c", "b", "a"), "a", early(), "c/b/a", false, secretstore.ErrNotFound},
		{"one that is not held", holding("", "b", "a"), "c", early(), "/b/a", false, secretstore.ErrNotFound},
		{"none", holding("", "", ""), "", early(), "//", false, secretstore.ErrNotFound},
	} {
		after, changed, err := c.before.Promote(c.id, c.at)
		if shown(after) != c.after || changed != c.changed || !errors.Is(err, c.err) {
			t.Errorf("%s: %s becomes %s, changed %t, error %v; want %s, %t, %v",
				c.name, shown(c.before), shown(after), changed, err, c.after, c.changed, c.err)
		}
		if v, _ := after.On(secretstore.Current); changed && !v.Promoted.Equal(c.at) {
			t.Errorf("%s: promoted at %s, want %s", c.name, v.Promoted, c.at)
		}
	}
}

func TestDestroy(t *testing.T) {
	for _, c := range []struct {
		id, after string
		changed   bool
		err       error
	}{
		{"c", "/b/a", true, nil},
		{"a", "c/b/", true, nil},
		{"b", "c/b/a", false, secretstore.ErrConflict},
		{"d", "c/b/a", false, nil},
		{"", "c/b/a", false, nil},
	} {
		after, changed, err := holding("c", "b", "a").Destroy(c.id)
		if shown(after) != c.after || changed != c.changed || !errors.Is(err, c.err) {
			t.Errorf("destroy %q of c/b/a: %s, changed %t, error %v; want %s, %t, %v", c.id, shown(after), changed, err, c.after, c.changed, c.err)
		}
	}
}

func TestWhatAHandHasPutDoesNotPushOutAnOldKeyOfOurs(t *testing.T) {
	once := holding("", "b", "a").PutAgain("hand-1", early(), "first")
	if got := shown(once); got != "/hand-1/b" {
		t.Errorf("over a key of ours: %s", got)
	}
	twice := once.PutAgain("hand-2", late(), "second")
	if got := shown(twice); got != "/hand-2/b" {
		t.Errorf("over what a hand has put: %s", got)
	}
	alone := document.New[string]().PutAgain("hand-1", early(), "first").PutAgain("hand-2", late(), "second").PutAgain("hand-3", late(), "third")
	if got := shown(alone); got != "/hand-3/hand-2" {
		t.Errorf("where there is no key of ours: %s", got)
	}
}

func TestCheckStage(t *testing.T) {
	for id, want := range map[string]struct {
		again bool
		err   error
	}{
		"d": {}, "c": {again: true}, "b": {err: secretstore.ErrConflict}, "a": {err: secretstore.ErrConflict}, "": {err: secretstore.ErrConflict},
	} {
		pending, again, err := holding("c", "b", "a").CheckStage(id)
		if again != want.again || !errors.Is(err, want.err) {
			t.Errorf("stage %q on c/b/a: again %t, error %v; want %t, %v", id, again, err, want.again, want.err)
		}
		if again && pending.Held != "value of "+id {
			t.Errorf("stage %q again is told of %q", id, pending.Held)
		}
	}
}

func TestStageTakesWhatTheContractSaysAndFulfilsTheIntent(t *testing.T) {
	zone := time.FixedZone("far east", 13*3600)
	intent := secretstore.Intent{Nonce: "n", At: early().In(zone), Spec: "leads:all", Grace: time.Hour, Until: late().In(zone)}
	noted := secretstore.Notes{Intent: intent, Failure: secretstore.Failure{Count: 1, At: early()}, Hold: secretstore.Hold{Since: late()}}
	before := holding("b", "a", "").Annotate(noted)
	after := before.Stage(secretstore.Version{
		ID: "c", Foreign: true, Name: "name", Intent: intent, Account: "acme", Created: late(), Promoted: late(),
	}, early().In(zone), "value of c")
	plain := intent
	plain.At, plain.Until = early(), late()
	want := holding("", "a", "").Put(document.Version[string]{
		Stage: secretstore.Pending, Held: "value of c",
		Version: secretstore.Version{ID: "c", Intent: plain, Account: "acme", Created: early()},
	})
	noted.Intent = secretstore.Intent{}
	want.Notes = noted
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if shown(before) != "b/a/" || before.Intent.IsZero() {
		t.Error("the document before was changed")
	}
}

// write is one of the writes, on a document or on the reference.
type write struct {
	op, id, value string
	at            time.Time
	notes         secretstore.Notes
}

func drawWrite(rt *rapid.T) write {
	n := rapid.IntRange(0, 1).Draw(rt, "variant")
	return write{
		op:    rapid.SampledFrom([]string{"annotate", "stage", "promote", "destroy"}).Draw(rt, "op"),
		id:    rapid.SampledFrom([]string{"a", "b", "c", "d", ""}).Draw(rt, "id"),
		value: fmt.Sprint("value ", n),
		at:    early().Add(time.Duration(rapid.IntRange(0, 2).Draw(rt, "hour")) * time.Hour),
		notes: secretstore.Notes{Intent: secretstore.Intent{Nonce: fmt.Sprint("nonce ", n)}, Failure: secretstore.Failure{Count: n}},
	}
}

// on makes the write the way a backend does.
func (w write) on(d doc) (doc, error) {
	var err error
	switch w.op {
	case "annotate":
		return d.Annotate(w.notes), nil
	case "promote":
		d, _, err = d.Promote(w.id, w.at)
	case "destroy":
		d, _, err = d.Destroy(w.id)
	default:
		pending, again, err := d.CheckStage(w.id)
		switch {
		case err != nil:
			return d, err
		case again && pending.Held != w.value:
			return d, document.ErrOtherValue
		case again:
			return d, nil
		}
		return d.Stage(secretstore.Version{ID: w.id, Intent: w.notes.Intent}, w.at, w.value), nil
	}
	return d, err
}

// TestAnyWritesKeepThePromisesOfTheContract holds what any writes make of a
// document to the contract, and to a reading of it that was written apart.
func TestAnyWritesKeepThePromisesOfTheContract(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, ref := document.New[string](), reference{held: map[secretstore.Stage]document.Version[string]{}}
		for range rapid.IntRange(1, 20).Draw(rt, "writes") {
			w, before := drawWrite(rt), d
			next, err := w.on(d)
			if refErr := ref.write(w); !errors.Is(err, refErr) || (err == nil) != (refErr == nil) {
				rt.Fatalf("%+v: error %v, reference %v", w, err, refErr)
			}
			if diff := cmp.Diff(ref.held, byStage(next)); diff != "" {
				rt.Fatalf("%+v (-reference +document):\n%s", w, diff)
			}
			if diff := cmp.Diff(ref.notes, next.Notes); diff != "" {
				rt.Fatalf("%+v: notes (-reference +document):\n%s", w, diff)
			}
			wantPromises(rt, w, before, next, err)
			d = next
		}
	})
}

func byStage(d doc) map[secretstore.Stage]document.Version[string] {
	held := map[secretstore.Stage]document.Version[string]{}
	for _, v := range d.Versions {
		held[v.Stage] = v
	}
	return held
}

// wantPromises checks one write against what must always hold.
func wantPromises(rt *rapid.T, w write, before, after doc, err error) {
	if _, broken := after.Checked("-"); broken != nil {
		rt.Fatalf("%+v: %v", w, broken)
	}
	if err != nil && !cmp.Equal(before, after) {
		rt.Fatalf("%+v failed and changed the document", w)
	}
	again, errAgain := w.on(after)
	if err == nil && (errAgain != nil || !cmp.Equal(byStage(after), byStage(again), cmpopts.EquateEmpty())) && w.op != "stage" {
		rt.Fatalf("%+v again: error %v, or another document", w, errAgain)
	}
	was, had := before.On(secretstore.Current)
	is, has := after.On(secretstore.Current)
	if had && !has || had && was.ID != is.ID && w.op != "promote" {
		rt.Fatalf("%+v took the current version away", w)
	}
	if stood, stands := before.On(secretstore.Previous); stands && w.id != stood.ID {
		if still, _ := after.On(secretstore.Previous); still.ID != stood.ID {
			rt.Fatalf("%+v pushed the previous version out", w)
		}
	}
	if had && has && was.ID == is.ID && is.Promoted.Before(was.Promoted) {
		rt.Fatalf("%+v made the promotion earlier", w)
	}
}

// reference is the contract in another form: a map that is changed in place.
type reference struct {
	held  map[secretstore.Stage]document.Version[string]
	notes secretstore.Notes
}

func (r *reference) write(w write) error {
	var on secretstore.Stage
	for stage, v := range r.held {
		if v.ID == w.id {
			on = stage
		}
	}
	switch w.op {
	case "annotate":
		r.notes = w.notes
	case "destroy":
		if on == secretstore.Current {
			return secretstore.ErrConflict
		}
		delete(r.held, on)
	case "promote":
		return r.promote(on, w.at)
	case "stage":
		return r.stage(on, w)
	}
	return nil
}

func (r *reference) stage(on secretstore.Stage, w write) error {
	if on == secretstore.Pending && r.held[on].Held == w.value {
		return nil
	}
	if on != "" || w.id == "" {
		return secretstore.ErrConflict
	}
	r.notes.Intent = secretstore.Intent{}
	r.held[secretstore.Pending] = document.Version[string]{
		Stage: secretstore.Pending, Version: secretstore.Version{ID: w.id, Intent: w.notes.Intent, Created: w.at}, Held: w.value,
	}
	return nil
}

func (r *reference) promote(on secretstore.Stage, at time.Time) error {
	next := maps.Clone(r.held)
	v := r.held[on]
	switch on {
	case secretstore.Current:
		if v.Promoted.After(at) {
			at = v.Promoted
		}
	case secretstore.Pending:
		delete(next, secretstore.Pending)
		old, had := r.held[secretstore.Current]
		if _, stands := r.held[secretstore.Previous]; had && !stands {
			old.Stage = secretstore.Previous
			next[secretstore.Previous] = old
		}
	default:
		return secretstore.ErrNotFound
	}
	v.Stage, v.Promoted = secretstore.Current, at
	next[secretstore.Current] = v
	r.held = next
	return nil
}

func TestDocumentIsReadAsItWasWritten(t *testing.T) {
	zone := time.FixedZone("far east", 13*3600)
	d := holding("c", "b", "a").Annotate(secretstore.Notes{
		Intent:   secretstore.Intent{Nonce: "<n>", At: early().In(zone), Spec: `{"a": 1}`, Grace: time.Nanosecond, Holder: "h", Until: late()},
		Failure:  secretstore.Failure{Count: 3, At: late(), Step: "verify", Reason: "no answer"},
		Hold:     secretstore.Hold{Since: early(), Reason: "ü"},
		Incident: secretstore.Incident{ID: "INC-1", At: early()},
	})
	for _, indent := range []string{"", "  "} {
		text, err := document.Encode(d, indent)
		if err != nil {
			t.Fatal(err)
		}
		got, err := document.Decode[doc](text, "-")
		if err != nil {
			t.Fatal(err)
		}
		if got, err = got.Checked("-"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Errorf("document (-written +read):\n%s", diff)
		}
	}
}
