package vaultkv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// world is a server, and what sits before it.
type world struct {
	server *vaulttest.Server
	tap    *vaulttest.Tap
}

func newWorld(e vaulttest.Engine) *world { return &world{vaulttest.New(e), &vaulttest.Tap{}} }

// connect gives a client as a process of its own has it.
func (w *world) connect(t testing.TB, tap *vaulttest.Tap, auth vaultkv.Auth) *vaultkv.Client {
	t.Helper()
	site := vaultkv.Site{Address: "http://vault.test", Namespace: w.server.Namespace, Auth: auth}
	c, err := vaultkv.Connect(site, tap.Wrap(vaulttest.Direct(w.server)))
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
	must(t, w.open(t, path, changes...), write{"begin", func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
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

func valueOf(id string) secret.Value { return secret.New("value-of-" + id) }

func version(id string) secretstore.Version {
	return secretstore.Version{ID: id, Name: "name-of-" + id, Account: "org", Intent: secretstore.Intent{
		Nonce: "nonce-" + id, At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Spec: "campaigns:read", Grace: time.Hour,
	}}
}

func promotedAt() time.Time { return time.Date(2026, 3, 5, 6, 7, 8, 0, time.UTC) }

// A write is one of the four, with everything but the snapshot filled in.
type write struct {
	name string
	call func(context.Context, secretstore.Store, secretstore.Snapshot) (secretstore.Snapshot, error)
}

func annotating(reason string) write {
	return write{"annotate " + reason, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(ctx, seen, secretstore.Notes{Failure: secretstore.Failure{Count: 1, At: promotedAt(), Step: "verify", Reason: reason}})
	}}
}

func reserving(id string) write {
	return write{"reserve " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(ctx, seen, secretstore.Notes{Intent: version(id).Intent})
	}}
}

func staging(id string) write {
	return write{"stage " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(ctx, seen, version(id), valueOf(id))
	}}
}

func promoting(id string) write {
	return write{"promote " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(ctx, seen, id, promotedAt())
	}}
}

func destroying(id string) write {
	return write{"destroy " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(ctx, seen, id)
	}}
}

// rotation is the life of one key after another, as writes.
func rotation() []write {
	return []write{
		reserving("a"), staging("a"), promoting("a"),
		reserving("b"), staging("b"), promoting("b"), destroying("a"),
		staging("c"), destroying("c"), annotating("tired"),
	}
}

func describe(t testing.TB, s secretstore.Store) secretstore.Snapshot {
	t.Helper()
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// must makes writes that succeed, each on a snapshot of its own.
func must(t testing.TB, s secretstore.Store, writes ...write) secretstore.Snapshot {
	t.Helper()
	var snap secretstore.Snapshot
	for _, w := range writes {
		var err error
		if snap, err = w.call(t.Context(), s, describe(t, s)); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
	}
	return snap
}

// shown writes a snapshot as pending/current/previous, with a "?" for foreign versions.
func shown(snap secretstore.Snapshot) string {
	var parts []string
	for _, stage := range secretstore.Stages() {
		v := snap.Versions[stage]
		if v.Foreign {
			v.ID = "?"
		}
		parts = append(parts, v.ID)
	}
	return strings.Join(parts, "/")
}

func wantShown(t testing.TB, s secretstore.Store, want string) {
	t.Helper()
	if got := shown(describe(t, s)); got != want {
		t.Errorf("pending/current/previous is %s, want %s", got, want)
	}
}

func wantValue(t testing.TB, s secretstore.Store, id string, want secret.Value) {
	t.Helper()
	if got, err := s.Read(t.Context(), id); err != nil || !got.Equal(want) {
		t.Errorf("read %s gives another value or error %v", id, err)
	}
}

func wantError(t testing.TB, err, want error, says ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want one that wraps %q", err, want)
		return
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}
