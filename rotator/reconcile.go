package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// maxSteps is far more than any run needs: a guard against rules that undo each
// other.
const maxSteps = 10_000

// handOver is how long an interrupted run may go on with what is unfinished.
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
	sends  sends                  // what senders were seen to send
	read   map[place]secret.Value // values read back in this run
	probed []probed               // values tested in this run
	result Result

	prechecked bool  // the admin key was checked beside the first list
	precheck   error // what that said

	nonce   string // of the intent that this run wrote last
	rereads int    // see reread
	carried error  // failed sweeps: told at the end
}

// probed is a value and what its test call said.
type probed struct {
	value secret.Value
	probe TestCall
	at    time.Time
}

func (r *Rotator) newRun(t Target, req Request, mark int) *run {
	w := &run{Rotator: r, target: t, req: req, mark: mark, read: make(map[place]secret.Value), State: State{
		Target: t.Name, Instance: r.opts.Instance, Tests: make(map[place]test), Revoked: make(map[string]time.Time),
		Unswept: make(map[string]bool), GivenUp: make(map[string]bool), Twins: make(map[place]bool),
	}}
	if w.Sent = t.Senders != nil; w.Sent {
		w.Confirmed, w.Switched, w.HadOther = make(map[string]test), make(map[string]bool), make(map[string]bool)
	}
	for _, st := range t.Stores {
		w.Stores = append(w.Stores, StoreState{Name: st.Name})
	}
	w.Sinks = sinkStates(t)
	w.Gates, w.Peers = make([]gateResult, len(t.Gates)), len(t.Peers)
	w.Credential, w.Awaits = t.Credential, t.Awaits.Store != nil
	w.result.Target = t.Name
	return w
}

// unfinished tells whether the run should not end here, though it is interrupted: a value is
// in memory only, or a sender was switched and may be refused.
func (r *run) unfinished() bool { return r.InHand != nil || r.InDoubt }

// decide names the next step, by the order that the kind of secret has.
func (r *run) decide() Step {
	if r.Sent {
		return decideSender(r.now(), r.State, r.target.Policy, r.req)
	}
	return decide(r.now(), r.State, r.target.Policy, r.req)
}

// view is what the rules see, to an effect that asks what they ask.
func (r *run) view() *view {
	return &view{now: r.now(), State: r.State, policy: r.target.Policy, request: r.req}
}

func (r *run) now() time.Time { return r.opts.Now() }

// tick gives the next moment.
func (r *run) tick() moment {
	r.clock++
	return r.clock
}

func (r *run) reconcile(ctx context.Context) (res Result) {
	defer recovered(func(err error) {
		r.result.Err = err
		res = r.result
	})
	defer r.unlockGroup()
	defer r.opts.Doing(r.target.Name, Step{})
	var interrupted time.Time
	for range maxSteps {
		if ctx.Err() != nil {
			if interrupted.IsZero() {
				interrupted = r.now()
			}
			if !r.unfinished() || r.now().Sub(interrupted) >= handOver {
				return r.interrupted()
			}
		}
		step := r.decide()
		switch step.Verb {
		case Settled:
			return r.settled(ctx, step)
		case Stop:
			r.tell(step, 0, step.Err)
			return r.failed(ctx, step, step.Err)
		default:
		}
		r.opts.Doing(r.target.Name, step)
		if !r.wait(ctx, step.At) {
			continue
		}
		if err := r.attempt(ctx, step); err != nil {
			return r.failed(ctx, step, err)
		}
	}
	r.tell(Step{Verb: Stop}, 0, ErrTooManySteps)
	return r.failed(ctx, Step{Verb: Stop}, ErrTooManySteps)
}

// recovered turns a panic into an error: one target's bug must not stop the
// others. What was panicked with may hold anything, so only its type is told.
func recovered(report func(error)) {
	if p := recover(); p != nil {
		report(fmt.Errorf("%w: panic with a %T", ErrPanic, p))
	}
}

// madeError is why a run ends with a step that was made: what the step was for is in vain.
type madeError struct{ because error }

func (e madeError) Error() string { return e.because.Error() }
func (e madeError) Unwrap() error { return e.because }

// made ends the run with the step's error, if it has one, after the step was made.
func made(s Step) error {
	if s.Err == nil {
		return nil
	}
	return madeError{s.Err}
}

// notMade is the error of a step that was not made: of one that was, the trail must not say that
// it failed.
func notMade(err error) error {
	if errors.As(err, new(madeError)) {
		return nil
	}
	return err
}

// attempt takes a step and tells of it. An error ends the run, but for a
// conflict: then the rules decide, which let a loser stand back.
func (r *run) attempt(ctx context.Context, step Step) error {
	begun, asked := r.now(), ctx
	if step.Verb.Effect() || r.unfinished() {
		ctx = context.WithoutCancel(ctx) // mere reading may be cut off, an effect may not
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.StepTimeout)
	defer cancel()
	done, err := r.intend(step)
	if err == nil {
		err = step.Verb.action().perform(r, ctx, step)
		done(notMade(err))
	}
	if err != nil && asked.Err() != nil && !step.Verb.Effect() && !r.unfinished() {
		return nil // interrupted: the loop sees to it
	}
	r.tell(step, r.now().Sub(begun), err)
	switch {
	case ofSink(err):
		return nil
	case errors.Is(err, secretstore.ErrConflict):
		return r.reread(ctx, step, err)
	case err != nil && r.InHand != nil:
		return r.reread(ctx, step, err)
	case err != nil && step.Verb.action().carried:
		r.Unswept[step.ID] = true
		r.carried = errors.Join(r.carried, err)
		return nil
	default:
		return err
	}
}

// maxRereads is how often a run reads again after a write that failed or met a
// conflict. Who declared an incident goes on more often: of two who come between each
// other one at least gets through, since who gives up writes no more.
const (
	maxRereads           = 3
	maxRereadsInIncident = 10
)

// reread lets the rules decide after a conflict, or after a key in hand could
// not be stored: it may have arrived all the same, or fit now. A conflict with a
// store that nobody has changed is not a lost race but an error.
func (r *run) reread(ctx context.Context, step Step, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.StepTimeout) // the step may have used up its time
	defer cancel()
	if r.req.Incident != "" && errors.Is(cause, secretstore.ErrConflict) {
		return r.insist(ctx, cause)
	}
	seen := r.Stores[max(step.Store, 0)].Revision
	if r.rereads++; r.rereads > maxRereads {
		return cause
	}
	r.readStores(ctx)
	if r.primary().Err != nil {
		return cause
	}
	if errors.Is(cause, secretstore.ErrConflict) {
		if r.Stores[max(step.Store, 0)].Revision == seen {
			return cause
		}
		if step.Verb != Declare { // a directive is given whatever happens beside it
			r.LostRace = cause
		}
	}
	r.forgetIfStored()
	return nil
}

// insist reads again after a conflict, and goes on: keys are in wrong hands.
func (r *run) insist(ctx context.Context, cause error) error {
	if r.rereads++; r.rereads > maxRereadsInIncident {
		return fmt.Errorf("%w: %w", ErrLostRace, cause)
	}
	r.readStores(ctx)
	if r.primary().Err != nil {
		return cause
	}
	r.forgetIfStored()
	return nil
}

// forgetIfStored forgets the key in hand if a store has it after all.
func (r *run) forgetIfStored() {
	if r.InHand != nil && r.referenced(r.InHand.ID) {
		r.forgetInHand()
	}
}

// wait sleeps until at; false if ctx ended first.
func (r *run) wait(ctx context.Context, at time.Time) bool {
	d := at.Sub(r.now())
	if at.IsZero() || d <= 0 {
		return true
	}
	if ctx.Err() != nil && r.unfinished() {
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

func (r *run) settled(ctx context.Context, step Step) Result {
	if r.carried != nil {
		return r.failed(ctx, Step{Verb: Sweep}, r.carried)
	}
	r.conclude()
	r.account(step, nil)
	r.result.Status = r.describe(step)
	r.result.Next, r.result.Why, r.result.Failing = step.At, step.Reason, step.Failing
	r.result.Waiting, r.result.Delay = step.Waiting, step.Delay
	r.tell(step, 0, nil)
	return r.result
}

func (r *run) interrupted() Result {
	r.conclude()
	r.result.Status = r.describe(Step{Verb: Stop, Reason: "interrupted"})
	r.result.Interrupted = true
	return r.result
}

func (r *run) failed(ctx context.Context, step Step, err error) Result {
	r.conclude()
	r.account(step, err)
	r.result.Err, r.result.Step = err, tried(step)
	r.recordFailure(ctx, step, err)
	r.result.Status = r.describe(Step{Verb: Stop, ID: step.ID, Err: err, Reason: err.Error()})
	if r.primary().Seen == 0 {
		r.result.Status.Err = err // not even the stores were read
	}
	return r.result
}

func (r *run) conclude() {
	r.result.Rotated = r.Rotated
	v := r.view()
	_, blind := r.unreadable()
	r.result.Answered = !r.Declared && !blind && v.answered()
	if noted := r.incident(); v.named(noted) && noted.ID != shorten(r.req.Incident) {
		r.result.CarriedOnAs = noted.ID
	}
	if cur, ok := r.current(0); ok && !cur.Foreign {
		r.result.KeyID = cur.ID
	}
}

func (r *run) tell(step Step, took time.Duration, err error) {
	e := Event{
		At: r.now(), Target: r.target.Name, Workspace: r.target.Workspace.Name,
		Verb: step.Verb, KeyID: step.ID, Reason: step.Reason, Since: step.Since, Until: step.Until, Took: took, Err: err,
	}
	a := step.Verb.action()
	if step.Store >= 0 && a.store {
		e.Store = r.target.Stores[step.Store].Name
	}
	if a.sink {
		e.Sink = r.Sinks[step.Sink].Name
	}
	_, e.Adopted = r.adoption(step.ID)
	e.Sent = r.target.Senders != nil
	if step.Verb == Issue && r.InHand != nil {
		e.KeyID = r.InHand.ID
	}
	if t, ok := r.Tests[place{step.Store, step.ID}]; a.verdict && ok && err == nil {
		e.Verdict = t.Verdict.String()
	}
	r.tellOfSender(step, &e)
	r.opts.Observe(e)
}

// tellOfSender adds what a step has to do with a sender.
func (r *run) tellOfSender(step Step, e *Event) {
	switch step.Verb {
	case Switch, SwitchBack, Resume, Confirm:
		e.Sender = r.Senders[step.Sender].Name
	default:
		return
	}
	if step.Verb == Confirm && e.Err == nil {
		e.Verdict = r.Confirmed[r.Senders[step.Sender].ID].Verdict.String()
	}
}

// keyed names a key in an error.
func keyed(id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("key %s: %w", id, err)
}
