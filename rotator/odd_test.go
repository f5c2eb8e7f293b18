package rotator_test

import (
	"context"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// oddAPI bends some answers of the workspace.
type oddAPI struct {
	tappedAPI
	keys  func(context.Context, []instantly.Key) ([]instantly.Key, error)
	del   func(context.Context, string) error
	probe func(secret.Value, instantly.Probe) instantly.Probe
}

func (a oddAPI) Keys(ctx context.Context) ([]instantly.Key, error) {
	ks, err := a.tappedAPI.Keys(ctx)
	if err == nil && a.keys != nil {
		return a.keys(ctx, ks)
	}
	return ks, err
}

func (a oddAPI) DeleteKey(ctx context.Context, id string) error {
	if a.del != nil {
		if err := a.del(ctx, id); err != nil {
			return err
		}
	}
	return a.tappedAPI.DeleteKey(ctx, id)
}

func (a oddAPI) Probe(ctx context.Context, v secret.Value, s []string) instantly.Probe {
	p := a.tappedAPI.Probe(ctx, v, s)
	if a.probe != nil {
		return a.probe(v, p)
	}
	return p
}

func (in *instance) oddRun(req rotator.Request, odd oddAPI) rotator.Result {
	odd.tappedAPI = tappedAPI{in}
	t := in.target()
	t.Workspace = rotator.NewWorkspace("acme", odd, orgID)
	return in.rotator.Reconcile(context.Background(), t, req)
}

// at makes an instance whose clock is off.
func (in *instance) clock(off func() time.Duration) *instance {
	in.rotator = rotator.New(rotator.Options{
		Now: func() time.Time { return time.Now().Add(off()) },
		Observe: func(e rotator.Event) {
			in.mu2.Lock()
			defer in.mu2.Unlock()
			in.events = append(in.events, e)
		}})
	return in
}
