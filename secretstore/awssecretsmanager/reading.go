package awssecretsmanager

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// reading is what a state means: the rules of the package comment as a pure
// function of the labels and tags.
type reading struct {
	state
	keys       map[string]keyMark            // by version: those that the rotator put
	own        map[string]secretstore.Intent // by version: those that are staged, see the package comment
	promotions map[string][]promotion        // by version
	first      map[string]bool               // versions that bear kindFirst
	more       map[string]string             // by slot and number

	// The versions on the stages; empty if there is none.
	current, pending, previous string

	reserved []reservation
	facts    map[string][]mark // by kind; the one that counts is the last
}

// reservation is an intent that no version has fulfilled yet.
type reservation struct {
	mark
	intent secretstore.Intent
}

func read(st state) reading {
	r := reading{
		state: st, keys: map[string]keyMark{}, own: map[string]secretstore.Intent{},
		promotions: map[string][]promotion{}, first: map[string]bool{}, more: map[string]string{}, facts: map[string][]mark{},
	}
	marks := st.marks()
	for _, m := range marks {
		r.sort(m)
	}
	for _, m := range marks {
		if m.kind == kindIntent {
			r.sortIntent(m)
		}
	}
	r.stages()
	r.reserved = slices.DeleteFunc(r.reserved, r.fulfilled)
	for _, marks := range r.facts {
		slices.SortStableFunc(marks, bySequence)
	}
	return r
}

func (r *reading) sort(m mark) {
	switch m.kind {
	case kindKey:
		if m.at != "" {
			r.keys[m.at] = m.asKey()
		}
	case kindMore:
		r.more[m.fields[0]+"/"+m.fields[1]] = m.fields[2]
	case kindPromoted:
		if p, ok := m.asPromotion(); ok {
			r.promotions[m.at] = append(r.promotions[m.at], p)
		}
	case kindFirst:
		r.first[m.at] = true
	case kindFailure, kindHold, kindIncident, kindWaiver, kindReceipt:
		r.facts[m.kind] = append(r.facts[m.kind], m)
	}
}

func (r *reading) sortIntent(m mark) {
	intent, ok := m.asIntent(r.part)
	if !ok {
		return
	}
	at := m.at
	if at == "" && r.unpromoted() {
		at = r.holder() // where there was no version, the first one that is put fulfils the intent
	}
	if k, put := r.keys[at]; put && k.slot == m.fields[0] {
		r.own[at] = intent
		return
	}
	r.reserved = append(r.reserved, reservation{m, intent})
}

func (r *reading) part(slot string, n int) (string, bool) {
	text, ok := r.more[slot+"/"+strconv.Itoa(n)]
	return text, ok
}

// holder is the version that AWS calls current; empty if the secret has none
// yet. It need not be current to us: see [reading.unpromoted].
func (r *reading) holder() string { return r.labels[labelCurrent] }

// unpromoted tells whether the first version of the secret is current to AWS
// only because it is the first.
func (r *reading) unpromoted() bool { return r.holder() != "" && r.first[r.holder()] }

// stages finds out which version is on which stage.
func (r *reading) stages() {
	holder := r.holder()
	if !r.unpromoted() {
		r.current = holder
	}
	r.previous = r.findPrevious()
	r.pending = r.findPending()
}

func (r *reading) findPrevious() string {
	previous := r.labels[labelPrevious]
	if kept, ok := r.labels[keepText(r.holder())]; ok {
		previous = kept
	}
	if previous == r.holder() || r.first[previous] {
		return ""
	}
	return previous
}

// findPending prefers a version whose promotion is announced, so that it is
// referred to for as long as somebody may be about to move AWSCURRENT to it.
func (r *reading) findPending() string {
	var announced, first string
	for version := range r.own {
		switch {
		case version == r.current || version == r.previous:
		case r.isAnnounced(version):
			announced = max(announced, version)
		case version == r.holder():
			first = version
		}
	}
	waiting := r.labels[labelPending]
	if r.isWaiting(waiting) {
		return cmp.Or(announced, waiting)
	}
	return cmp.Or(announced, first)
}

// isWaiting tells whether AWSPENDING means what it says: on a version that the
// rotator staged and has not promoted, or on one that something else put. A
// version that the rotator put but did not stage yet is nobody's concern.
func (r *reading) isWaiting(version string) bool {
	if version == "" || version == r.current || version == r.previous || version == r.vacant {
		return false
	}
	_, staged := r.own[version]
	_, put := r.keys[version]
	if !put {
		return version != r.holder()
	}
	return staged && len(r.promotions[version]) == 0
}

// isAnnounced tells whether somebody may be about to make the version current:
// a promotion was announced, and what it was to displace is still in its place.
func (r *reading) isAnnounced(version string) bool { return !r.announced(version).IsZero() }

// announced gives the time of the newest announcement that still holds.
func (r *reading) announced(version string) time.Time {
	var newest time.Time
	for _, p := range r.promotions[version] {
		awaits := p.displaced == r.holder() && version != r.holder()
		if version == r.holder() {
			awaits = p.displaced == "" && r.unpromoted()
		}
		if awaits && p.announced.After(newest) {
			newest = p.announced
		}
	}
	return newest
}

// fulfilled tells whether an intent is that of a version on a stage: the step
// that was to take the reservation away was interrupted.
func (r *reading) fulfilled(res reservation) bool {
	for _, version := range []string{r.pending, r.current, r.previous} {
		if k, ok := r.keys[version]; ok && k.slot == res.fields[0] {
			_, staged := r.own[version]
			return staged
		}
	}
	return false
}

// promoted is when the version became current; zero if that is not known.
func (r *reading) promoted(version string) time.Time {
	var newest time.Time
	for _, p := range r.promotions[version] {
		if p.at.After(newest) {
			newest = p.at
		}
	}
	return newest
}

// version is what a snapshot shows of one.
func (r *reading) version(id string) secretstore.Version {
	v := secretstore.Version{ID: id}
	if id == r.current {
		v.Created = r.created[id]
	}
	if id != r.pending {
		v.Promoted = r.promoted(id)
	}
	intent, staged := r.own[id]
	if !staged {
		v.Foreign = true
		return v
	}
	v.ID, v.Account, v.Intent = r.keys[id].id, r.keys[id].account, intent
	return v
}

// document is the reading as the common transitions take it, with AWS's names for
// the versions. They tell what a write may do; how it is done, labels decide.
func (r *reading) document() document.Document[string] {
	d := document.New[string]().Annotate(r.notes())
	for i, version := range []string{r.pending, r.current, r.previous} {
		if version != "" {
			d.Versions = append(d.Versions, document.Version[string]{Stage: secretstore.Stages()[i], Version: r.version(version), Held: version})
		}
	}
	return d
}

func (r *reading) notes() secretstore.Notes {
	var n secretstore.Notes
	if res, ok := r.reservation(); ok {
		n.Intent = res.intent
	}
	n.Failure = factOf(r, kindFailure, mark.asFailure)
	n.Hold = factOf(r, kindHold, mark.asHold)
	n.Incident = factOf(r, kindIncident, mark.asIncident)
	n.Waiver = factOf(r, kindWaiver, mark.asWaiver)
	n.Receipt = factOf(r, kindReceipt, mark.asReceipt)
	return n
}

// reservation gives the intent that counts: the newest. That there are two is
// for a moment only, see [reading.contested].
func (r *reading) reservation() (reservation, bool) {
	if len(r.reserved) == 0 {
		return reservation{}, false
	}
	return slices.MaxFunc(r.reserved, func(a, b reservation) int {
		return cmp.Or(a.intent.At.Compare(b.intent.At), strings.Compare(a.text, b.text))
	}), true
}

// contested tells of two reservations, one of which is about to be taken back:
// a snapshot can show only one, and the key of the other would be taken for an
// orphan. It holds for a while only, in case the loser died.
func (r *reading) contested(now time.Time) error {
	if len(r.reserved) < 2 {
		return nil
	}
	newest, _ := r.reservation()
	until := newest.intent.At.Add(abandonedAfter)
	if !now.Before(until) {
		return nil
	}
	return fmt.Errorf("two rotations are reserved at once; one of them is standing back, or did not live to: read again, at the latest at %s: %w",
		stamp(until), secretstore.ErrUnavailable)
}

// snapshot is the reading as callers see it.
func (r *reading) snapshot() secretstore.Snapshot {
	d := r.document()
	return secretstore.Snapshot{Identity: r.arn, Revision: r.revision(), Versions: d.Shown(), Notes: d.Notes, Advice: r.advice()}
}

// undated tells whether nothing says how old the current version is.
func (r *reading) undated() bool {
	v := r.current
	return v != "" && r.promoted(v).IsZero() && r.created[v].IsZero()
}

// litter lists labels of ours that mean nothing: what interrupted steps left
// on versions that are on no stage. A version that is just being put is spared
// as long as its intent is reserved.
func (r *reading) litter() []string {
	var out []string
	for label, version := range r.labels {
		if r.holds(version) {
			continue
		}
		m, isMark := parseMark(label, version)
		if !isMark {
			if k, put := r.keys[version]; put && label == labelPending && !r.isReserved(k.slot) {
				out = append(out, label)
			}
			continue
		}
		switch m.kind {
		case kindFailure, kindHold, kindIncident, kindWaiver, kindReceipt, kindMore:
		case kindFor: // the next version that is put takes it along
		case kindFirst:
			if version != r.holder() {
				out = append(out, label)
			}
		case kindIntent:
			if _, own := r.own[version]; own {
				out = append(out, label)
			}
		default:
			if !r.isReserved(r.keys[version].slot) {
				out = append(out, label)
			}
		}
	}
	slices.Sort(out) // AWSPENDING first: without kindKey it would look like somebody else's
	return out
}

func (r *reading) holds(version string) bool {
	return version == r.pending || version == r.current || version == r.previous
}

func (r *reading) isReserved(slot string) bool {
	return slices.ContainsFunc(r.reserved, func(res reservation) bool { return res.fields[0] == slot })
}

// isPut tells whether a version was put for that slot.
func (r *reading) isPut(slot string) bool {
	for _, k := range r.keys {
		if k.slot == slot {
			return true
		}
	}
	return false
}
