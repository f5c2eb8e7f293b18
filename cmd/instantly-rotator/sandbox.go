package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/loopback"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// sandboxFlags say where a sandbox serves and what it begins with.
type sandboxFlags struct {
	listen, state, adminKeyFile string
	adminScopes                 []string
	while                       string
	tlsCert, tlsKey             string
}

func (a *app) sandboxCommand() *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a stand-in for the Instantly API, to try things out",
		Long: `Serve a stand-in for the Instantly API on this machine. It keeps keys, members,
webhooks and an audit log, enforces scopes, and can be told to fail, on the same address:

  GET, PUT /_sandbox/faults        standing faults; PUT replaces the whole set
  POST, DELETE /_sandbox/inject    inject faults into single calls
  GET /_sandbox/keys               who is alive, without values
  DELETE /_sandbox/keys/ID         as somebody would by hand
  GET /_sandbox/calls              how often each route was called
  GET, POST /_sandbox/members      the people in it; POST adds or invites one
  POST /_sandbox/members/ID/accept   they accept the invitation
  PUT /_sandbox/members/ID/role      they get another role: {"role": "admin"}
  DELETE /_sandbox/members/ID        they leave
  POST /_sandbox/audit             plants an entry in the audit log
  GET, POST /_sandbox/webhooks     webhooks, without values; POST adds one
  DELETE /_sandbox/webhooks/ID       as somebody would by hand
  POST /_sandbox/events            one happens: {"event_type": "email_sent"}
  GET /_sandbox/deliveries         how many are under way

Nothing in it is worth protecting; its admin key is printed so that you can use it.
With --tls-cert and --tls-key it serves other machines too, such as the pods of a
cluster: whoever reaches it can use it.

` + faultHelp(),
		Example: `  instantly-rotator sandbox --listen 127.0.0.1:8086 --state sandbox.json
  # in the configuration: base_url: http://127.0.0.1:8086
  curl -X PUT http://127.0.0.1:8086/_sandbox/faults -d '{"unavailable": true}'
  curl -X POST http://127.0.0.1:8086/_sandbox/inject \
    -d '{"kind": "hang", "method": "DELETE", "times": 2}'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.sandbox(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8086", "`address` to serve on: of this machine only, unless with TLS")
	c.Flags().StringVar(&f.state, "state", "", "`file` that keeps the sandbox's keys over a restart")
	c.Flags().StringVar(&f.adminKeyFile, "admin-key-file", "", "`file` with the admin key to begin with; left out, one is made up")
	c.Flags().StringSliceVar(&f.adminScopes, "admin-scopes", nil, "`scopes` of a new sandbox's admin key, such as all:all")
	c.Flags().StringVar(&f.while, "while", "", "`file` whose removal ends the sandbox")
	c.Flags().StringVar(&f.tlsCert, "tls-cert", "", "`file` with the certificate, and those between it and its CA, to serve https with (PEM)")
	c.Flags().StringVar(&f.tlsKey, "tls-key", "", "`file` with the private key of --tls-cert (PEM)")
	return c
}

func (a *app) sandbox(ctx context.Context, f sandboxFlags) error {
	config, err := f.tls()
	if err != nil {
		return err
	}
	if err := checkReach(f.listen, config != nil); err != nil {
		return err
	}
	server, err := a.openSandbox(f)
	if err != nil {
		return err
	}
	defer server.Close()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.while != "" {
		if _, err := os.Stat(f.while); err != nil {
			return usageError{fmt.Errorf("--while: %w", err)}
		}
		go endWithout(ctx, f.while, cancel)
	}
	srv := &http.Server{Handler: server, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	serve, scheme := srv.Serve, "http"
	if config != nil {
		serve, scheme = func(l net.Listener) error { return srv.ServeTLS(l, "", "") }, "https"
	}
	a.introduce(scheme+"://"+ln.Addr().String(), server)
	if err := serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil // ended as asked
}

// endWithout ends something when a file is gone.
func endWithout(ctx context.Context, file string, end func()) {
	const pause = 500 * time.Millisecond
	for ctx.Err() == nil {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			end()
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// tls reads the certificate; nil if there is none to serve with.
func (f sandboxFlags) tls() (*tls.Config, error) {
	if f.tlsCert == "" && f.tlsKey == "" {
		return nil, nil
	}
	if f.tlsCert == "" || f.tlsKey == "" {
		return nil, usageError{errors.New("--tls-cert and --tls-key go together: give both files")}
	}
	pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return nil, usageError{fmt.Errorf("--tls-cert %s, --tls-key %s: %w", f.tlsCert, f.tlsKey, err)}
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// openSandbox makes the sandbox, or goes on with the one in the state file.
func (a *app) openSandbox(f sandboxFlags) (*sandbox.Server, error) {
	acme := sandbox.Workspace{ID: sandbox.DefaultWorkspaceID, Name: "Acme", AdminScopes: f.adminScopes}
	o := sandbox.Options{Now: a.now, StateFile: f.state, Workspaces: []sandbox.Workspace{acme}}
	if f.adminKeyFile == "" {
		return sandbox.Open(o)
	}
	data, err := os.ReadFile(f.adminKeyFile)
	if err != nil {
		return nil, usageError{fmt.Errorf("--admin-key-file: %w", err)}
	}
	key := secret.New(strings.TrimSpace(string(data)))
	if key.IsZero() {
		return nil, usageError{fmt.Errorf("--admin-key-file %s is empty", f.adminKeyFile)}
	}
	o.Workspaces[0].AdminKey = key
	server, err := sandbox.Open(o)
	if err == nil && !server.Workspaces()[0].AdminKey.Equal(key) {
		return nil, usageError{fmt.Errorf("--admin-key-file %s: the sandbox in %s has another admin key: leave one of the two out", f.adminKeyFile, f.state)}
	}
	return server, err
}

// introduce says how to use the sandbox.
func (a *app) introduce(url string, server *sandbox.Server) {
	w := server.Workspaces()[0]
	fmt.Fprintf(a.stdout, `Instantly sandbox on %s

  export INSTANTLY_ADMIN_KEY=%s
  workspace %q, organization_id %s
  in the configuration: base_url: %s
  faults:               curl %s/_sandbox/faults

Ctrl-C ends it.
`, url, w.AdminKey.Reveal(), w.Name, w.ID, url, url)
}

// checkReach keeps a sandbox without TLS to this machine: base_url takes plain
// http nowhere else, and keys would go over the wire in the clear.
func checkReach(listen string, encrypted bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %q: want host:port, such as 127.0.0.1:8086", listen)}
	}
	if !encrypted && !loopback.Host(host) {
		return usageError{fmt.Errorf("--listen %q: without TLS the sandbox serves this machine only: use 127.0.0.1 or [::1], or give --tls-cert and --tls-key", listen)}
	}
	return nil
}
