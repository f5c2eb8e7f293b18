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
	// Pass brings consumers to the new key, if that was not done yet, and tells
	// whether they have moved: nil if so, an error that wraps [ErrGateOpen] if
	// not yet, any other if it cannot be told. It does not wait for them. It is
	// asked again and again, by several instances: repeating it is harmless.
	Pass(ctx context.Context, m Move) error
}

// Move is what consumers are brought to, and from.
type Move struct {
	// KeyID is the new key's.
	KeyID string
	// Since is when the last store took the new key; zero, if a store cannot say. It is later
	// than the last time if a store had another key meanwhile: then consumers who moved since
	// then may have that one.
	Since time.Time
	// Old are the ids of the keys that it displaced and that are not gone yet.
	Old []string
}

// AskAgainError is the answer of a gate that will be the same before a certain time: it
// need not be asked again until then.
type AskAgainError struct {
	At  time.Time
	Err error
}

// Error implements error.
func (e *AskAgainError) Error() string { return e.Err.Error() }

// Unwrap implements errors.Unwrap.
func (e *AskAgainError) Unwrap() error { return e.Err }

func (r *run) converge(ctx context.Context, s Step) error {
	gate, m := r.target.Gates[s.Gate], r.view().move(s.ID)
	r.Gates[s.Gate] = gateResult{m, gateError(gate.Name(), gate.Pass(ctx, m))}
	return nil
}

// longestSurvey is how long a survey waits for one related target: the next run asks it again.
const longestSurvey = 30 * time.Second

// survey reads the stores of the targets that this one is kept apart from, and of the
// credential. One that cannot be read, or hangs, must not stop this one, nor hide what the
// others say.
func (r *run) survey(ctx context.Context, _ Step) error {
	first := r.Survey.first
	if first.IsZero() {
		first = r.now()
	}
	r.Survey = surveyed{done: true, first: first}
	r.surveyPeers(ctx)
	r.surveyCredential(ctx)
	return nil
}

// surveyPeers keeps the other targets of the group, of this process, from beginning until this
// run is over.
func (r *run) surveyPeers(ctx context.Context) {
	if r.Peers == 0 {
		return
	}
	if !r.ReadOnly && !r.lockGroup() {
		r.Survey.busy, r.Survey.name = true, "a related key that is being rotated"
		return
	}
	last := make([]time.Time, len(r.target.Peers))
	r.beside(len(last), func(i int) {
		ctx, cancel := context.WithTimeout(ctx, longestSurvey)
		defer cancel()
		if snap, err := readOther(ctx, r.target.Peers[i]); err == nil {
			last[i] = lastMove(snap)
		}
	})
	for i, at := range last {
		if at.After(r.Survey.last) {
			r.Survey.last, r.Survey.name = at, r.target.Peers[i].Name
		}
	}
}

// surveyCredential waits as long as the step may take: with a key that is being replaced nothing
// is begun.
func (r *run) surveyCredential(ctx context.Context) {
	if !r.Awaits {
		return
	}
	if snap, err := readOther(ctx, r.target.Awaits); err == nil {
		r.Survey.replacement = r.replacementOf(r.target.Awaits, snap)
	}
}

// readOther reads another target's store, which may hang.
func readOther(ctx context.Context, st NamedStore) (secretstore.Snapshot, error) {
	return within(ctx, func() (secretstore.Snapshot, error) { return st.Describe(ctx) })
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
func (r *run) lockGroup() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if by, taken := r.groups[r.target.Group]; taken && by != r {
		return false
	}
	r.groups[r.target.Group] = r
	return true
}

func (r *run) unlockGroup() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.groups[r.target.Group] == r {
		delete(r.groups, r.target.Group)
	}
}
