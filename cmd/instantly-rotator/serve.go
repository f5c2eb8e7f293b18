package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/serverless"
)

// serveFlags say whom the service answers, and where.
type serveFlags struct {
	listen   string
	audience string
	accounts []string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer Cloud Scheduler and Secret Manager's messages, as a Cloud Run service",
		Long: `Answer requests of Google Cloud, as a Cloud Run service, for as long as it runs.

  POST /due      does what "instantly-rotator rotate --due" does: for Cloud Scheduler
  POST /pubsub   takes what Pub/Sub pushes: at the message SECRET_ROTATE of Secret Manager
                 the target is rotated whose first store is that secret. A message that
                 comes twice rotates once

Each request needs a token of Google's for --audience, of one of the accounts named with
--caller. deploy/gcp has what is needed for it.`,
		Example: `  instantly-rotator serve --audience https://rotator.example.com \
    --caller rotator-caller@PROJECT.iam.gserviceaccount.com`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "", "`address` to answer on (default: the port in PORT, as Cloud Run sets it)")
	c.Flags().StringVar(&f.audience, "audience", "", "what the tokens are for: the `URL` that was given to whoever calls")
	c.Flags().StringSliceVar(&f.accounts, "caller", nil, "`address` of a service account that may call; may be repeated")
	return c
}

func (a *app) serve(ctx context.Context, f serveFlags) error {
	if port := a.getenv("PORT"); f.listen == "" && port != "" {
		f.listen = ":" + port
	}
	switch {
	case f.listen == "":
		return usageError{errors.New("serve wants --listen, or PORT in the environment")}
	case f.audience == "" || len(f.accounts) == 0:
		return usageError{errors.New("serve wants --audience and --caller: nobody else may call")}
	}
	r, err := a.runner()
	if err != nil {
		return err
	}
	callers, err := serverless.NewCallers(ctx, &http.Client{Timeout: 10 * time.Second}, f.audience, f.accounts)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", f.listen, err)
	}
	r.Log.Info("listening", zap.String("address", listener.Addr().String()))
	return serveUntil(ctx, serverless.Site{Runner: r, Who: callers.Who}.Server(), listener)
}

// serveUntil answers until ctx ends. Answers under way then end after their step in hand.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return server.Shutdown(last)
}
