package vaultkv_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// world is a server, and what sits before it.
type world struct {
	server *vaulttest.Server
	tap    *wire.Tap
}

func newWorld(e vaulttest.Engine) *world { return &world{vaulttest.New(e), &wire.Tap{}} }

// connect gives a client as a process of its own has it.
func (w *world) connect(t testing.TB, tap *wire.Tap, auth vaultkv.Auth) *vaultkv.Client {
	t.Helper()
	site := vaultkv.Site{Address: "https://vault.test", Namespace: w.server.Namespace, Auth: auth}
	c, err := vaultkv.Connect(site, tap.Wrap(wire.Direct(w.server)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) open(t testing.TB, path string, changes ...func(*vaultkv.Options)) *vaultkv.Store {
	t.Helper()
	return w.openAs(t, path, vaultkv.Auth{TokenFile: tokenFile(t, vaulttest.RootToken)}, changes...)
}

func (w *world) openAs(t testing.TB, path string, auth vaultkv.Auth, changes ...func(*vaultkv.Options)) *vaultkv.Store {
	t.Helper()
	o := vaultkv.Options{Mount: vaulttest.Mount, Path: path, Owner: "prod"}
	for _, change := range changes {
		change(&o)
	}
	s, err := w.connect(t, w.tap, auth).Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh gives a path where the rotator has written nothing but empty notes.
func (w *world) fresh(t testing.TB, changes ...func(*vaultkv.Options)) string {
	t.Helper()
	path := newPath()
	steps.Must(t, w.open(t, path, changes...), steps.Write{Name: "begin", Call: func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(ctx, seen, secretstore.Notes{})
	}})
	return path
}

// put is what a person does who knows nothing of the rotator.
func (w *world) put(path, value string) {
	w.server.Put(path, map[string]any{"api_key": value})
}

var paths atomic.Int64

func newPath() string { return fmt.Sprintf("growth/sending-%d", paths.Add(1)) }
