// Package serverless has the targets kept fresh where no process of ours lives on: a cloud's
// scheduler, or its secret manager, sends an event, and the answer says what came of it.
//
//   - AWS: a Lambda function, see [Runner.ServeLambda]. On a schedule it does what is due, and
//     it answers the steps of the rotations that Secrets Manager begins (steps.go).
//   - GCP: an HTTP service, see [Site]. Cloud Scheduler asks it to do what is due, Secret
//     Manager, by Pub/Sub, to rotate a secret. It believes only those that it knows (token.go).
//
// An event orders, and is not believed to know: what to do, and whether it is done, is read
// from the store, so that one that comes twice, late, or after a process was killed does no
// harm.
package serverless

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Runner does what events ask for.
type Runner struct {
	Config *config.Config
	Now    func() time.Time
	Log    *zap.Logger
	// Open makes the engine and one target; observe is told of its steps.
	Open func(ctx context.Context, target string, observe func(rotator.Event)) (Opened, error)
	// Due does what is due of all targets.
	Due func(ctx context.Context) error
}

// Engine is what the engine does with targets: see [rotator.Rotator].
type Engine interface {
	ReconcileAll(ctx context.Context, ts []rotator.Target, req rotator.Request, done func(rotator.Result)) []rotator.Result
	Verify(ctx context.Context, ts []rotator.Target) []rotator.Verification
}

// Opened is a target, ready to be rotated. Whoever opened it closes it.
type Opened struct {
	Engine
	Target rotator.Target
	Close  func()
}

func (o Opened) reconcile(ctx context.Context, req rotator.Request) rotator.Result {
	return o.ReconcileAll(ctx, []rotator.Target{o.Target}, req, nil)[0]
}

// ErrNotOurs: an event is about a secret that no target of the configuration is kept in first.
var ErrNotOurs = errors.New("no target keeps its key in that secret first")

// find gives the target whose primary store is the secret that a service calls so.
func (r *Runner) find(called string) (config.Key, error) {
	found, err := r.candidates(called)
	switch {
	case err != nil:
		return config.Key{}, err
	case len(found) > 1:
		return config.Key{}, ambiguous(called, found)
	default:
		return found[0], nil
	}
}

func ambiguous(called string, found []config.Key) error {
	return fmt.Errorf("secret %s: the first store of %s is called like it: name the secrets by their full names in the configuration", called, names(found))
}

// candidates are the targets whose primary store may be that secret, as far as the
// configuration tells; there is one at least.
func (r *Runner) candidates(called string) ([]config.Key, error) {
	var found, follows []config.Key
	for _, k := range r.Config.Keys {
		for i, ref := range k.Stores {
			named, ok := r.Config.Stores[ref.Store].Settings.(storekind.Named)
			switch {
			case !ok || !named.IsSecret(ref.Secret, called):
			case i == 0:
				found = append(found, k)
			default:
				follows = append(follows, k)
			}
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case len(follows) > 0:
		return nil, fmt.Errorf("secret %s: %w: it follows the first store of %s; rotation is to be enabled there", called, ErrNotOurs, names(follows))
	default:
		return nil, fmt.Errorf("secret %s: %w; the configuration has %s", called, ErrNotOurs, names(r.Config.Keys))
	}
}

func names(keys []config.Key) string {
	var out []string
	for _, k := range keys {
		out = append(out, k.Name)
	}
	return strings.Join(out, ", ")
}

// whyNot says why a run did not come to what was asked for.
func whyNot(res rotator.Result) error {
	switch {
	case res.Err != nil:
		return res.Err
	case res.Interrupted:
		return errors.New("the time is over; the next run goes on")
	case res.Delay != "":
		return errors.New(res.Delay)
	case res.Why != "":
		return errors.New("not yet: " + res.Why)
	default:
		return errors.New("nothing is to be done")
	}
}
