package consumers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// checkable is a gate that can tell beforehand that it would not work.
type checkable interface {
	check(ctx context.Context) error
}

var _, _, _, _, _ checkable = Broken{}, (*Command)(nil), (*URL)(nil), (*Restart)(nil), (*AuditLog)(nil)

// ErrUncheckable: nobody can tell beforehand whether a gate would work.
var ErrUncheckable = errors.New("cannot be checked beforehand")

// Check tells why a gate would not work, without restarting, running or calling
// anything; nil if nothing speaks against it.
func Check(ctx context.Context, g rotator.Gate) error {
	c, ok := g.(checkable)
	if !ok {
		return ErrUncheckable
	}
	return c.check(ctx)
}

func (b Broken) check(context.Context) error { return b.Err }

// check looks for the program and what interprets it, and does not run it.
func (c *Command) check(context.Context) error {
	path, err := exec.LookPath(c.args[0])
	if err != nil {
		return fmt.Errorf("the program would not start: %w", err)
	}
	interpreter := interpreterOf(path)
	if interpreter == "" {
		return nil
	}
	if _, err := exec.LookPath(interpreter); err != nil {
		return fmt.Errorf("the program %s would not start: its interpreter: %w", path, err)
	}
	return nil
}

// interpreterOf gives what the first line of a script names; empty if the file is none,
// or cannot be read, which a program need not be.
func interpreterOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	const most = 256 // of which kernels look at no more
	head, _ := io.ReadAll(io.LimitReader(f, most))
	line, _, _ := strings.Cut(string(head), "\n")
	named, isScript := strings.CutPrefix(line, "#!")
	if !isScript {
		return ""
	}
	interpreter, _, _ := strings.Cut(strings.Trim(named, " \t"), " ")
	return interpreter
}

// check connects, by way of the proxy if there is one, and sends nothing: a hook may do
// something.
func (u *URL) check(ctx context.Context) error {
	to := u.url
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u.url}); err == nil && proxy != nil {
		to = proxy
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addressOf(to))
	if err != nil {
		return fmt.Errorf("it cannot be reached: %w", err)
	}
	_ = conn.Close() // nothing was sent
	return nil
}

// addressOf gives host and port.
func addressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "http":
		port = "80"
	default: // a proxy that speaks SOCKS
		port = "1080"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// check reads the workload, and asks whether it may be changed.
func (r *Restart) check(ctx context.Context) error {
	w, err := r.get(ctx)
	if err != nil {
		return err
	}
	patch := kubernetescluster.Access{Verb: "patch", Group: "apps", Resource: r.kind + "s", Namespace: r.namespace, Name: r.name}
	allowed, err := r.cluster.Allowed(ctx, patch)
	switch {
	case err != nil:
		return fmt.Errorf("may it be restarted? %w: %w", ErrUncheckable, err)
	case !allowed:
		return fmt.Errorf("the role needs %s", patch)
	case w.blocked != "":
		return fmt.Errorf("it would not restart%s", w.blocked)
	default:
		return nil
	}
}
