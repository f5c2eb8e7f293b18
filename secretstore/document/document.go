// Package document is what most stores keep of one secret, and what the writes of
// the contract make of it: the rules of [secretstore.Store] in one place, pure. A
// backend loads a document, has a method here give the next one, and swaps the two
// in one step.
package document

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Document is the versions of a secret, one at most on a stage, and its notes. T
// is what a backend keeps of a version's value: itself, encrypted, a digest, or
// where it is. Methods change nothing but give another document. All times in one
// are in UTC.
type Document[T any] struct {
	// Format is the form in which documents are written down; see [Decode].
	Format   int          `json:"format"`
	Versions []Version[T] `json:"versions,omitempty"`
	secretstore.Notes
}

// Version is a version on its stage, and what is kept of its value.
type Version[T any] struct {
	Stage secretstore.Stage `json:"stage"`
	secretstore.Version
	Held T `json:"held"`
}

// New gives a document that holds nothing.
func New[T any]() Document[T] { return Document[T]{Format: format} }

// Find gives the version with that id.
func (d Document[T]) Find(id string) (Version[T], bool) {
	return d.first(func(v Version[T]) bool { return v.ID == id })
}

// On gives the version on a stage.
func (d Document[T]) On(stage secretstore.Stage) (Version[T], bool) {
	return d.first(func(v Version[T]) bool { return v.Stage == stage })
}

func (d Document[T]) first(is func(Version[T]) bool) (v Version[T], found bool) {
	if at := slices.IndexFunc(d.Versions, is); at >= 0 {
		return d.Versions[at], true
	}
	return v, false
}

// Put sets v on its stage in place of what is there, and takes it off the stage
// that it was on.
func (d Document[T]) Put(v Version[T]) Document[T] {
	d = d.without(func(old Version[T]) bool { return old.Stage == v.Stage || old.ID == v.ID })
	d.Versions = append(d.Versions, v)
	return d
}

// Drop takes what is on the stage off.
func (d Document[T]) Drop(stage secretstore.Stage) Document[T] {
	return d.without(func(v Version[T]) bool { return v.Stage == stage })
}

func (d Document[T]) without(is func(Version[T]) bool) Document[T] {
	d.Versions = slices.DeleteFunc(slices.Clone(d.Versions), is)
	return d
}

// Shown gives the versions as callers of a store see them.
func (d Document[T]) Shown() map[secretstore.Stage]secretstore.Version {
	shown := make(map[secretstore.Stage]secretstore.Version, len(d.Versions))
	for _, v := range d.Versions {
		shown[v.Stage] = v.Version
	}
	return shown
}

// Annotate replaces the notes.
func (d Document[T]) Annotate(n secretstore.Notes) Document[T] {
	d.Notes = plainNotes(n)
	return d
}

// ErrOtherValue is for a version that is to be staged and is pending with another
// value already.
var ErrOtherValue = fmt.Errorf("it is pending with another value: %w", secretstore.ErrConflict)

// CheckStage tells whether a version may be staged: as a new one or, with again,
// as the one that is pending already. Then nothing is to be changed, if the
// backend finds its value to be the same; else the answer is [ErrOtherValue].
func (d Document[T]) CheckStage(id string) (pending Version[T], again bool, err error) {
	v, held := d.Find(id)
	switch {
	case id == "":
		return v, false, fmt.Errorf("a version needs an id: %w", secretstore.ErrConflict)
	case held && v.Stage != secretstore.Pending:
		return v, false, fmt.Errorf("it is %s already: %w", v.Stage, secretstore.ErrConflict)
	}
	return v, held, nil
}

// Stage takes v as the pending version in place of another one; the notes' intent
// is fulfilled. Of v it takes what the contract says, and no more.
func (d Document[T]) Stage(v secretstore.Version, created time.Time, held T) Document[T] {
	fresh := secretstore.Version{ID: v.ID, Intent: plainIntent(v.Intent), Account: v.Account, Created: Time(created)}
	d = d.Put(Version[T]{Stage: secretstore.Pending, Version: fresh, Held: held})
	d.Intent = secretstore.Intent{}
	return d
}

// Promote makes the pending version current; for the one that is current already it
// records at, if no promotion time is known, or an earlier one. It tells whether
// that changes anything.
func (d Document[T]) Promote(id string, at time.Time) (next Document[T], changed bool, err error) {
	v, _ := d.Find(id)
	switch {
	case v.Stage == secretstore.Current && !v.Promoted.Before(at):
		return d, false, nil
	case v.Stage == secretstore.Current:
	case v.Stage == secretstore.Pending:
		d = d.displace()
	default:
		return d, false, fmt.Errorf("it is neither pending nor current: %w", secretstore.ErrNotFound)
	}
	v.Stage, v.Promoted = secretstore.Current, Time(at)
	return d.Put(v), true, nil
}

// displace makes room on the stage current: the version there becomes previous,
// but does not push out one that stands there.
func (d Document[T]) displace() Document[T] {
	v, had := d.On(secretstore.Current)
	d = d.Drop(secretstore.Current)
	if _, stands := d.On(secretstore.Previous); stands || !had {
		return d
	}
	v.Stage = secretstore.Previous
	return d.Put(v)
}

// PutForeign makes a value current that the rotator did not stage. The version that
// was current becomes previous, in place of one that stood there, as AWS Secrets
// Manager does it.
func (d Document[T]) PutForeign(id string, created time.Time, held T) Document[T] {
	if v, ok := d.On(secretstore.Current); ok {
		v.Stage = secretstore.Previous
		d = d.Put(v)
	}
	foreign := secretstore.Version{ID: id, Foreign: true, Created: Time(created)}
	return d.Put(Version[T]{Stage: secretstore.Current, Version: foreign, Held: held})
}

// PutAgain is PutForeign, but that a value which somebody put there before does not push out
// a previous version that is ours: the former is nobody's to revoke, the latter would live on
// unknown to anybody.
func (d Document[T]) PutAgain(id string, created time.Time, held T) Document[T] {
	cur, _ := d.On(secretstore.Current)
	if old, stands := d.On(secretstore.Previous); stands && cur.Foreign && !old.Foreign {
		d = d.Drop(secretstore.Current)
	}
	return d.PutForeign(id, created, held)
}

// Destroy forgets a version, which must not be the current one. It tells whether
// there was one of that id.
func (d Document[T]) Destroy(id string) (next Document[T], changed bool, err error) {
	v, held := d.Find(id)
	switch {
	case !held:
		return d, false, nil
	case v.Stage == secretstore.Current:
		return d, false, fmt.Errorf("it is current: %w", secretstore.ErrConflict)
	}
	return d.Drop(v.Stage), true, nil
}

// Time is t as it comes back from where it was written down: in UTC, without a
// monotonic reading.
func Time(t time.Time) time.Time { return t.UTC().Round(0) }

func plainIntent(i secretstore.Intent) secretstore.Intent {
	i.At, i.Until = Time(i.At), Time(i.Until)
	return i
}

func plainNotes(n secretstore.Notes) secretstore.Notes {
	n.Intent = plainIntent(n.Intent)
	n.Failure.At = Time(n.Failure.At)
	n.Hold.Since, n.Hold.Until = Time(n.Hold.Since), Time(n.Hold.Until)
	n.Incident.At, n.Incident.Resolved = Time(n.Incident.At), Time(n.Incident.Resolved)
	n.Waiver.At = Time(n.Waiver.At)
	n.Receipt.At = Time(n.Receipt.At)
	return n
}
