package rotator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// maxSteps is far more than any run needs: a guard against rules that undo each
// other.
const maxSteps = 10_000

// handOver is how long an interrupted run may go on to bring a key that it has
// in hand into the store.
const handOver = 30 * time.Second

// A run reconciles one target once. Its State is what decide sees; beside it are
// the things decide must not see: secret values, the stores themselves.
type run struct {
	*Rotator
	target Target
	req    Request
	State
	clock moment // the newest moment given out
	mark  int    // a key list must be begun after this

	value  secret.Value           // of the key in hand
	read   map[place]secret.Value // values read back in this run
	probed []probed               // values tested in this run
	result Result

	prechecked bool  // the admin key was checked beside the first list
	precheck   error // what that said

	nonce    string // of the intent that this run wrote last
	salvaged int    // see lookAgain
	carried  error  // failed sweeps: told at the end
}

// probed is a value and what its test call said.
type probed struct {
	value secret.Value
	probe instantly.Probe
	at    time.Time
}

func (r *Rotator) newRun(t Target, req Request, mark int) *run {
	w := &run{Rotator: r, target: t, req: req, mark: mark, read: make(map[place]secret.Value)}
	w.State = State{
		Target: t.Name, Instance: r.opts.Instance, Tests: make(map[place]test), Revoked: make(map[string]time.Time),
		Unswept: make(map[string]bool),
	}
	for _, st := range t.Stores {
		w.Stores = append(w.Stores, StoreState{Name: st.Name})
	}
	w.Gates, w.Mates = make([]gateResult, len(t.Gates)), len(t.Mates)
	w.result.Target = t.Name
	return w
}

func (w *run) now() time.Time { return w.opts.Now() }

// tick gives the next moment.
func (w *run) tick() moment {
	w.clock++
	return w.clock
}

func (w *run) reconcile(ctx context.Context) (res Result) {
	defer recovered(func(err error) {
		w.result.Err = err
		res = w.result
	})
	defer w.unlockGroup()
	var interrupted time.Time
	for range maxSteps {
		if ctx.Err() != nil {
			if interrupted.IsZero() {
				interrupted = w.now()
			}
			if w.InHand == nil || w.now().Sub(interrupted) >= handOver {
				return w.interrupted()
			}
		}
		step := decide(w.now(), w.State, w.target.Policy, w.req)
		switch step.Verb {
		case Settled:
			return w.settled(ctx, step)
		case Stop:
			w.tell(step, 0, step.Err)
			return w.failed(ctx, step, step.Err)
		default:
		}
		if !w.wait(ctx, step.At) {
			continue
		}
		if err := w.attempt(ctx, step); err != nil {
			return w.failed(ctx, step, err)
		}
	}
	w.tell(Step{Verb: Stop}, 0, ErrTooManySteps)
	return w.failed(ctx, Step{Verb: Stop}, ErrTooManySteps)
}

// recovered turns a panic into an error: one target's bug must not stop the
// others. What was panicked with may hold anything, so only its type is told.
func recovered(report func(error)) {
	if p := recover(); p != nil {
		report(fmt.Errorf("%w: panic with a %T", ErrPanic, p))
	}
}

// attempt takes a step and tells of it. An error ends the run, but for a
// conflict: then the rules decide, which let a loser stand back.
func (w *run) attempt(ctx context.Context, step Step) error {
	begun, asked := w.now(), ctx
	if step.Verb.Effect() || w.InHand != nil {
		ctx = context.WithoutCancel(ctx) // mere looking may be cut off, an effect may not
	}
	ctx, cancel := context.WithTimeout(ctx, w.opts.StepTimeout)
	defer cancel()
	err := step.Verb.action().perform(w, ctx, step)
	if err != nil && asked.Err() != nil && !step.Verb.Effect() && w.InHand == nil {
		return nil // interrupted: the loop sees to it
	}
	w.tell(step, w.now().Sub(begun), err)
	switch {
	case errors.Is(err, secretstore.ErrConflict):
		return w.lookAgain(ctx, step, err)
	case err != nil && w.InHand != nil:
		return w.lookAgain(ctx, step, err)
	case err != nil && step.Verb.action().carried:
		w.Unswept[step.ID] = true
		w.carried = errors.Join(w.carried, err)
		return nil
	default:
		return err
	}
}

// maxSalvage is how often a run looks again after a write that failed or met a
// conflict.
const maxSalvage = 3

// lookAgain lets the rules decide after a conflict, or after a key in hand could
// not be stored: it may have arrived all the same, or fit now. A conflict with a
// store that nobody has changed is not a lost race but an error.
func (w *run) lookAgain(ctx context.Context, step Step, cause error) error {
	seen := w.Stores[max(step.Store, 0)].Revision
	if w.salvaged++; w.salvaged > maxSalvage {
		return cause
	}
	w.readStores(ctx)
	if w.primary().Err != nil {
		return cause
	}
	if errors.Is(cause, secretstore.ErrConflict) {
		if w.Stores[max(step.Store, 0)].Revision == seen {
			return cause
		}
		if step.Verb != Declare { // an order is given whatever happens beside it
			w.LostRace = cause
		}
	}
	if w.InHand != nil && w.referenced(w.InHand.ID) {
		w.letGo()
	}
	return nil
}

// wait sleeps until at; false if ctx ended first.
func (w *run) wait(ctx context.Context, at time.Time) bool {
	d := at.Sub(w.now())
	if at.IsZero() || d <= 0 {
		return true
	}
	if ctx.Err() != nil && w.InHand != nil {
		ctx = context.WithoutCancel(ctx) // handOver bounds it
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *run) settled(ctx context.Context, step Step) Result {
	if w.carried != nil {
		return w.failed(ctx, Step{Verb: Sweep}, w.carried)
	}
	w.conclude()
	w.account(step, nil)
	w.result.Outlook = w.describe(step)
	w.result.Next, w.result.Why, w.result.Failing, w.result.Waiting = step.At, step.Reason, step.Failing, step.Waiting
	w.tell(step, 0, nil)
	return w.result
}

func (w *run) interrupted() Result {
	w.conclude()
	w.result.Outlook = w.describe(Step{Verb: Stop, Reason: "interrupted"})
	w.result.Interrupted = true
	return w.result
}

func (w *run) failed(ctx context.Context, step Step, err error) Result {
	w.conclude()
	w.account(step, err)
	w.result.Err, w.result.Step = err, tried(step)
	w.recordFailure(ctx, step, err)
	w.result.Outlook = w.describe(Step{Verb: Stop, ID: step.ID, Err: err, Reason: err.Error()})
	if w.primary().Seen == 0 {
		w.result.Outlook.Err = err // not even the stores were read
	}
	return w.result
}

func (w *run) conclude() {
	w.result.Rotated = w.Rotated
	if cur, ok := w.current(0); ok && !cur.Foreign {
		w.result.KeyID = cur.ID
	}
}

// recordable tells whether a failure is one of an attempt: those count for
// backoff. What could not be read, what a person has to undo, and what is no
// failure at all costs nothing to try again, and shows at every look.
func recordable(step Step, err error) bool {
	if step.Verb == Stop {
		return matches(err, func(c Class) bool { return c.Attempt })
	}
	return step.Verb.action().retried && !errors.Is(err, ErrLostRace)
}

// recordFailure writes the failure beside the secret, for backoff and for
// whoever asks. Best effort: if the store cannot take it, the error is told all
// the same.
func (w *run) recordFailure(ctx context.Context, step Step, err error) {
	if !recordable(step, err) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.opts.StepTimeout)
	defer cancel()
	w.readStores(ctx) // what the failed step left is not known
	if w.primary().Err != nil || w.takenOver() {
		return
	}
	notes := w.primary().Notes
	if w.Vain != "" && notes.Intent.Nonce == w.Vain {
		notes.Intent = secretstore.Intent{} // whoever comes next decides by what is there then
	}
	notes.Failure = secretstore.Failure{
		Count: notes.Failure.Count + 1, At: w.now(), Step: string(tried(step)), Reason: shorten(err.Error()),
	}
	_ = w.annotate(ctx, notes)
}

// tried is what a step, or the one it stopped at, was to do.
func tried(s Step) Verb {
	if s.While != "" {
		return s.While
	}
	return s.Verb
}

// takenOver tells whether another instance goes on in the place of this one: a
// write would only get in its way.
func (w *run) takenOver() bool {
	nonce := w.primary().Notes.Intent.Nonce
	return w.nonce != "" && nonce != "" && nonce != w.nonce
}

// shorten cuts a reason to what stores take, at a character's border, and to one
// line of plain text: people see it in tables.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) <= secretstore.MaxReason {
		return s
	}
	cut := 0
	for i := range s {
		if i > secretstore.MaxReason-len("…") {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}

func (w *run) tell(step Step, took time.Duration, err error) {
	e := Event{
		At: w.now(), Target: w.target.Name, Workspace: w.target.Workspace.Name,
		Verb: step.Verb, KeyID: step.ID, Reason: step.Reason, Took: took, Err: err,
	}
	a := step.Verb.action()
	if step.Store >= 0 && a.store {
		e.Store = w.target.Stores[step.Store].Name
	}
	if step.Verb == Issue && w.InHand != nil {
		e.KeyID = w.InHand.ID
	}
	if t, ok := w.Tests[place{step.Store, step.ID}]; a.verdict && ok && err == nil {
		e.Verdict = t.Verdict.String()
	}
	w.opts.Observe(e)
}

// keyed names a key in an error.
func keyed(id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("key %s: %w", id, err)
}
