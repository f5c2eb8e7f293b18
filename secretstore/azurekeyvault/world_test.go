package azurekeyvault_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault/azuretest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

var secrets atomic.Int64

// world is a vault with one secret, and what happens to its calls.
type world struct {
	server *azuretest.Server
	secret string
	hook   azuretest.Hook
}

func newWorld() *world { return &world{server: azuretest.New(), secret: "sending"} }

func (w *world) state() string { return w.secret + "-rotator" }

func (w *world) open(t testing.TB, change ...func(*azurekeyvault.Options)) *azurekeyvault.Store {
	t.Helper()
	c, err := azurekeyvault.ConnectAs(azuretest.Vault, azuretest.Credential(), w.server.Transport(func(r *http.Request, after bool) error {
		if w.hook == nil {
			return nil
		}
		return w.hook(r, after)
	}))
	if err != nil {
		t.Fatal(err)
	}
	o := azurekeyvault.Options{Secret: w.secret}
	for _, f := range change {
		f(&o)
	}
	s, err := c.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var errLost = errors.New("the connection broke")

// loseNext fails the next write: before its first set has its effect, or after the set
// that completes it.
func (w *world) loseNext(afterEffect bool) {
	w.hook = func(r *http.Request, after bool) error {
		last := strings.Contains(r.URL.Path, w.state())
		if r.Method != http.MethodPut || after != afterEffect || afterEffect && !last {
			return nil
		}
		w.hook = nil
		return errLost
	}
}

// forgetPromoted takes the promotion times out of the state.
func (w *world) forgetPromoted(t testing.TB) {
	t.Helper()
	w.server.Rewrite(w.state(), func(text string) string {
		var state map[string]any
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			t.Fatal(err)
		}
		for _, v := range state["versions"].([]any) {
			delete(v.(map[string]any), "promoted")
		}
		out, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	})
}

func valueOf(id string) secret.Value { return secret.New("value-of-" + id) }

func version(id string) secretstore.Version {
	return secretstore.Version{ID: id, Account: "org", Intent: secretstore.Intent{
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
		staging("a"), promoting("a"), staging("b"), promoting("b"), destroying("a"),
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
func must(t testing.TB, s secretstore.Store, writes ...write) {
	t.Helper()
	for _, w := range writes {
		if _, err := w.call(t.Context(), s, describe(t, s)); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
	}
}

// held writes a snapshot as pending/current/previous, with a "?" for foreign versions.
func held(snap secretstore.Snapshot) string {
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

func wantHeld(t testing.TB, s secretstore.Store, want string) {
	t.Helper()
	if got := held(describe(t, s)); got != want {
		t.Errorf("pending/current/previous is %s, want %s", got, want)
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
