package awssecretsmanager

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Destroy implements [secretstore.Store]. It takes the labels of the version
// away; AWS removes versions without labels by itself, and they cannot be read
// through this package.
//
// The first label that goes decides, and does not come back: whoever saw the
// version without it may revoke its key. So a Destroy that meets another writer
// may report ErrConflict although the version is gone.
func (s *Store) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	snap, err := s.destroy(ctx, seen, id)
	return snap, s.named("destroy "+id, err)
}

func (s *Store) destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	w, err := s.startWrite(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	d := w.document()
	_, changed, err := d.Destroy(id)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if !changed {
		return w.unchanged()
	}
	if v, _ := d.Find(id); v.Stage == secretstore.Pending {
		err = w.destroyPending(v.Held)
	} else {
		err = w.destroyPrevious(v.Held)
	}
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return w.done(), nil
}

// destroyPending takes what makes the version pending, then reads. A promotion
// that was announced meanwhile wins: it keeps the version referred to.
func (w *write) destroyPending(version string) error {
	if _, staged := w.own[version]; staged {
		if err := w.mayForget(version); err != nil {
			return err
		}
	}
	abandoned := w.promotionTexts(version)
	if w.labels[labelPending] == version {
		if err := w.detach(labelPending); err != nil {
			return err
		}
	}
	if version == w.holder() {
		if err := w.dropOwnIntent(version); err != nil {
			return err
		}
	}
	for _, text := range abandoned {
		if err := w.detach(text); err != nil {
			return err
		}
	}
	if err := w.confirm(nil); err != nil {
		return err
	}
	return afterwards(w.clear(version))
}

// destroyPrevious ends with the label that makes the version previous.
func (w *write) destroyPrevious(version string) error {
	if w.isAnnounced(version) { // AWSCURRENT was moved back by hand
		for _, text := range w.promotionTexts(version) {
			if err := w.detach(text); err != nil {
				return err
			}
		}
	}
	last := labelPrevious
	switch kept := keepText(w.holder()); {
	case w.labels[kept] != version:
	case w.labels[labelPrevious] == version:
		if err := w.detach(kept); err != nil {
			return err
		}
	default:
		if err := w.detach(labelPrevious); err != nil {
			return err
		}
		last = kept
	}
	if err := w.detach(last); err != nil {
		return err
	}
	if err := w.confirm(nil); err != nil {
		return err
	}
	return afterwards(w.clear(version))
}
