package serverless

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// A Step is one of those that Secrets Manager has a rotation function take, in this order.
// Each can come again, also after later ones.
type Step string

// The steps, and what is true when they are answered without an error.
const (
	// CreateSecret: the key of this rotation is in the store, pending or further.
	CreateSecret Step = "createSecret"
	// SetSecret: the same. Instantly knows a key since it was issued: there is nothing to set.
	SetSecret Step = "setSecret"
	// TestSecret: that key, as the store has it, works.
	TestSecret Step = "testSecret"
	// FinishSecret: it is current, or was.
	FinishSecret Step = "finishSecret"
)

// StepOrder is the event that Secrets Manager calls a rotation function with.
type StepOrder struct {
	Step   Step
	Secret string `json:"SecretId"`
	// Token names the rotation, and the version that is to become current.
	Token string `json:"ClientRequestToken"`
}

// rotation is one that Secrets Manager began, and the target that it is of.
type rotation struct {
	*Runner
	Opened
	store   storekind.Rotated
	token   string
	secret  string
	reached func(rotator.Event) bool // ends the run under way; nil: it goes on until settled
	stop    context.CancelFunc
}

// TakeStep answers a step by what is true, after doing what makes it true.
func (r *Runner) TakeStep(ctx context.Context, o StepOrder) error {
	if err := o.check(); err != nil {
		return err
	}
	key, err := r.find(o.Secret)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Step, err)
	}
	w := &rotation{Runner: r, token: o.Token, secret: o.Secret}
	if w.Opened, err = r.Open(ctx, key.Name, w.observe); err != nil {
		return fmt.Errorf("%s of target %s: %w", o.Step, key.Name, err)
	}
	defer w.Close()
	if err := w.take(ctx, o.Step); err != nil {
		return fmt.Errorf("%s of target %s: %w", o.Step, key.Name, err)
	}
	r.Log.Info("step of a rotation that AWS began", zap.String("step", string(o.Step)), zap.String("target", key.Name), zap.String("version", o.Token))
	return nil
}

func (o StepOrder) check() error {
	switch {
	case o.Secret == "" || o.Token == "":
		return errors.New("the event of a rotation wants SecretId and ClientRequestToken")
	case o.Step != CreateSecret && o.Step != SetSecret && o.Step != TestSecret && o.Step != FinishSecret:
		return fmt.Errorf("unknown step %q of a rotation: known are createSecret, setSecret, testSecret and finishSecret", o.Step)
	default:
		return nil
	}
}

func (w *rotation) take(ctx context.Context, step Step) error {
	var ok bool
	if w.store, ok = w.primary().Store.(storekind.Rotated); !ok {
		if _, err := w.primary().Describe(ctx); err != nil {
			return err // it could not be opened
		}
		return errors.New("the service of its first store begins no rotations")
	}
	p, err := w.progress(ctx)
	if err != nil {
		return err
	}
	switch p.State {
	case storekind.Promoted, storekind.Displaced:
		if step == TestSecret && p.State == storekind.Promoted {
			return w.testCurrent(ctx)
		}
		return nil
	case storekind.NeverBegun:
		return fmt.Errorf("the secret has no version %s: it was given up, or Secrets Manager did not begin that rotation", w.token)
	case storekind.PutByOthers:
		return w.takeOthers(ctx, step)
	case storekind.Begun, storekind.Staged:
	}
	switch step {
	case CreateSecret:
		return w.create(ctx, p)
	case SetSecret:
		return w.set(p)
	case TestSecret:
		return w.test(ctx, p)
	default:
		return w.finish(ctx, p)
	}
}

func (w *rotation) primary() rotator.NamedStore { return w.Target.Stores[0] }

// progress reads how far the rotation has come. The secret must be the one that was told of:
// there may be one of the same name in the account of the credentials.
func (w *rotation) progress(ctx context.Context) (storekind.Progress, error) {
	p, err := w.store.Begun(ctx, w.token)
	if err == nil && p.Secret != w.secret && isFullName(w.secret) {
		err = fmt.Errorf("the credentials lead to another secret, %s, than the %s that was told of: %w", p.Secret, w.secret, ErrNotOurs)
	}
	return p, err
}

// create has a key issued and stored, and leaves it pending.
func (w *rotation) create(ctx context.Context, p storekind.Progress) error {
	if p.State == storekind.Staged {
		return nil
	}
	primary := w.primary().Name
	res := w.run(ctx, rotator.Request{RotateSince: w.Now()}, func(e rotator.Event) bool {
		return e.Verb == rotator.Stage && e.Store == primary
	})
	return w.want(ctx, storekind.Staged, res)
}

func (w *rotation) set(p storekind.Progress) error {
	if p.State == storekind.Begun {
		return errors.New("no key has been stored for it yet")
	}
	return nil
}

// test has the engine verify the pending key as the store has it. Where Secrets Manager only
// tries whether rotation is configured well, there is none: then the current one is tested.
// A secret that webhooks send works when it is current, and is not tested before.
func (w *rotation) test(ctx context.Context, p storekind.Progress) error {
	if p.State == storekind.Begun {
		return w.testCurrent(ctx)
	}
	if w.Target.Senders != nil {
		return nil
	}
	primary, valid := w.primary().Name, false
	res := w.run(ctx, rotator.Request{}, func(e rotator.Event) bool {
		valid = valid || e.Verb == rotator.Verify && e.Store == primary && e.KeyID == p.KeyID && e.Verdict == rotator.Valid.String()
		return valid
	})
	if valid {
		return nil
	}
	return fmt.Errorf("key %s is not known to work: %w", p.KeyID, whyNot(res))
}

// finish has the engine go on, until nothing is left to do now.
func (w *rotation) finish(ctx context.Context, p storekind.Progress) error {
	if err := w.set(p); err != nil {
		return err
	}
	return w.want(ctx, storekind.Promoted, w.run(ctx, rotator.Request{}, nil))
}

// takeOthers is for a version that something else has put a value into. Where that is the
// current one, Secrets Manager only tries whether rotation is configured well.
func (w *rotation) takeOthers(ctx context.Context, step Step) error {
	if step == TestSecret {
		store := w.primary().Store
		_, current, err := fleet.Current(ctx, store)
		if err != nil {
			return err
		}
		value, err := store.Read(ctx, w.token)
		if err != nil {
			return err
		}
		if value.Equal(current) {
			return w.testCurrent(ctx)
		}
	}
	return fmt.Errorf("something else has put a value into version %s; no rotation begins before it is current or given up", w.token)
}

// testCurrent tests the key that consumers of the secret have.
func (w *rotation) testCurrent(ctx context.Context) error {
	for _, v := range w.Verify(ctx, []rotator.Target{w.Target}) {
		if v.Store != w.primary().Name || v.Verdict == rotator.Valid {
			continue
		}
		if errors.Is(v.Err, secretstore.ErrNotFound) {
			return errors.New("the secret has no current key")
		}
		return fmt.Errorf("the current key %s is not known to work: %w", v.KeyID, v.Err)
	}
	return nil
}

// want answers by what the store says after a run.
func (w *rotation) want(ctx context.Context, least storekind.State, res rotator.Result) error {
	p, err := w.progress(context.WithoutCancel(ctx))
	switch {
	case err != nil:
		return errors.Join(err, res.Err)
	case p.State < least:
		return whyNot(res)
	default:
		return nil
	}
}

// run has the engine reconcile the target, until something is reached.
func (w *rotation) run(ctx context.Context, req rotator.Request, reached func(rotator.Event) bool) rotator.Result {
	ctx, w.stop = context.WithCancel(ctx)
	defer w.stop()
	w.reached = reached
	return w.reconcile(ctx, req)
}

func (w *rotation) observe(e rotator.Event) {
	if w.reached != nil && e.Err == nil && w.reached(e) {
		w.stop()
	}
}
