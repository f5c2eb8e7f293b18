package awssecretsmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	op := &write{ctx: ctx, Store: s}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", secretstore.ErrUnavailable, err)
	}
	if st, ok := s.remembered(seen); ok {
		op.reading = read(st.clone())
		return op, st.writable()
	}
	r, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	if r.arn != seen.Identity || r.revision() != seen.Revision {
		return nil, fmt.Errorf("the secret is no longer as it was seen: %w", secretstore.ErrConflict)
	}
	op.reading, op.described = read(r.clone()), true
	return op, r.writable()
}

// done is for a write that has happened.
func (op *write) done() secretstore.Snapshot { return op.give(op.reading) }

// unchanged is for a write that has nothing to do. It still compares.
func (op *write) unchanged() (secretstore.Snapshot, error) {
	if !op.described {
		if err := op.confirm(nil); err != nil {
			return secretstore.Snapshot{}, err
		}
	}
	return op.done(), nil
}

// confirm checks whether the secret is as expected: nobody else has written
// since it was seen. Labels that are ignored may come and go. What it finds is
// what is expected from now on.
func (op *write) confirm(ignored func(label string) bool) error {
	st, err := op.describeSecret(op.ctx)
	if err != nil {
		return err
	}
	if !op.same(st, ignored) {
		op.found = read(st)
		return fmt.Errorf("somebody else is writing: %w", secretstore.ErrConflict)
	}
	for version, at := range op.created {
		st.created[version] = at
	}
	st.vacant = op.vacant
	op.expect(st)
	op.described = true
	return nil
}

// expect makes st what the secret is expected to be.
func (op *write) expect(st state) { op.reading = read(st) }

// attach gives a label that no version has to one.
func (op *write) attach(label, version string) error { return op.shift(label, version) }

// detach takes a label away. One that is not there is fine.
func (op *write) detach(label string) error {
	if op.labels[label] == "" {
		return nil
	}
	return op.shift(label, "")
}

// shift moves a label from where it is expected to be.
func (op *write) shift(label, to string) error {
	from := op.labels[label]
	if from == to {
		return nil
	}
	if err := op.move(op.ctx, op.arn, label, from, to); err != nil {
		return err
	}
	st := op.clone()
	st.shift(label, to)
	op.expect(st)
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
func (op *write) setTags(tags []tag) error {
	if len(tags) == 0 {
		return nil
	}
	if err := op.tag(op.ctx, op.arn, tags); err != nil {
		return err
	}
	st := op.clone()
	for _, t := range tags {
		st.tags[t.key] = t.value
	}
	op.expect(st)
	return nil
}

// dropTags takes away those tags that are there.
func (op *write) dropTags(keys []string) error {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { _, there := op.tags[key]; return !there })
	if len(keys) == 0 {
		return nil
	}
	if err := op.untag(op.ctx, op.arn, keys); err != nil {
		return err
	}
	st := op.clone()
	for _, key := range keys {
		delete(st.tags, key)
	}
	op.expect(st)
	return nil
}

// remove removes marks from wherever they are.
func (op *write) remove(texts ...string) error {
	var keys []string
	for _, text := range texts {
		if err := op.detach(text); err != nil {
			return err
		}
		key, _ := asTag(text)
		keys = append(keys, key)
	}
	return op.dropTags(keys)
}

// set puts marks on the version that AWS calls current, or into tags while
// there is none.
func (op *write) set(texts ...string) error {
	if op.holder() == "" {
		if len(texts) == 0 {
			return nil
		}
		tags := op.unclaimed()
		for _, text := range texts {
			key, value := asTag(text)
			tags = append(tags, tag{key, value})
		}
		return op.setTags(tags)
	}
	for _, text := range texts {
		if err := op.attach(text, op.holder()); err != nil {
			return err
		}
	}
	return nil
}

// undoing is how long a write that failed may take to clear up after itself.
const undoing = 10 * time.Second

// undo clears up after a write that lost a race, as far as it can: what it
// leaves means nothing, and is litter to a later write.
func (op *write) undo(steps func(u *write) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(op.ctx), undoing)
	defer cancel()
	u := &write{ctx: ctx, Store: op.Store, reading: op.reading}
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
func (op *write) claim() error {
	if op.isAbsent() {
		return op.makeSecret()
	}
	return op.setTags(op.unclaimed())
}

// unclaimed gives the mark of ownership if it is not there.
func (op *write) unclaimed() []tag {
	if op.owner == "" || op.tags[tagOwner] == op.owner {
		return nil
	}
	return []tag{{tagOwner, op.owner}}
}

func (op *write) makeSecret() error {
	tags := op.tagsToCreate()
	arn, err := op.make(op.ctx, op.create.KMSKeyID, tags)
	if err != nil {
		return fmt.Errorf("make the secret: %w", err)
	}
	st := state{arn: arn}.clone()
	for _, t := range tags {
		if t.key == tagOwner {
			st.tags[t.key] = t.value
		}
	}
	op.expect(st)
	return nil
}

// whichToRemove names the labels that are neither AWS's nor the rotator's.
func (op *write) whichToRemove() string {
	var others []string
	for _, label := range slices.Sorted(maps.Keys(op.labels)) {
		if !strings.HasPrefix(label, "AWS") && !strings.HasPrefix(label, ours) {
			others = append(others, fmt.Sprintf("%q", label))
		}
	}
	if len(others) == 0 {
		return "all of them are AWS's or the rotator's"
	}
	return "remove those that nobody needs, of " + strings.Join(others, ", ")
}

// room makes sure that so many more labels fit, and takes litter away for it.
func (op *write) room(more int) error {
	for _, label := range op.litter() {
		if len(op.labels)+more <= maxLabels {
			return nil
		}
		if err := op.detach(label); err != nil {
			return err
		}
	}
	if len(op.labels)+more > maxLabels {
		return fmt.Errorf("the secret has %d of the %d labels that AWS allows and this needs %d more: %s, or let the key be issued for fewer scopes: %w",
			len(op.labels), maxLabels, more, op.whichToRemove(), secretstore.ErrDenied)
	}
	return nil
}
