package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var listen, state string
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a stand-in for the Instantly API, to try a configuration against",
		Long: `Serve a stand-in for the Instantly API on this machine. It keeps keys, enforces
scopes, and can be told to fail, on the same address:

  GET, PUT /_sandbox/faults        standing faults; PUT replaces the whole set
  POST, DELETE /_sandbox/inject    strike single calls
  GET /_sandbox/keys               who is alive, without values
  DELETE /_sandbox/keys/ID         as somebody would by hand
  GET /_sandbox/calls              how often each route was called

Nothing in it is worth protecting; its admin key is printed so that you can use it.`,
		Example: `  instantly-rotator sandbox --listen 127.0.0.1:8086 --state sandbox.json
  # in the configuration: base_url: http://127.0.0.1:8086
  curl -X PUT http://127.0.0.1:8086/_sandbox/faults -d '{"unavailable": true}'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.sandbox(c.Context(), listen, state) },
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8086", "loopback `address` to serve on")
	c.Flags().StringVar(&state, "state", "", "`file` that keeps the sandbox's keys over a restart")
	return c
}

func (a *app) sandbox(ctx context.Context, listen, state string) error {
	if err := checkLoopback(listen); err != nil {
		return err
	}
	server, err := sandbox.Open(sandbox.Options{Now: a.now, StateFile: state})
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	a.introduce(ln.Addr().String(), server)
	srv := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil // ended as asked
}

// introduce says how to use the sandbox.
func (a *app) introduce(addr string, server *sandbox.Server) {
	w := server.Workspaces()[0]
	fmt.Fprintf(a.stdout, `Instantly sandbox on http://%s

  export INSTANTLY_ADMIN_KEY=%s
  workspace %q, organization_id %s
  in the configuration: base_url: http://%s
  faults:               curl http://%s/_sandbox/faults

Ctrl-C ends it.
`, addr, w.AdminKey.Reveal(), w.Name, w.ID, addr, addr)
}

// checkLoopback keeps the sandbox to this machine: whoever reaches it can use it.
func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %q: want host:port, such as 127.0.0.1:8086", listen)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError{fmt.Errorf("--listen %q: the sandbox serves this machine only: use 127.0.0.1 or [::1]", listen)}
	}
	return nil
}
