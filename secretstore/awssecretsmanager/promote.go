package awssecretsmanager

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Promote implements [secretstore.Store]. The promotion is announced, then it
// is checked whether anybody else has written, then AWSCURRENT moves: AWS moves
// it only from where it was seen. What comes after that is tidying.
func (s *Store) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	snap, err := s.promote(ctx, seen, id, at)
	return snap, s.named("promote "+id, err)
}

func (s *Store) promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	op, err := s.startWrite(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	d := op.document()
	_, changed, err := d.Promote(id, at)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if !changed {
		return op.unchanged()
	}
	if v, _ := d.Find(id); v.Stage == secretstore.Current {
		err = op.repair(v.Held, at)
	} else {
		err = op.makeCurrent(v.Held, at)
	}
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return op.done(), nil
}

// repair writes down when the current version became current. The newest of
// such marks counts.
func (op *write) repair(version string, at time.Time) error {
	if err := op.room(1); err != nil {
		return err
	}
	stale := op.promotionTexts(version)
	text := promotion{at: at, announced: op.wallClock(), by: anyName()}.text()
	if err := op.attach(text, version); err != nil {
		return err
	}
	err := op.confirm(nil)
	if err != nil && refused(err) {
		op.undo(func(u *write) error { return u.detach(text) })
	}
	if err != nil {
		return err
	}
	for _, text := range stale {
		if err := op.detach(text); err != nil {
			return afterwards(err)
		}
	}
	return nil
}

func (op *write) makeCurrent(version string, at time.Time) error {
	if _, staged := op.own[version]; !staged {
		return fmt.Errorf("it is pending and not ours: %w", secretstore.ErrConflict)
	}
	if err := op.keepOwnIntent(version); err != nil {
		return err
	}
	before := op.reading
	a := announcement{version: version, displaced: op.holder(), promotion: promotion{at: at, announced: op.wallClock(), by: anyName()}}
	if a.displaced != version {
		a.promotion.displaced, a.standing = a.displaced, op.previous
	}
	if err := op.announce(a, before.promotionTexts(version)); err != nil {
		return err
	}
	if err := op.displace(a); err != nil {
		if refused(err) {
			op.undo(func(u *write) error { return u.detach(a.promotion.text()) })
		}
		return err
	}
	stale := before.promotionTexts(version)
	if late := op.wallClock().Sub(a.promotion.announced); late > moveTolerance {
		stale = append(stale, a.promotion.text())
		a.promotion.at = at.Add(late)
		if err := op.attach(a.promotion.text(), version); err != nil {
			return err
		}
	}
	return afterwards(op.tidy(a, stale))
}

// moveTolerance is how much later than it was announced AWSCURRENT may move and be
// taken to have moved at the time announced. A machine that slept in between
// must not shorten the grace period of the version displaced: it counts from
// the move then.
const moveTolerance = 10 * time.Second

// announcement is a promotion that is to happen.
type announcement struct {
	version   string
	displaced string // what AWS calls current: maybe the version itself, maybe none
	standing  string // the previous version that is to stay; empty if there is none
	promotion promotion
}

// announce writes, then reads. From the write on the version is referred to,
// whatever anybody takes from it, so that its key is not revoked while
// AWSCURRENT is about to move to it. Others that announce the same do not
// matter: AWSCURRENT decides between them.
func (op *write) announce(a announcement, known []string) error {
	if err := op.room(2); err != nil {
		return err
	}
	if a.version != a.displaced {
		for _, m := range op.marks() {
			if m.kind == kindFirst && m.at == a.version {
				if err := op.detach(m.text); err != nil {
					return err
				}
			}
		}
	}
	text := a.promotion.text()
	if err := op.attach(text, a.version); err != nil {
		return err
	}
	if a.standing != "" {
		if err := op.attach(keepText(a.version), a.standing); err != nil {
			return err
		}
	}
	err := op.confirm(func(label string) bool {
		m, isMark := parseMark(label, "")
		return isMark && m.kind == kindPromoted && label != text && !slices.Contains(known, label)
	})
	if err == nil && op.wallClock().Sub(a.promotion.announced) > announcementTimeout {
		err = fmt.Errorf("the announced promotion took too long, nobody waits for it any more: %w", secretstore.ErrConflict)
	}
	if err != nil && refused(err) {
		op.undo(func(u *write) error { return u.detach(text) })
	}
	return err
}

// announcementTimeout is how old an announcement may be when AWSCURRENT moves. Far less
// than abandonedAfter, after which others take it for abandoned.
const announcementTimeout = 5 * time.Minute

// displace is the one moment that matters.
func (op *write) displace(a announcement) error {
	if a.version != a.displaced {
		return op.shift(labelCurrent, a.version)
	}
	for _, m := range op.marks() {
		if m.kind == kindFirst && m.at == a.version {
			return op.detach(m.text)
		}
	}
	return nil
}

// tidy brings AWS's labels in line with what the secret means since AWSCURRENT
// moved, and takes older announcements away.
func (op *write) tidy(a announcement, stale []string) error {
	if a.standing != "" {
		if err := op.shift(labelPrevious, a.standing); err != nil {
			return err
		}
		if err := op.detach(keepText(a.version)); err != nil {
			return err
		}
	}
	if a.displaced != "" {
		if err := op.clear(a.displaced); err != nil {
			return err
		}
	}
	if op.labels[labelPending] == a.version {
		if err := op.detach(labelPending); err != nil {
			return err
		}
	}
	for _, text := range stale {
		if text == a.promotion.text() {
			continue
		}
		if err := op.detach(text); err != nil {
			return err
		}
	}
	return nil
}

// promotionTexts lists the promotions that are marked on a version.
func (r *reading) promotionTexts(version string) []string {
	var texts []string
	for _, m := range r.marks() {
		if m.kind == kindPromoted && m.at == version {
			texts = append(texts, m.text)
		}
	}
	return texts
}

// wallClock is the time without a monotonic reading, which may stand still
// while a machine sleeps.
func (s *Store) wallClock() time.Time { return s.now().Round(0) }
