package rotator_test

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// oddAPI bends some answers of the workspace.
type oddAPI struct {
	rotatortest.API
	keys  func(context.Context, []instantly.Key) ([]instantly.Key, error)
	del   func(context.Context, string) error
	probe func(secret.Value, instantly.Probe) instantly.Probe
}

func (a oddAPI) Keys(ctx context.Context) ([]instantly.Key, error) {
	ks, err := a.API.Keys(ctx)
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
	return a.API.DeleteKey(ctx, id)
}

func (a oddAPI) Probe(ctx context.Context, v secret.Value, s []string) instantly.Probe {
	p := a.API.Probe(ctx, v, s)
	if a.probe != nil {
		return a.probe(v, p)
	}
	return p
}

// oddRun is a run of an instance that sees the workspace so.
func oddRun(in *instance, req rotator.Request, odd oddAPI) rotator.Result {
	odd.API = in.API()
	t := in.Target()
	t.Workspace = rotator.NewWorkspace("acme", odd, rotatortest.Organization)
	return in.Rotator.Reconcile(context.Background(), t, req)
}
