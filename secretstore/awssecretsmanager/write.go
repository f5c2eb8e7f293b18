package awssecretsmanager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A write is one call of a method that writes, under way. Its reading is what
// the secret is expected to be: what was seen, and the write's own effects so
// far. Its steps are few and small, so that a death between any two of them
// leaves a state that means what it meant before, or what it is to mean after.
type write struct {
	ctx context.Context
	*Store
	reading
	described bool    // the secret was described in this write
	found     reading // by a call that found something else than was expected
}

// startWrite begins a write that was decided on seen.
func (s *Store) startWrite(ctx context.Context, seen secretstore.Snapshot) (*write, error) {
	w := &write{ctx: ctx, Store: s}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	if st, ok := s.remembered(seen); ok {
		w.reading = read(st.clone())
		return w, nil
	}
	r, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	if r.arn != seen.Identity || r.revision() != seen.Revision {
		return nil, fmt.Errorf("the secret is no longer as it was seen: %w", secretstore.ErrConflict)
	}
	w.reading, w.described = read(r.clone()), true
	return w, nil
}

// done is for a write that has happened.
func (w *write) done() secretstore.Snapshot { return w.give(w.reading) }

// unchanged is for a write that has nothing to do. It still compares.
func (w *write) unchanged() (secretstore.Snapshot, error) {
	if !w.described {
		if err := w.confirm(nil); err != nil {
			return secretstore.Snapshot{}, err
		}
	}
	return w.done(), nil
}

// confirm checks whether the secret is as expected: nobody else has written
// since it was seen. Labels that are ignored may come and go. What it finds is
// what is expected from now on.
func (w *write) confirm(ignored func(label string) bool) error {
	st, err := w.describeSecret(w.ctx)
	if err != nil {
		return err
	}
	if !w.same(st, ignored) {
		w.found = read(st)
		return fmt.Errorf("somebody else is writing: %w", secretstore.ErrConflict)
	}
	for version, at := range w.created {
		st.created[version] = at
	}
	w.expect(st)
	w.described = true
	return nil
}

// expect makes st what the secret is expected to be.
func (w *write) expect(st state) { w.reading = read(st) }

// attach gives a label that no version has to one.
func (w *write) attach(label, version string) error { return w.shift(label, version) }

// detach takes a label away. One that is not there is fine.
func (w *write) detach(label string) error {
	if w.labels[label] == "" {
		return nil
	}
	return w.shift(label, "")
}

// shift moves a label from where it is expected to be.
func (w *write) shift(label, to string) error {
	from := w.labels[label]
	if from == to {
		return nil
	}
	if err := w.move(w.ctx, w.arn, label, from, to); err != nil {
		return err
	}
	st := w.clone()
	st.shift(label, to)
	w.expect(st)
	return nil
}

// shift is what AWS makes of a label's move: AWSPREVIOUS follows AWSCURRENT.
func (st state) shift(label, to string) {
	from := st.labels[label]
	delete(st.labels, label)
	if to != "" {
		st.labels[label] = to
	}
	if label == labelCurrent && from != "" {
		st.labels[labelPrevious] = from
	}
}

// setTags writes tags.
func (w *write) setTags(tags []tag) error {
	if len(tags) == 0 {
		return nil
	}
	if err := w.tag(w.ctx, w.arn, tags); err != nil {
		return err
	}
	st := w.clone()
	for _, t := range tags {
		st.tags[t.key] = t.value
	}
	w.expect(st)
	return nil
}

// dropTags takes away those tags that are there.
func (w *write) dropTags(keys []string) error {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { _, there := w.tags[key]; return !there })
	if len(keys) == 0 {
		return nil
	}
	if err := w.untag(w.ctx, w.arn, keys); err != nil {
		return err
	}
	st := w.clone()
	for _, key := range keys {
		delete(st.tags, key)
	}
	w.expect(st)
	return nil
}

// remove removes marks from wherever they are.
func (w *write) remove(texts ...string) error {
	var keys []string
	for _, text := range texts {
		if err := w.detach(text); err != nil {
			return err
		}
		key, _ := asTag(text)
		keys = append(keys, key)
	}
	return w.dropTags(keys)
}

// set puts marks on the version that AWS calls current, or into tags while
// there is none.
func (w *write) set(texts ...string) error {
	if w.holder() == "" {
		if len(texts) == 0 {
			return nil
		}
		tags := w.unclaimed()
		for _, text := range texts {
			key, value := asTag(text)
			tags = append(tags, tag{key, value})
		}
		return w.setTags(tags)
	}
	for _, text := range texts {
		if err := w.attach(text, w.holder()); err != nil {
			return err
		}
	}
	return nil
}

// undoing is how long a write that failed may take to clear up after itself.
const undoing = 10 * time.Second

// undo clears up after a write that lost a race, as far as it can: what it
// leaves means nothing, and is litter to a later write.
func (w *write) undo(steps func(u *write) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), undoing)
	defer cancel()
	u := &write{ctx: ctx, Store: w.Store, reading: w.reading}
	_ = steps(u)
}

// refused tells whether err says that the last call had no effect: then the
// write can be undone. Anything else leaves the outcome unknown, and is left
// to the next read.
func refused(err error) bool {
	return errors.Is(err, secretstore.ErrConflict) || errors.Is(err, secretstore.ErrDenied)
}

// afterwards is for what follows the step that decided a write: somebody else
// who moves the same labels changes nothing about that, and what is left lying
// is litter to a later write.
func afterwards(err error) error {
	if errors.Is(err, secretstore.ErrConflict) {
		return nil
	}
	return err
}

// claim makes the secret if it is to be made, and marks it as the rotator's.
func (w *write) claim() error {
	if w.isAbsent() {
		return w.makeSecret()
	}
	return w.setTags(w.unclaimed())
}

// unclaimed gives the mark of ownership if it is not there.
func (w *write) unclaimed() []tag {
	if w.owner == "" || w.tags[tagOwner] == w.owner {
		return nil
	}
	return []tag{{tagOwner, w.owner}}
}

func (w *write) makeSecret() error {
	tags := w.tagsToCreate()
	arn, err := w.make(w.ctx, w.create.KMSKeyID, tags)
	if err != nil {
		return fmt.Errorf("make the secret: %w", err)
	}
	st := state{arn: arn}.clone()
	for _, t := range tags {
		if t.key == tagOwner {
			st.tags[t.key] = t.value
		}
	}
	w.expect(st)
	return nil
}

// room makes sure that so many more labels fit, and takes litter away for it.
func (w *write) room(more int) error {
	for _, label := range w.litter() {
		if len(w.labels)+more <= maxLabels {
			return nil
		}
		if err := w.detach(label); err != nil {
			return err
		}
	}
	if len(w.labels)+more > maxLabels {
		return fmt.Errorf("the secret has %d of the %d labels that AWS allows and this needs %d more: let the key be issued for less, or remove labels that nobody needs: %w",
			len(w.labels), maxLabels, more, secretstore.ErrDenied)
	}
	return nil
}
