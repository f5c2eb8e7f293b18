package vaultkv

import (
	"maps"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// promoted is the records after an announced promotion came true. What they forget by
// it is left to the previous version, with which it is destroyed.
func promoted(d records, p promotion) records {
	next, _, err := d.Promote(p.ID, p.At)
	if err != nil { // it is not pending: somebody's hands
		return d
	}
	v, _ := next.On(secretstore.Current)
	next = next.Put(heldAt(v, p.Onto+1))
	displaced, had := d.On(secretstore.Current)
	if _, kept := next.Find(displaced.ID); had && !kept {
		previous, _ := next.On(secretstore.Previous)
		next = next.Put(heldAt(previous, displaced.Held.At...))
	}
	return next
}

// heldAt notes versions of the consumers' path that have held the value.
func heldAt(r record, at ...int) record {
	r.Held.At = slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.Held.At, at))))
	return r
}

// matched brings the records into line with what consumers read. Our own writes say
// beforehand what they will do to it, so what does not match was changed by hand.
func (s *Store) matched(d records, known values, key secret.Value, public entry) (records, values) {
	current, had := d.On(secretstore.Current)
	switch {
	case key.IsZero():
		return currentGone(d, known)
	case had && known[current.ID].Equal(key):
		return d.Put(heldAt(current, public.version)), known
	}
	known = maps.Clone(known)
	r, recorded := withValue(d, known, key)
	if recorded {
		d = d.Drop(r.Stage)
	} else {
		r = record{Version: secretstore.Version{
			ID: "by-hand-" + digest(s.place, key), Foreign: true, Created: document.Time(public.created),
		}}
		known[r.ID] = key
	}
	if had {
		current.Stage = secretstore.Previous
		d = d.Put(current)
	}
	r.Stage, r.Promoted = secretstore.Current, time.Time{}
	return d.Put(heldAt(r, public.version)), known
}

// currentGone is for a current version whose value somebody took away. It leaves the
// stage, so that a rotation is due at once, but not the record: its key keeps its grace.
// While another one is previous it stays, and cannot be read.
func currentGone(d records, known values) (records, values) {
	current, had := d.On(secretstore.Current)
	if !had {
		return d, known
	}
	if _, stands := d.On(secretstore.Previous); stands {
		known = maps.Clone(known)
		delete(known, current.ID)
		return d, known
	}
	current.Stage = secretstore.Previous
	return d.Put(current), known
}

// withValue finds the version that has a value.
func withValue(d records, known values, key secret.Value) (record, bool) {
	for _, r := range d.Versions {
		if value := known[r.ID]; !value.IsZero() && value.Equal(key) {
			return r, true
		}
	}
	return record{}, false
}
