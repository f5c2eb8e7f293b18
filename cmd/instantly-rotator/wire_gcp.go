package main

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
)

// openGCP opens one secret in GCP Secret Manager.
func (w *wiring) openGCP(b config.GCPStore, secret string) (secretstore.Store, error) {
	form, err := b.Form()
	if err != nil {
		return nil, err
	}
	o := gcpsecretmanager.Options{
		Project: b.Project, Location: b.Location, Secret: secret, Impersonate: b.Impersonate, Endpoint: b.Endpoint,
		Owner: w.cfg.Owner, KeepVersions: b.KeepVersions, Disable: b.Disable, Payload: form, Now: w.app.now,
	}
	if b.CreateMissing {
		o.CreateMissing = &gcpsecretmanager.Create{Replication: b.Replication, KMSKey: b.KMSKey, Labels: b.Labels}
	}
	// Credentials are renewed under the context for as long as the store is used.
	return gcpsecretmanager.Open(context.Background(), o)
}
