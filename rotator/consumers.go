package rotator

import (
	"context"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Gate is a condition that must hold before an old key is revoked.
type Gate interface {
	// Name says what is waited for: "rollout of deployment/web".
	Name() string
	// Pass brings consumers to the key, if that was not done yet, and tells
	// whether they have moved: nil if so, an error that wraps [ErrGateOpen] if
	// not yet, any other if it cannot be told. It does not wait for them. It is
	// asked again and again, by several instances: repeating it is harmless.
	Pass(ctx context.Context, keyID string) error
}

func (w *run) converge(ctx context.Context, s Step) error {
	gate := w.target.Gates[s.Gate]
	w.Gates[s.Gate] = gateResult{s.ID, gateError(gate.Name(), gate.Pass(ctx, s.ID))}
	return nil
}

// survey looks at the targets that this one is kept apart from, and keeps the
// others of this process from beginning until this run is over. A target whose
// store cannot be read must not stop this one.
func (w *run) survey(ctx context.Context, _ Step) error {
	w.Survey = surveyed{done: true}
	if !w.Looking && !w.lockGroup() {
		w.Survey.busy, w.Survey.name = true, "a related key that is being rotated"
		return nil
	}
	for _, mate := range w.target.Mates {
		snap, err := mate.Describe(ctx)
		if at := lastMove(snap); err == nil && at.After(w.Survey.last) {
			w.Survey.last, w.Survey.name = at, mate.Name
		}
	}
	return nil
}

// lastMove is when the target got its current key, or began to get the next.
func lastMove(snap secretstore.Snapshot) time.Time {
	last := snap.Notes.Intent.At
	for _, ver := range []secretstore.Version{snap.Versions[secretstore.Current], snap.Versions[secretstore.Pending]} {
		for _, at := range []time.Time{ver.Promoted, ver.Intent.At} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// lockGroup takes the group's turn for this run; false if another has it.
func (w *run) lockGroup() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if by, taken := w.groups[w.target.Group]; taken && by != w {
		return false
	}
	w.groups[w.target.Group] = w
	return true
}

func (w *run) unlockGroup() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.groups[w.target.Group] == w {
		delete(w.groups, w.target.Group)
	}
}
