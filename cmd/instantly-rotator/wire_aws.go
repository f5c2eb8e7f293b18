package main

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
)

// openAWS opens one secret in AWS Secrets Manager.
func (w *wiring) openAWS(ctx context.Context, b config.AWSStore, name string) (secretstore.Store, error) {
	form, err := b.Form()
	if err != nil {
		return nil, err
	}
	site := awssecretsmanager.Site{
		Region: b.Region, Profile: b.Profile, Endpoint: b.Endpoint,
		AssumeRole: awssecretsmanager.AssumeRole{ARN: b.RoleARN, ExternalID: b.ExternalID},
	}
	c := w.connectAWS(ctx, site.Of(name))
	if c.err != nil {
		return nil, c.err
	}
	o := awssecretsmanager.Options{Secret: name, Payload: form, Owner: w.cfg.Owner, Now: w.app.now}
	if b.CreateMissing {
		o.Create = &awssecretsmanager.Create{KMSKeyID: b.KMSKeyID, Tags: b.Tags}
	}
	return c.client.Open(o), nil
}

// An awsConnection is a client, or the reason why there is none.
type awsConnection struct {
	client *awssecretsmanager.Client
	err    error
}

// connectAWS connects to a site once, for all secrets there: a role is taken on
// once, not for each of them.
func (w *wiring) connectAWS(ctx context.Context, site awssecretsmanager.Site) awsConnection {
	c, known := w.aws[site]
	if !known {
		c.client, c.err = awssecretsmanager.Connect(ctx, site)
		w.aws[site] = c
	}
	return c
}
