package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Harness{Backend: "memory", Fresh: fresh})
}

func fresh(*testing.T) storetest.Secret {
	store := memstore.New("")
	return storetest.Secret{
		Open:           func(*testing.T) secretstore.Store { return store },
		PutByHand:      func(_ *testing.T, value secret.Value) { store.PutByHand(value) },
		ForgetPromoted: func(*testing.T) { store.ForgetPromoted() },
		FailNextWrite: func(_ *testing.T, afterEffect bool) {
			store.Fault = onceOnWrite(store, afterEffect)
		},
	}
}

func onceOnWrite(store *memstore.Store, afterEffect bool) func(string, memstore.When) error {
	return func(op string, when memstore.When) error {
		if op == "describe" || op == "read" || (when == memstore.After) != afterEffect {
			return nil
		}
		store.Fault = nil
		return fmt.Errorf("fault: %w", secretstore.ErrUnavailable)
	}
}

func TestFaultSeesBothEndsOfEveryCall(t *testing.T) {
	store := memstore.New("")
	var seen []string
	store.Fault = func(op string, when memstore.When) error {
		seen = append(seen, string(when)+" "+op)
		return nil
	}
	rotate(t, store, "key-1")
	if _, err := store.Read(t.Context(), "key-1"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"before describe", "after describe", "before annotate", "after annotate", "before stage", "after stage",
		"before promote", "after promote", "before destroy", "after destroy", "before read", "after read",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestFaultMayActAsAnotherWriter(t *testing.T) {
	store := memstore.New("")
	rotate(t, store, "key-1")
	seen, err := store.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	store.Fault = func(string, memstore.When) error {
		store.PutByHand(secret.New("theirs"))
		return nil
	}
	if _, err := store.Annotate(t.Context(), seen, secretstore.Notes{}); !errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("error is %v, want ErrConflict", err)
	}
}

func TestPutByHandMovesCurrentToPrevious(t *testing.T) {
	store := memstore.New("")
	rotate(t, store, "key-1")
	rotate(t, store, "key-2")
	store.PutByHand(secret.New("theirs"))
	held := store.Contents()
	if len(held) != 2 || held[0].Stage != secretstore.Current || held[1].Stage != secretstore.Previous {
		t.Fatalf("contents are %v, want a current and a previous version", held)
	}
	if !held[0].Value.Equal(secret.New("theirs")) || !held[0].Version.Foreign {
		t.Errorf("current is %+v, want the foreign value", held[0].Version)
	}
	if !held[1].Value.Equal(secret.New("value of key-2")) || held[1].Version.ID != "key-2" {
		t.Errorf("previous is %+v, want key-2 with its value", held[1].Version)
	}
}

func TestForgetRecordMakesEveryVersionForeign(t *testing.T) {
	store := memstore.New("")
	rotate(t, store, "key-1")
	store.ForgetRecord()
	snap, err := store.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	current := snap.Versions[secretstore.Current]
	want := secretstore.Version{ID: current.ID, Foreign: true, Created: current.Created}
	if diff := cmp.Diff(want, current); diff != "" || current.ID == "key-1" {
		t.Errorf("current version (-want +got):\n%s", diff)
	}
}

func TestCreatedComesFromTheStoresClock(t *testing.T) {
	store := memstore.New("")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	store.Now = func() time.Time { return at }
	rotate(t, store, "key-1")
	if got := store.Contents()[0].Version.Created; !got.Equal(at) {
		t.Errorf("Created is %v, want %v", got, at)
	}
}

func TestIdentityIsTheOneGiven(t *testing.T) {
	snap, err := memstore.New("prod/billing").Describe(context.Background())
	if err != nil || snap.Identity != "prod/billing" {
		t.Errorf("Describe gives identity %q and error %v", snap.Identity, err)
	}
}

// rotate makes id current through one call of every write.
func rotate(t *testing.T, store *memstore.Store, id string) {
	t.Helper()
	ctx := t.Context()
	seen, err := store.Describe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	previous := seen.Versions[secretstore.Previous].ID
	steps := []func() (secretstore.Snapshot, error){
		func() (secretstore.Snapshot, error) { return store.Annotate(ctx, seen, secretstore.Notes{}) },
		func() (secretstore.Snapshot, error) {
			return store.Stage(ctx, seen, secretstore.Version{ID: id}, secret.New("value of "+id))
		},
		func() (secretstore.Snapshot, error) { return store.Promote(ctx, seen, id, time.Unix(1, 0)) },
		func() (secretstore.Snapshot, error) { return store.Destroy(ctx, seen, previous) },
	}
	for _, step := range steps {
		if seen, err = step(); err != nil {
			t.Fatal(err)
		}
	}
}
