package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
)

// A world is one target with its store, and Instantly, in this process: the real
// engine, client and stores, on stand-ins for the services, without sockets.
type world struct {
	trace
	box   *sandbox.Server
	store secretstore.Store
	kind  string
	ends  []func()
}

// kinds of stores, in the report's order.
func kinds() []string { return []string{"file", "aws", "gcp", "kubernetes"} }

func newWorld(ctx context.Context, kind, dir string, latency time.Duration) (*world, error) {
	w := &world{kind: kind, trace: trace{latency: latency}}
	w.box = sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}})
	var err error
	switch kind {
	case "aws":
		w.store, err = w.onAWS(ctx)
	case "gcp":
		w.store, err = w.onGCP(ctx)
	case "kubernetes":
		w.store, err = w.onKubernetes()
	default:
		w.store, err = filestore.Open(filestore.Options{Dir: filepath.Join(dir, "key"), Identity: filepath.Join(dir, "identity")})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return w, nil
}

func (w *world) close() {
	for _, end := range w.ends {
		end()
	}
}

func (w *world) onAWS(ctx context.Context) (secretstore.Store, error) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	c, err := awssecretsmanager.Connect(ctx, awssecretsmanager.Site{Region: awstest.Region, HTTPClient: doer{&w.trace, awstest.New(nil)}})
	if err != nil {
		return nil, err
	}
	return c.Open(awssecretsmanager.Options{Secret: "sending", Owner: "bench", Create: &awssecretsmanager.Create{}}), nil
}

func (w *world) onGCP(ctx context.Context) (secretstore.Store, error) {
	server := gcptest.New()
	w.ends = append(w.ends, server.Close)
	server.Make("sending")
	options, err := server.ClientOptions(grpc.WithUnaryInterceptor(w.unary))
	if err != nil {
		return nil, err
	}
	c, err := gcpsecretmanager.Connect(ctx, gcpsecretmanager.Site{}, options...)
	if err != nil {
		return nil, err
	}
	w.ends = append(w.ends, func() { _ = c.Close() })
	return c.Open(gcpsecretmanager.Options{Project: gcptest.Project, Secret: "sending"})
}

func (w *world) onKubernetes() (secretstore.Store, error) {
	cfg := kubetest.New("bench").Config()
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return transport{&w.trace, "kubernetes", verb, next} })
	c, err := kubernetescluster.New(cfg, "bench")
	if err != nil {
		return nil, err
	}
	return kubernetessecret.Open(c, kubernetessecret.Options{Secret: "sending", CreateMissing: &kubernetessecret.Create{}})
}

// A scene is what one run of a fresh engine did.
type scene struct {
	rotator.Result
	took  time.Duration
	calls []*call
}

// run reconciles the target as a command does: with nothing remembered.
func (w *world) run(ctx context.Context, req rotator.Request) (scene, error) {
	client, err := instantly.NewClient(instantly.Options{
		AdminKey: w.box.Workspaces()[0].AdminKey, Pacer: instantly.NewPacer(100),
		Transport: transport{&w.trace, atInstantly, route, sandbox.Transport(w.box)},
	})
	if err != nil {
		return scene{}, err
	}
	engine := rotator.New(rotator.Options{Observe: w.stepped})
	target := rotator.Target{
		Name: "sending", Workspace: rotator.NewWorkspace("main", apikeys.New(client), ""),
		Policy: rotator.Policy{
			Owner: "bench", Spec: "campaigns:read", Grace: 24 * time.Hour,
			Activation: time.Minute, Revocation: 10 * time.Minute,
		},
		Stores: []rotator.NamedStore{{Name: w.kind, Store: w.store}},
	}
	w.drain()
	begun := time.Now()
	res := engine.Reconcile(ctx, target, req)
	took := time.Since(begun)
	if res.Err != nil {
		return scene{}, fmt.Errorf("%s: %w", w.kind, res.Err)
	}
	return scene{res, took, w.drain()}, nil
}

// life is the first key, a rotation, and the end of the old key.
func (w *world) life(ctx context.Context) (rotation, end scene, err error) {
	if _, err = w.run(ctx, rotator.Request{}); err != nil {
		return scene{}, scene{}, err
	}
	// Times are kept to the millisecond: what was promoted in this one counts as asked for.
	time.Sleep(2 * time.Millisecond)
	if rotation, err = w.run(ctx, rotator.Request{RotateSince: time.Now()}); err != nil {
		return scene{}, scene{}, err
	}
	end, err = w.run(ctx, rotator.Request{EndGrace: true})
	if err == nil && (!rotation.Rotated || len(end.Revoked) != 1) {
		err = fmt.Errorf("%s: the rotation did not do what is measured: %+v, %+v", w.kind, rotation.Result, end.Result)
	}
	return rotation, end, err
}
