package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/service"
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
		Short: "Keep all targets fresh, for as long as it runs",
		Long: `Keep all targets of the configuration fresh, for as long as it runs.

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
  /readyz           has every target been checked? Yes while it stands by
  /metrics          for Prometheus
  /                 a page for people: what needs somebody, each key's life, and
                    what auditors ask for; it asks for the token by a form
  /api/v1/targets   what "status -o json" prints, as last seen
  /api/v1/audit     the last audit`,
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
	written := service.StampOf(a.configPath)
	cfg, err := a.loadInto(log)
	if err != nil {
		return err
	}
	s := service.New(cfg, service.Options{
		ConfigPath: a.configPath, Written: written, GivenConfig: a.givenConfig(), Version: version(), Revision: revision(), Now: a.now, Getenv: a.getenv, Log: log,
		Collector: a.stdout,
		Listen:    f.listen, Token: token, ShutdownTimeout: f.shutdownTimeout,
		Elect: f.elect, Namespace: f.electNamespace, LeaseName: f.electName,
	})
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	return s.Run(ctx, hup)
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
