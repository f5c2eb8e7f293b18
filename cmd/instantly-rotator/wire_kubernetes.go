package main

import (
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
)

// openKubernetes opens one Kubernetes Secret.
func (w *wiring) openKubernetes(b config.KubernetesStore, secret string) (secretstore.Store, error) {
	c, err := w.cluster(b)
	if err != nil {
		return nil, err
	}
	o := kubernetessecret.Options{Namespace: b.Namespace, Secret: secret, Key: b.Key, Owner: w.cfg.Owner, Now: w.app.now}
	if b.CreateMissing {
		o.CreateMissing = &kubernetessecret.Create{Labels: b.Labels, Annotations: b.Annotations}
	}
	return c.Open(o)
}

// cluster connects to a cluster once, for all Secrets there.
func (w *wiring) cluster(b config.KubernetesStore) (*kubernetessecret.Cluster, error) {
	at := [2]string{b.Kubeconfig, b.Context}
	if c, ok := w.clusters[at]; ok {
		return c, nil
	}
	c, err := kubernetessecret.Connect(b.Kubeconfig, b.Context)
	if err != nil {
		return nil, err
	}
	w.clusters[at] = c
	return c, nil
}
