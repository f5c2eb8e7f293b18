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
	op, err := s.startWrite(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	d := op.document()
	_, changed, err := d.Destroy(id)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if !changed {
		return op.unchanged()
	}
	if v, _ := d.Find(id); v.Stage == secretstore.Pending {
		err = op.destroyPending(v.Held)
	} else {
		err = op.destroyPrevious(v.Held)
	}
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return op.done(), nil
}

// destroyPending takes what makes the version pending, then reads. A promotion
// that was announced meanwhile wins: it keeps the version referred to.
func (op *write) destroyPending(version string) error {
	if _, staged := op.own[version]; staged {
		if err := op.mayForget(version); err != nil {
			return err
		}
	}
	abandoned := op.promotionTexts(version)
	if op.labels[labelPending] == version {
		if err := op.detach(labelPending); err != nil {
			return err
		}
	}
	if version == op.holder() {
		if err := op.dropOwnIntent(version); err != nil {
			return err
		}
	}
	for _, text := range abandoned {
		if err := op.detach(text); err != nil {
			return err
		}
	}
	if err := op.confirm(nil); err != nil {
		return err
	}
	return afterwards(op.clear(version))
}

// destroyPrevious ends with the label that makes the version previous.
func (op *write) destroyPrevious(version string) error {
	if op.isAnnounced(version) { // AWSCURRENT was moved back by hand
		for _, text := range op.promotionTexts(version) {
			if err := op.detach(text); err != nil {
				return err
			}
		}
	}
	last := labelPrevious
	switch kept := keepText(op.holder()); {
	case op.labels[kept] != version:
	case op.labels[labelPrevious] == version:
		if err := op.detach(kept); err != nil {
			return err
		}
	default:
		if err := op.detach(labelPrevious); err != nil {
			return err
		}
		last = kept
	}
	if err := op.detach(last); err != nil {
		return err
	}
	if err := op.confirm(nil); err != nil {
		return err
	}
	return afterwards(op.clear(version))
}
