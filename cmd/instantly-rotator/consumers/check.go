package consumers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// checkable is a gate that can tell beforehand that it would not work.
type checkable interface {
	check(ctx context.Context) error
}

var _, _, _, _ checkable = Broken{}, (*Command)(nil), (*URL)(nil), (*Restart)(nil)

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

// check looks for the program, and does not run it.
func (c *Command) check(context.Context) error {
	if _, err := exec.LookPath(c.args[0]); err != nil {
		return fmt.Errorf("the program would not start: %w", err)
	}
	return nil
}

// check asks for the host's address, and does not call it: a hook may do something.
func (u *URL) check(ctx context.Context) error {
	if _, err := net.DefaultResolver.LookupHost(ctx, u.url.Hostname()); err != nil {
		return fmt.Errorf("its host cannot be found: %w", err)
	}
	return nil
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
