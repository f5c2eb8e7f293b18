package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
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
		Short: "Answer Google's scheduler and messages, as a Cloud Run service",
		Long: `Answer requests of Google Cloud, as a Cloud Run service, for as long as it runs.

  POST /due      does what is due, as rotate --due does: for Cloud Scheduler
  POST /pubsub   takes what Pub/Sub pushes: at Secret Manager's SECRET_ROTATE
                 the target is rotated whose first store is that secret. A
                 message that comes twice rotates once

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
	if err := f.check(a.getenv("PORT")); err != nil {
		return usageError{err}
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

// check completes the flags by what Cloud Run says, and refuses what can serve nobody.
func (f *serveFlags) check(port string) error {
	switch {
	case f.listen != "":
		if _, number, err := net.SplitHostPort(f.listen); err != nil || !isPort(number) {
			return fmt.Errorf("--listen %q: want host:port, such as 127.0.0.1:8080", f.listen)
		}
	case port == "":
		return errors.New("serve wants --listen, or PORT in the environment")
	case !isPort(port):
		return fmt.Errorf("PORT=%s in the environment: want a number up to 65535, or --listen", port)
	default:
		f.listen = ":" + port
	}
	if f.audience == "" || len(f.accounts) == 0 {
		return errors.New("serve wants --audience and --caller: nobody else may call")
	}
	for _, account := range f.accounts {
		if !isServiceAccount(account) {
			return fmt.Errorf("--caller %q: want the address of a service account, such as rotator-caller@PROJECT.iam.gserviceaccount.com", account)
		}
	}
	return nil
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// isServiceAccount tells whether an account can be one that Google's tokens for services are of.
func isServiceAccount(address string) bool {
	return regexp.MustCompile(`^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$`).MatchString(address)
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
