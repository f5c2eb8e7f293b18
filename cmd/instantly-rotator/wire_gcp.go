package main

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
)

// openGCP opens one secret in GCP Secret Manager.
func (w *wiring) openGCP(ctx context.Context, b config.GCPStore, secret string) (secretstore.Store, error) {
	form, err := b.Form()
	if err != nil {
		return nil, err
	}
	c := w.connectGCP(ctx, gcpsecretmanager.Site{Location: b.Location, Impersonate: b.Impersonate, Endpoint: b.Endpoint})
	if c.err != nil {
		return nil, c.err
	}
	o := gcpsecretmanager.Options{
		Project: b.Project, Secret: secret, Owner: w.cfg.Owner,
		Payload: form, KeepVersions: b.KeepVersions, Disable: b.Disable, Now: w.app.now,
	}
	if b.CreateMissing {
		o.CreateMissing = &gcpsecretmanager.Create{Replication: b.Replication, KMSKey: b.KMSKey, Labels: b.Labels}
	}
	return c.client.Open(o)
}

// A gcpConnection is a client, or the reason why there is none: to look for
// credentials may take long, so it is done once.
type gcpConnection struct {
	client *gcpsecretmanager.Client
	err    error
}

// connectGCP connects to a site once, for all secrets there.
func (w *wiring) connectGCP(ctx context.Context, site gcpsecretmanager.Site) gcpConnection {
	c, known := w.gcp[site]
	if !known {
		c.client, c.err = gcpsecretmanager.Connect(ctx, site)
		w.gcp[site] = c
	}
	return c
}

func (c gcpConnection) close() {
	if c.err == nil {
		_ = c.client.Close() // nothing is lost by it
	}
}
