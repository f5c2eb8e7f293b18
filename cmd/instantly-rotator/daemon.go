package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// daemonFlags say how the daemon runs; what it runs is in the configuration.
type daemonFlags struct {
	listen          string
	tokenFile       string
	shutdownTimeout time.Duration
	elect           bool
	electNamespace  string
	electName       string
}

func (a *app) daemonCommand() *cobra.Command {
	var f daemonFlags
	c := &cobra.Command{
		Use:   "daemon",
		Short: "Keep all keys fresh, for as long as it runs",
		Long: `Keep all keys of the configuration fresh, for as long as it runs.

It wakes when something falls due: a tick of a schedule, the end of a grace
period, a retry. What is due is in the stores, so that a restart loses nothing
and rotates nothing by itself; a tick that was missed is made up for once.

A changed configuration is taken over by itself, at once on SIGHUP; one with
mistakes is refused, and the one in force stays. SIGTERM ends it after the step
in hand. Under systemd it tells when it is ready and feeds the watchdog.

With --leader-elect, of several instances one works, and the others stand by to
take over within seconds. It saves requests; safety does not hang on it.

It answers on --listen:
  /healthz          does the process work?
  /readyz           has every key been looked at? Yes while it stands by
  /metrics          for Prometheus
  /api/v1/targets   what "status -o json" prints, as last seen`,
		Example: `  instantly-rotator daemon --config /etc/instantly-rotator/config.yaml`,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.daemon(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "`address` to answer on; \"\" for none. On more than this machine it wants --token-file")
	c.Flags().StringVar(&f.tokenFile, "token-file", "", "`file` with the bearer token that all but the health checks ask for")
	c.Flags().BoolVar(&f.elect, "leader-elect", false, "stand by while another instance holds a Lease of the Kubernetes cluster")
	c.Flags().StringVar(&f.electNamespace, "leader-elect-namespace", "", "`namespace` of the Lease (default: POD_NAMESPACE, else the pod's own)")
	c.Flags().StringVar(&f.electName, "leader-elect-name", "instantly-rotator", "`name` of the Lease")
	c.Flags().DurationVar(&f.shutdownTimeout, "shutdown-timeout", 30*time.Second, "how long the steps in hand may take after SIGTERM")
	return c
}

// errStuck: steps in hand did not end in time.
var errStuck = errors.New("did not end in time")

func (a *app) daemon(ctx context.Context, f daemonFlags) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	token, err := f.token()
	if err != nil {
		return err
	}
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(50) // it idles: a little more work for less memory
	}
	s, err := a.newService(log)
	if err != nil {
		return err
	}
	election, err := s.election(f)
	if err != nil {
		return err
	}
	server, err := s.serve(ctx, f.listen, token)
	if err != nil {
		return err
	}
	defer server.stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go s.watch(watching, hup)
	return s.run(ctx, election, f.shutdownTimeout)
}

// token reads the bearer token. To be reachable from other machines without one
// is refused.
func (f daemonFlags) token() (secret.Value, error) {
	if _, _, err := net.SplitHostPort(f.listen); f.listen != "" && err != nil {
		return secret.Value{}, usageError{fmt.Errorf("--listen %q: want HOST:PORT, such as 127.0.0.1:8080", f.listen)}
	}
	if f.tokenFile == "" {
		if f.listen == "" || daemon.Loopback(f.listen) {
			return secret.Value{}, nil
		}
		return secret.Value{}, usageError{fmt.Errorf("--listen %s can be reached from other machines, so it wants --token-file: "+
			"a file with a bearer token for metrics and targets (or listen on 127.0.0.1)", f.listen)}
	}
	data, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return secret.Value{}, usageError{fmt.Errorf("--token-file: %w", err)}
	}
	token := secret.New(strings.TrimSpace(string(data)))
	if token.IsZero() {
		return token, usageError{fmt.Errorf("--token-file %s is empty", f.tokenFile)}
	}
	return token, nil
}

// httpServer is a server that runs, or none.
type httpServer struct{ *http.Server }

// serve begins to answer. An empty address means none.
func (s *service) serve(ctx context.Context, address string, token secret.Value) (httpServer, error) {
	if address == "" {
		return httpServer{}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return httpServer{}, fmt.Errorf("--listen %s: %w", address, err)
	}
	site := daemon.Site{Alive: s.alive, Ready: s.ready, StandsBy: s.standsBy, Targets: s.targets, Metrics: s.metrics.Handler(), Token: token}
	server := site.Server()
	s.log.Info("listening", zap.String("address", listener.Addr().String()))
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("http server", zap.Error(err))
		}
	}()
	return httpServer{server}, nil
}

// stop ends the server; answers under way have a moment.
func (h httpServer) stop() {
	if h.Server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if h.Shutdown(ctx) != nil {
		_ = h.Close()
	}
}
