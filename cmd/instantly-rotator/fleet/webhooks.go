package fleet

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
)

// hooks are what the secrets of a workspace's webhooks have in common.
type hooks struct {
	client    *instantly.Client
	workspace *rotator.Workspace
}

// webhooks make a target of a secret that webhooks send: what they are, and where their
// secrets are made.
func (c *Connections) webhooks(ctx context.Context, k config.Key) (rotator.Senders, *rotator.Workspace) {
	bound, ok := c.hooks[k.Workspace]
	if !ok {
		bound = c.bindHooks(ctx, c.Config.Workspaces[k.Workspace])
		c.hooks[k.Workspace] = bound
	}
	w := k.Webhooks
	return webhooksecret.Webhooks{
		Client:   bound.client,
		Selector: selectorOf(w),
		Header:   w.Header, Format: w.Format, Test: w.Test,
	}, bound.workspace
}

func selectorOf(w *config.Webhooks) webhooksecret.Selector {
	return webhooksecret.Selector{IDs: w.IDs, URL: w.URL, Name: w.Name, EventType: w.EventType}
}

// SecretOf gives the target whose secret a webhook of a workspace is to send; nil if none.
func SecretOf(cfg *config.Config, workspace string, hook instantly.Webhook) *config.Key {
	for i := range cfg.Keys {
		if k := &cfg.Keys[i]; k.Webhooks != nil && k.Workspace == workspace && selectorOf(k.Webhooks).Chooses(hook) {
			return k
		}
	}
	return nil
}

func (c *Connections) bindHooks(ctx context.Context, cfg config.Workspace) hooks {
	client, err := c.Shared(ctx, cfg.Name) // and so its limit of requests
	if err != nil {
		return hooks{workspace: rotator.NewWorkspace(cfg.Name, unreachable{err}, cfg.OrganizationID)}
	}
	issuer := webhooksecret.Issuer{Now: c.Now, Of: client.Organization}
	return hooks{client, rotator.NewWorkspace(cfg.Name, issuer, cfg.OrganizationID)}
}
