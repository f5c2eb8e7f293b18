package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/serverless"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func (a *app) lambdaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lambda",
		Short: "Run as an AWS Lambda function: on a schedule, as AWS rotates",
		Long: `Run as an AWS Lambda function, for as long as Lambda lets it.

An event of a schedule does what "instantly-rotator rotate --due" does. The events by
which AWS Secrets Manager has a secret rotated (createSecret, setSecret, testSecret,
finishSecret) are answered for the target whose first store is that secret: rotation
may be enabled for it, and "aws secretsmanager rotate-secret" rotates its key.

Each event is answered by what is true in the store, so that one that comes twice, or
after the function was killed, does no harm. deploy/aws has what is needed for it.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.lambda(c.Context()) },
	}
}

func (a *app) lambda(ctx context.Context) error {
	runtime := a.getenv(serverless.RuntimeVariable)
	if runtime == "" {
		return usageError{errors.New("this is for AWS Lambda, which sets " + serverless.RuntimeVariable + "; elsewhere: instantly-rotator rotate --due")}
	}
	r, err := a.runner()
	if err != nil {
		return err
	}
	if err := serverless.CheckRuntime(ctx, runtime); err != nil {
		return usageError{err}
	}
	r.ServeLambda(ctx)
	return nil
}

// runner does what a cloud's events ask for.
func (a *app) runner() (*serverless.Runner, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	cfg, err := a.loadInto(log)
	if err != nil {
		return nil, err
	}
	return &serverless.Runner{
		Config: cfg, Now: a.now, Log: log,
		Open: func(ctx context.Context, target string, observe func(rotator.Event)) (serverless.Opened, error) {
			o := a.fleetOptions(cfg, log, false)
			o.Observe = observe
			f, err := fleet.Named(ctx, o, []string{target})
			if err != nil {
				return serverless.Opened{}, err
			}
			return serverless.Opened{Engine: f, Target: f.Targets[0], Close: f.Close}, nil
		},
		Due: func(ctx context.Context) error {
			return a.rotate(ctx, nil, rotateFlags{due: true, output: "table", timeout: defaultTimeout})
		},
	}, nil
}
