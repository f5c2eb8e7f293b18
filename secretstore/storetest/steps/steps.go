// Package steps has the writes of which the tests of backends make a key's life, and the
// checks of what a store holds after them.
package steps

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// ValueOf is the value that is staged under an id.
func ValueOf(id string) secret.Value { return secret.New("value-of-" + id) }

// Version is what is staged under an id.
func Version(id string) secretstore.Version {
	return secretstore.Version{ID: id, Name: "name-of-" + id, Account: "org", Intent: secretstore.Intent{
		Nonce: "nonce-" + id, At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Spec: "campaigns:read", Grace: time.Hour,
	}}
}

// PromotedAt is when all are promoted.
func PromotedAt() time.Time { return time.Date(2026, 3, 5, 6, 7, 8, 0, time.UTC) }

// A Write is one of the four, with everything but the snapshot filled in.
type Write struct {
	Name string
	Call func(context.Context, secretstore.Store, secretstore.Snapshot) (secretstore.Snapshot, error)
}

// Annotating notes a failure, and nothing else.
func Annotating(reason string) Write {
	return Write{"annotate " + reason, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(ctx, seen, secretstore.Notes{Failure: secretstore.Failure{Count: 1, At: PromotedAt(), Step: "verify", Reason: reason}})
	}}
}

// Reserving notes the intent, and nothing else.
func Reserving(id string) Write {
	return Write{"reserve " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(ctx, seen, secretstore.Notes{Intent: Version(id).Intent})
	}}
}

// Staging stages a version.
func Staging(id string) Write {
	return Write{"stage " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(ctx, seen, Version(id), ValueOf(id))
	}}
}

// Promoting promotes it.
func Promoting(id string) Write {
	return Write{"promote " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(ctx, seen, id, PromotedAt())
	}}
}

// Destroying destroys it.
func Destroying(id string) Write {
	return Write{"destroy " + id, func(ctx context.Context, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(ctx, seen, id)
	}}
}

// Rotation is the life of one key after another.
func Rotation() []Write {
	return []Write{
		Reserving("a"), Staging("a"), Promoting("a"),
		Reserving("b"), Staging("b"), Promoting("b"), Destroying("a"),
		Staging("c"), Destroying("c"), Annotating("tired"),
	}
}

// Describe gives what the store holds.
func Describe(t testing.TB, s secretstore.Store) secretstore.Snapshot {
	t.Helper()
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// Must makes writes that succeed, each on a snapshot of its own.
func Must(t testing.TB, s secretstore.Store, writes ...Write) secretstore.Snapshot {
	t.Helper()
	var snap secretstore.Snapshot
	for _, w := range writes {
		var err error
		if snap, err = w.Call(t.Context(), s, Describe(t, s)); err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
	}
	return snap
}

// Held writes a snapshot as pending/current/previous, with a "?" for versions of unknown
// origin.
func Held(snap secretstore.Snapshot) string {
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

// WantHeld checks what the store holds, in the form of [Held].
func WantHeld(t testing.TB, s secretstore.Store, want string) {
	t.Helper()
	if got := Held(Describe(t, s)); got != want {
		t.Errorf("pending/current/previous is %s, want %s", got, want)
	}
}

// WantValue checks what the store gives for an id.
func WantValue(t testing.TB, s secretstore.Store, id string, want secret.Value) {
	t.Helper()
	if got, err := s.Read(t.Context(), id); err != nil || !got.Equal(want) {
		t.Errorf("read %s gives another value or error %v", id, err)
	}
}

// WantError checks what an error is, and what it says.
func WantError(t testing.TB, err, want error, says ...string) {
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
