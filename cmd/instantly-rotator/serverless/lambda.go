package serverless

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.uber.org/zap"
)

// RuntimeVariable is the environment variable by which AWS Lambda tells a program where it
// gets its events.
const RuntimeVariable = "AWS_LAMBDA_RUNTIME_API"

// CheckRuntime tells whether something listens where a program is told that it gets its events.
// What [Runner.ServeLambda] finds out about that, it ends the process with, without a word.
func CheckRuntime(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s=%s: Lambda's runtime API is not there, which gives events; elsewhere than in Lambda: instantly-rotator rotate --due: %w", RuntimeVariable, address, err)
	}
	return c.Close()
}

// ServeLambda takes events, one after the other, for as long as the process lives.
func (r *Runner) ServeLambda(ctx context.Context) {
	lambda.StartWithOptions(r.TakeEvent, lambda.WithContext(ctx))
}

// TakeEvent answers one event: a step of a rotation that Secrets Manager began, or anything
// else, which is taken for the tick of a schedule.
func (r *Runner) TakeEvent(ctx context.Context, event json.RawMessage) error {
	ctx, cancel := inTime(ctx)
	defer cancel()
	var o StepOrder
	if err := json.Unmarshal(event, &o); err != nil {
		return fmt.Errorf("read the event: want an object: %w", err)
	}
	var err error
	if o == (StepOrder{}) {
		err = r.Due(ctx)
	} else {
		err = r.TakeStep(ctx, o)
	}
	if err != nil {
		r.Log.Error("event", zap.String("step", string(o.Step)), zap.String("secret", o.Secret), zap.Error(err))
	}
	return err
}

// spare is how long before the end of its time a run is ended, so that what is in hand is
// finished: a value that is in memory only is stored.
const spare = 45 * time.Second

// inTime ends a run before Lambda ends the process.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	left := time.Until(end)
	// Not with that deadline: what is finished later must not find its time over.
	soft, cancel := context.WithCancel(context.WithoutCancel(ctx))
	timer := time.AfterFunc(left-min(spare, left/2), cancel)
	unhook := context.AfterFunc(ctx, cancel)
	return soft, func() {
		timer.Stop()
		unhook()
		cancel()
	}
}

// isFullName tells whether a secret is called by its ARN.
func isFullName(secret string) bool { return strings.HasPrefix(secret, "arn:") }
