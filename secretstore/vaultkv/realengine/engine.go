package realengine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// An Engine is HashiCorp's, on a storage in memory.
type Engine struct {
	backend logical.Backend
	// Storage is all that it keeps.
	Storage logical.Storage
}

var _ vaulttest.Engine = Engine{}

// New makes one and waits until it is ready.
func New(ctx context.Context) (Engine, error) {
	storage := &logical.InmemStorage{}
	cfg := &logical.BackendConfig{
		StorageView: storage, BackendUUID: "0193a7c2-5a10-7c3e-9b1f-0000000000ff", Logger: hclog.NewNullLogger(),
		Config: map[string]string{"version": "2"},
		System: &logical.StaticSystemView{DefaultLeaseTTLVal: time.Hour, MaxLeaseTTLVal: time.Hour},
	}
	backend, err := kv.Factory(ctx, cfg)
	if err != nil {
		return Engine{}, fmt.Errorf("make the engine: %w", err)
	}
	e := Engine{backend, storage}
	if err := backend.Initialize(ctx, &logical.InitializationRequest{Storage: storage}); err != nil {
		e.Close(ctx)
		return Engine{}, fmt.Errorf("initialize the engine: %w", err)
	}
	for {
		_, _, errs := e.Do(vaulttest.Request{Operation: "read", Path: "data/none"})
		if !strings.Contains(fmt.Sprint(errs), "Upgrading") {
			return e, nil
		}
		if ctx.Err() != nil {
			e.Close(context.WithoutCancel(ctx))
			return Engine{}, fmt.Errorf("wait for the engine: %w", ctx.Err())
		}
		time.Sleep(time.Millisecond)
	}
}

// Close ends what it does beside requests.
func (e Engine) Close(ctx context.Context) { e.backend.Cleanup(ctx) }

// Do implements [vaulttest.Engine], as Vault's router and HTTP handler do.
func (e Engine) Do(r vaulttest.Request) (int, map[string]any, []string) {
	operation := map[string]logical.Operation{
		"read": logical.ReadOperation, "create": logical.CreateOperation, "update": logical.UpdateOperation, "delete": logical.DeleteOperation,
	}[r.Operation]
	res, err := e.backend.HandleRequest(context.Background(), &logical.Request{
		Operation: operation, Path: r.Path, Data: r.Data, Storage: e.Storage, MountPoint: vaulttest.Mount + "/",
	})
	switch {
	case res != nil && res.IsError():
		return http.StatusBadRequest, nil, []string{res.Error().Error()}
	case errors.Is(err, logical.ErrUnsupportedOperation), errors.Is(err, logical.ErrUnsupportedPath):
		return http.StatusMethodNotAllowed, nil, []string{err.Error()}
	case err != nil:
		return http.StatusInternalServerError, nil, []string{err.Error()}
	case res == nil && operation == logical.ReadOperation:
		return http.StatusNotFound, nil, nil
	case res == nil || res.Data == nil:
		return http.StatusNoContent, nil, nil
	}
	if status, told := res.Data[logical.HTTPStatusCode].(int); told {
		return status, inRawBody(res.Data), nil
	}
	return http.StatusOK, res.Data, nil
}

// inRawBody takes the data out of a response that says its own status.
func inRawBody(data map[string]any) map[string]any {
	raw, _ := data[logical.HTTPRawBody].(string)
	var body struct {
		Data map[string]any `json:"data"`
	}
	if json.Unmarshal([]byte(raw), &body) != nil {
		return nil
	}
	return body.Data
}
