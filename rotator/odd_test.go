package rotator_test

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// oddAPI bends some answers of the workspace.
type oddAPI struct {
	rotatortest.API
	keys  func(context.Context, []rotator.Key) ([]rotator.Key, error)
	del   func(context.Context, string) error
	probe func(secret.Value, rotator.TestCall) rotator.TestCall
}

func (a oddAPI) List(ctx context.Context) ([]rotator.Key, error) {
	ks, err := a.API.List(ctx)
	if err == nil && a.keys != nil {
		return a.keys(ctx, ks)
	}
	return ks, err
}

func (a oddAPI) Revoke(ctx context.Context, id string) error {
	if a.del != nil {
		if err := a.del(ctx, id); err != nil {
			return err
		}
	}
	return a.API.Revoke(ctx, id)
}

func (a oddAPI) Test(ctx context.Context, v secret.Value, s secretstore.Spec) rotator.TestCall {
	p := a.API.Test(ctx, v, s)
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
