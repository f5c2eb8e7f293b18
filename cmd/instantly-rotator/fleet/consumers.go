package fleet

import (
	"context"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Gate makes what brings a target's consumers to a new key. One that cannot be
// made keeps the old key alive and lets the rotation go on.
func (c *Connections) Gate(ctx context.Context, k config.Key, after config.AfterPromote) rotator.Gate {
	target := k.Name
	switch {
	case after.AuditLog != nil:
		return c.auditLogGate(ctx, k, *after.AuditLog)
	case after.Restart != "":
		gate, err := c.restart(target, after)
		if err != nil {
			return consumers.Broken{What: "restart of " + after.Restart, Err: err}
		}
		return gate
	case len(after.Command) > 0:
		return consumers.NewCommand(target, after.Program, after.Command, c.EnvironmentForPrograms())
	default:
		gate, err := consumers.NewURL(target, after.URL)
		if err != nil {
			return consumers.Broken{What: "url", Err: err}
		}
		return gate
	}
}

func (c *Connections) auditLogGate(ctx context.Context, k config.Key, g config.AuditLogGate) rotator.Gate {
	client, err := c.auditLogOf(ctx, k)
	if err != nil {
		return consumers.Broken{What: "audit log", Err: err}
	}
	return consumers.NewAuditLog(client, consumers.AuditLogOptions{
		Quiet: g.Quiet, PassUnknown: g.PassUnknown, Now: c.Now,
		Warn: func(err error) { c.Log.Warn("audit log", zap.String("target", k.Name), zap.Error(err)) },
	})
}

func (c *Connections) restart(target string, after config.AfterPromote) (rotator.Gate, error) {
	cluster, err := c.cluster()
	if err != nil {
		return nil, err
	}
	return consumers.NewRestart(cluster, target, after.Restart, after.Namespace)
}

// cluster is the one that the process runs in, or else that of the kubeconfig.
func (c *Connections) cluster() (*kubernetescluster.Client, error) {
	var here kubernetescluster.Location
	return storekind.Share(c.env, here, func() (*kubernetescluster.Client, error) { return kubernetescluster.Connect(here) })
}

// EnvironmentForPrograms is the process's own without what the configuration names as
// secrets: programs have no use for the admin keys.
func (c *Connections) EnvironmentForPrograms() []string {
	var secrets []string
	for _, ws := range c.Config.Workspaces {
		secrets = append(secrets, ws.AdminKey.Env)
	}
	for _, r := range c.Config.Notify {
		secrets = append(secrets, r.URL.Env)
	}
	for _, s := range c.Config.Sinks {
		for _, credential := range s.Credentials {
			secrets = append(secrets, credential.Env)
		}
	}
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(secrets, name)
	})
}
