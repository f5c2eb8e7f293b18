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
	w, err := s.startWrite(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	d := w.document()
	_, changed, err := d.Promote(id, at)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if !changed {
		return w.unchanged()
	}
	if v, _ := d.Find(id); v.Stage == secretstore.Current {
		err = w.repair(v.Held, at)
	} else {
		err = w.makeCurrent(v.Held, at)
	}
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return w.done(), nil
}

// repair writes down when the current version became current. The newest of
// such marks counts.
func (w *write) repair(version string, at time.Time) error {
	if err := w.room(1); err != nil {
		return err
	}
	stale := w.promotionTexts(version)
	text := promotion{at: at, announced: w.wallClock(), by: anyName()}.text()
	if err := w.attach(text, version); err != nil {
		return err
	}
	err := w.confirm(nil)
	if err != nil && refused(err) {
		w.undo(func(u *write) error { return u.detach(text) })
	}
	if err != nil {
		return err
	}
	for _, text := range stale {
		if err := w.detach(text); err != nil {
			return afterwards(err)
		}
	}
	return nil
}

func (w *write) makeCurrent(version string, at time.Time) error {
	if _, staged := w.own[version]; !staged {
		return fmt.Errorf("it is pending and not ours: %w", secretstore.ErrConflict)
	}
	if err := w.keepOwnIntent(version); err != nil {
		return err
	}
	before := w.reading
	a := announcement{version: version, displaced: w.holder(), promotion: promotion{at: at, announced: w.wallClock(), by: anyName()}}
	if a.displaced != version {
		a.promotion.displaced, a.standing = a.displaced, w.previous
	}
	if err := w.announce(a, before.promotionTexts(version)); err != nil {
		return err
	}
	if err := w.displace(a); err != nil {
		if refused(err) {
			w.undo(func(u *write) error { return u.detach(a.promotion.text()) })
		}
		return err
	}
	stale := before.promotionTexts(version)
	if late := w.wallClock().Sub(a.promotion.announced); late > moveTolerance {
		stale = append(stale, a.promotion.text())
		a.promotion.at = at.Add(late)
		if err := w.attach(a.promotion.text(), version); err != nil {
			return err
		}
	}
	return afterwards(w.tidy(a, stale))
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
func (w *write) announce(a announcement, known []string) error {
	if err := w.room(2); err != nil {
		return err
	}
	if a.version != a.displaced {
		for _, m := range w.marks() {
			if m.kind == kindFirst && m.at == a.version {
				if err := w.detach(m.text); err != nil {
					return err
				}
			}
		}
	}
	text := a.promotion.text()
	if err := w.attach(text, a.version); err != nil {
		return err
	}
	if a.standing != "" {
		if err := w.attach(keepText(a.version), a.standing); err != nil {
			return err
		}
	}
	err := w.confirm(func(label string) bool {
		m, isMark := parseMark(label, "")
		return isMark && m.kind == kindPromoted && label != text && !slices.Contains(known, label)
	})
	if err == nil && w.wallClock().Sub(a.promotion.announced) > announcementTimeout {
		err = fmt.Errorf("the announced promotion took too long, nobody waits for it any more: %w", secretstore.ErrConflict)
	}
	if err != nil && refused(err) {
		w.undo(func(u *write) error { return u.detach(text) })
	}
	return err
}

// announcementTimeout is how old an announcement may be when AWSCURRENT moves. Far less
// than abandonedAfter, after which others take it for abandoned.
const announcementTimeout = 5 * time.Minute

// displace is the one moment that matters.
func (w *write) displace(a announcement) error {
	if a.version != a.displaced {
		return w.shift(labelCurrent, a.version)
	}
	for _, m := range w.marks() {
		if m.kind == kindFirst && m.at == a.version {
			return w.detach(m.text)
		}
	}
	return nil
}

// tidy brings AWS's labels in line with what the secret means since AWSCURRENT
// moved, and takes older announcements away.
func (w *write) tidy(a announcement, stale []string) error {
	if a.standing != "" {
		if err := w.shift(labelPrevious, a.standing); err != nil {
			return err
		}
		if err := w.detach(keepText(a.version)); err != nil {
			return err
		}
	}
	if a.displaced != "" {
		if err := w.clear(a.displaced); err != nil {
			return err
		}
	}
	if w.labels[labelPending] == a.version {
		if err := w.detach(labelPending); err != nil {
			return err
		}
	}
	for _, text := range stale {
		if text == a.promotion.text() {
			continue
		}
		if err := w.detach(text); err != nil {
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
