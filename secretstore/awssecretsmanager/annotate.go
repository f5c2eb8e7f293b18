package awssecretsmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Annotate implements [secretstore.Store]. The notes lie on the version that AWS
// calls current, or in tags while there is none.
//
// An intent that is replaced, or dropped, is gone from the first call on:
// killed after it, the secret is as if Annotate had been called without an
// intent.
func (s *Store) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	snap, err := s.annotate(ctx, seen, n)
	return snap, s.named("annotate", err)
}

func (s *Store) annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	op, err := s.startWrite(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	have := op.notes()
	newIntent, facts := !sameIntent(have.Intent, n.Intent), changes(have, n)
	if !newIntent && len(facts) == 0 {
		return op.unchanged()
	}
	if err := op.replaceNotes(n.Intent, newIntent, facts); err != nil {
		return secretstore.Snapshot{}, err
	}
	return op.done(), nil
}

func (op *write) replaceNotes(in secretstore.Intent, newIntent bool, facts map[string]func(id string) fact) error {
	add, old := op.newFacts(facts)
	if newIntent && !in.IsZero() {
		head, more := intentTexts(slotOf(in, ""), in)
		add = append(append(add, more...), head)
	}
	if err := op.prepare(len(add), newIntent && !in.IsZero()); err != nil {
		return err
	}
	if newIntent {
		if err := op.dropReservations(""); err != nil {
			return err
		}
	}
	if len(add) == 0 {
		if err := op.dropFacts(old); err != nil {
			return err
		}
	}
	if err := op.writeDown(add); err != nil {
		return err
	}
	return afterwards(op.dropFacts(old))
}

// newFacts gives the marks to write and those that they replace.
func (op *write) newFacts(facts map[string]func(id string) fact) (add []string, old []mark) {
	for _, kind := range slices.Sorted(maps.Keys(facts)) {
		old = append(old, op.facts[kind]...)
		if text := facts[kind]; text != nil {
			f := text(op.factID(kind))
			add = append(append(add, f.parts...), f.head)
		}
	}
	return add, old
}

// prepare sees to it that the notes can be written, and for an intent that the
// version it will lead to can be, before a key is issued for it.
func (op *write) prepare(add int, reserve bool) error {
	if op.isAbsent() || reserve && op.holder() != "" {
		if err := op.claim(); err != nil {
			return err
		}
	}
	if reserve {
		for _, label := range op.litter() {
			if err := op.detach(label); err != nil {
				return err
			}
		}
		add += labelsOfARotation
		if err := op.dropOutlived(add); err != nil {
			return err
		}
	}
	// Tags become labels with the first version; the mark of ownership is set with them.
	return op.room(add)
}

// labelsOfARotation is how many labels a rotation adds at most to those of its
// intent: AWSPENDING, kindKey, kindPromoted, which there are two of for a moment if
// AWSCURRENT moved late, and kindKeep or AWSPREVIOUS.
const labelsOfARotation = 5

// dropOutlived takes facts away where so many more labels do not fit, what is worth the
// least first: a rotation must not fail for what is on record about the last one. It
// replaces the failure; sinks are given the key again; a hold, a waiver and an incident stand without their words.
func (op *write) dropOutlived(more int) error {
	for _, kind := range []string{kindFailure, kindReceipt, kindHold, kindWaiver, kindIncident} {
		for _, m := range op.facts[kind] {
			if len(op.labels)+more <= maxLabels {
				return nil
			}
			outlived := op.partsOf(m.fields[0])
			if kind == kindFailure || kind == kindReceipt {
				outlived = append(outlived, m.text)
			}
			if err := op.remove(outlived...); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeDown writes, then reads. If another writer did the same meanwhile, at
// least the one that reads last sees the other, and takes its own back.
func (op *write) writeDown(add []string) error {
	if err := op.set(add...); err != nil {
		return err
	}
	err := op.confirm(nil)
	if err != nil && refused(err) && len(add) > 0 {
		slices.Reverse(add) // heads before what belongs to them
		op.undo(func(u *write) error { return u.remove(add...) })
	}
	return err
}

// dropReservations drops the reserved intents but the one of the slot spared.
// The head goes first: whoever takes it has it, a stage that is under way
// included.
func (op *write) dropReservations(spared string) error {
	for _, res := range slices.Clone(op.reserved) {
		if res.fields[0] == spared {
			continue
		}
		if err := op.remove(append([]string{res.text}, op.partsOf(res.fields[0])...)...); err != nil {
			return err
		}
	}
	return nil
}

// partsOf lists the further marks of an intent or a fact.
func (op *write) partsOf(slot string) []string {
	var parts []string
	for _, m := range op.marks() {
		if m.kind == kindMore && m.fields[0] == slot {
			parts = append(parts, m.text)
		}
	}
	return parts
}

// anyName is short, since labels are, and new every time.
func anyName() string { return strings.ToLower(rand.Text()[:6]) }

func sameIntent(a, b secretstore.Intent) bool {
	return a.Nonce == b.Nonce && sameStamp(a.At, b.At) && a.Grace == b.Grace && a.Spec == b.Spec &&
		a.Holder == b.Holder && sameStamp(a.Until, b.Until) && a.Adopted == b.Adopted
}

// sameStamp compares times as marks keep them.
func sameStamp(a, b time.Time) bool { return stamp(a) == stamp(b) }

// isExisting tells whether AWS has that version already, with another value.
func isExisting(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == "ResourceExistsException"
}
