package main

import (
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
)

// openKubernetes opens one Kubernetes Secret.
func (w *wiring) openKubernetes(b config.KubernetesStore, secret string) (secretstore.Store, error) {
	c, err := w.cluster(b.Kubeconfig, b.Context)
	if err != nil {
		return nil, err
	}
	o := kubernetessecret.Options{Namespace: b.Namespace, Secret: secret, Key: b.Key, Owner: w.cfg.Owner, Now: w.app.now}
	if b.CreateMissing {
		o.CreateMissing = &kubernetessecret.Create{Labels: b.Labels, Annotations: b.Annotations}
	}
	return kubernetessecret.Open(c, o)
}

// cluster connects to a cluster once, for all Secrets and workloads there.
func (w *wiring) cluster(kubeconfig, context string) (*kubernetescluster.Client, error) {
	at := [2]string{kubeconfig, context}
	if c, ok := w.clusters[at]; ok {
		return c, nil
	}
	c, err := kubernetescluster.Connect(kubeconfig, context)
	if err != nil {
		return nil, err
	}
	w.clusters[at] = c
	return c, nil
}
