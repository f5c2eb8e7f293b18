package awssecretsmanager

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A fact is a note that is replaced whole: a failure, a hold, an incident. Its
// mark begins with an id, "SEQUENCE.NAME", by which the newest counts: the new
// mark is written before the old one is taken away, so that a hold that is
// prolonged is never gone for a moment.
type fact struct {
	head  string
	parts []string
}

// isFact tells whether marks of the kind are facts.
func isFact(kind string) bool {
	return kind == kindFailure || kind == kindHold || kind == kindIncident || kind == kindWaiver || kind == kindReceipt
}

// changes tells which kinds of facts differ, and what they are to say; a nil
// writer stands for a fact that is only taken away.
func changes(have, want secretstore.Notes) map[string]func(id string) fact {
	out := map[string]func(string) fact{}
	if !sameFailure(have.Failure, want.Failure) {
		out[kindFailure] = nil
		if want.Failure != (secretstore.Failure{}) {
			out[kindFailure] = func(id string) fact { return failureFact(id, want.Failure) }
		}
	}
	if !sameHold(have.Hold, want.Hold) {
		out[kindHold] = nil
		if !want.Hold.IsZero() {
			out[kindHold] = func(id string) fact { return holdFact(id, want.Hold) }
		}
	}
	if !sameIncident(have.Incident, want.Incident) {
		out[kindIncident] = nil
		if !want.Incident.IsZero() {
			out[kindIncident] = func(id string) fact { return incidentFact(id, want.Incident) }
		}
	}
	if !sameWaiver(have.Waiver, want.Waiver) {
		out[kindWaiver] = nil
		if !want.Waiver.IsZero() {
			out[kindWaiver] = func(id string) fact { return waiverFact(id, want.Waiver) }
		}
	}
	if !sameReceipt(have.Receipt, want.Receipt) {
		out[kindReceipt] = nil
		if !want.Receipt.IsZero() {
			out[kindReceipt] = func(id string) fact { return receiptFact(id, want.Receipt) }
		}
	}
	return out
}

func newFact(id, words, kind string, fields ...string) fact {
	head, parts := fit(id, words, kind, append([]string{id}, fields...)...)
	return fact{head, parts}
}

func failureFact(id string, f secretstore.Failure) fact {
	return newFact(id, prose(f.Reason), kindFailure, stamp(f.At), strconv.Itoa(f.Count), escape(f.Step))
}

func (m mark) asFailure(more partOf) (secretstore.Failure, bool) {
	at, errAt := parseStamp(m.fields[1])
	count, errCount := strconv.Atoi(m.fields[2])
	reason, ok := unfit(m.fields[0], m.fields[4], more)
	return secretstore.Failure{Count: count, At: at, Step: unescape(m.fields[3]), Reason: unprose(reason)},
		errAt == nil && errCount == nil && ok
}

func holdFact(id string, h secretstore.Hold) fact {
	until := ""
	if !h.Until.IsZero() {
		until = stamp(h.Until)
	}
	return newFact(id, prose(h.Reason), kindHold, stamp(h.Since), until)
}

func (m mark) asHold(more partOf) (secretstore.Hold, bool) {
	since, errSince := parseStamp(m.fields[1])
	var until time.Time
	var errUntil error
	if m.fields[2] != "" {
		until, errUntil = parseStamp(m.fields[2])
	}
	reason, _ := unfit(m.fields[0], m.fields[3], more) // without its reason it is a hold all the same
	return secretstore.Hold{Since: since, Until: until, Reason: unprose(reason)}, errSince == nil && errUntil == nil
}

// Words behind the times of an incident.
const (
	wordUnrevoked = "unrevoked"
	wordSoft      = "soft"
)

func incidentFact(id string, i secretstore.Incident) fact {
	when := stamp(i.At)
	if !i.Resolved.IsZero() || i.Unrevoked || i.Soft {
		when += "+"
	}
	if !i.Resolved.IsZero() {
		when += stamp(i.Resolved)
	}
	if i.Unrevoked {
		when += "+" + wordUnrevoked
	}
	if i.Soft {
		when += "+" + wordSoft
	}
	return newFact(id, prose(i.ID), kindIncident, when)
}

func (m mark) asIncident(more partOf) (secretstore.Incident, bool) {
	declared, rest, _ := strings.Cut(m.fields[1], "+")
	end, rest, _ := strings.Cut(rest, "+")
	words := strings.Split(rest, "+")
	at, errAt := parseStamp(declared)
	var resolved time.Time
	var errResolved error
	if end != "" {
		resolved, errResolved = parseStamp(end)
	}
	name, _ := unfit(m.fields[0], m.fields[2], more) // without its name it is an incident all the same
	return secretstore.Incident{
		ID: unprose(name), At: at, Resolved: resolved,
		Unrevoked: slices.Contains(words, wordUnrevoked), Soft: slices.Contains(words, wordSoft),
	}, errAt == nil && errResolved == nil
}

func waiverFact(id string, w secretstore.Waiver) fact {
	return newFact(id, prose(w.Reason), kindWaiver, stamp(w.At), escape(w.KeyID))
}

func (m mark) asWaiver(more partOf) (secretstore.Waiver, bool) {
	at, err := parseStamp(m.fields[1])
	reason, _ := unfit(m.fields[0], m.fields[3], more) // without its reason it is one all the same
	return secretstore.Waiver{KeyID: unescape(m.fields[2]), At: at, Reason: unprose(reason)}, err == nil
}

func receiptFact(id string, r secretstore.Receipt) fact {
	return newFact(id, escape(r.Sinks), kindReceipt, stamp(r.At), escape(r.KeyID))
}

func (m mark) asReceipt(more partOf) (secretstore.Receipt, bool) {
	at, err := parseStamp(m.fields[1])
	sinks, ok := unfit(m.fields[0], m.fields[3], more)
	return secretstore.Receipt{KeyID: unescape(m.fields[2]), At: at, Sinks: unescape(sinks)}, err == nil && ok
}

// prose escapes a text of words; spaces cost one character, not three.
func prose(s string) string   { return strings.ReplaceAll(escape(s), "=20", "+") }
func unprose(s string) string { return unescape(strings.ReplaceAll(s, "+", "=20")) }

// factOf gives the fact of a kind that counts: the newest that can be read.
func factOf[T any](r *reading, kind string, parse func(mark, partOf) (T, bool)) T {
	for _, m := range slices.Backward(r.facts[kind]) {
		if f, ok := parse(m, r.part); ok {
			return f
		}
	}
	var none T
	return none
}

// sequence counts the facts that were written, so that a new one counts before
// the old one is taken away.
func sequence(m mark) int {
	n, _, _ := strings.Cut(m.fields[0], ".")
	seq, _ := strconv.Atoi(n) // 0 for what is not ours
	return seq
}

func bySequence(a, b mark) int { return cmp.Compare(sequence(a), sequence(b)) }

// factID is new on every write, so that two writers never write the same.
func (r *reading) factID(kind string) string {
	next := 1
	if old := r.facts[kind]; len(old) > 0 {
		next = sequence(old[len(old)-1]) + 1
	}
	return fmt.Sprintf("%d.%s", next, anyName())
}

func (op *write) dropFacts(old []mark) error {
	for _, m := range slices.Backward(old) {
		if err := op.remove(append([]string{m.text}, op.partsOf(m.fields[0])...)...); err != nil {
			return err
		}
	}
	return nil
}

func sameFailure(a, b secretstore.Failure) bool {
	at := sameStamp(a.At, b.At)
	a.At, b.At = time.Time{}, time.Time{}
	return at && a == b
}

func sameHold(a, b secretstore.Hold) bool {
	return sameStamp(a.Since, b.Since) && sameStamp(a.Until, b.Until) && a.Reason == b.Reason
}

func sameIncident(a, b secretstore.Incident) bool {
	return a.ID == b.ID && a.Unrevoked == b.Unrevoked && a.Soft == b.Soft && sameStamp(a.At, b.At) && sameStamp(a.Resolved, b.Resolved)
}

func sameWaiver(a, b secretstore.Waiver) bool {
	return a.KeyID == b.KeyID && a.Reason == b.Reason && sameStamp(a.At, b.At)
}

func sameReceipt(a, b secretstore.Receipt) bool {
	return a.KeyID == b.KeyID && a.Sinks == b.Sinks && sameStamp(a.At, b.At)
}
