package alltest_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// key is an id as Instantly gives them, and value what its consumers read.
const (
	key   = "01234567-89ab-4def-8123-456789abcdef"
	value = "value-of-the-key"
)

// promote makes the key current in a secret that holds nothing.
func promote(t *testing.T, store secretstore.Store) {
	t.Helper()
	snap, err := store.Describe(t.Context())
	if err != nil || len(snap.Versions) > 0 {
		t.Fatalf("a fresh secret holds %v, %v", snap.Versions, err)
	}
	snap, err = store.Stage(t.Context(), snap, secretstore.Version{ID: key, Name: "acme/sending/0f/1a"}, secret.New(value))
	if err != nil {
		t.Fatal(err)
	}
	if snap, err = store.Promote(t.Context(), snap, key, time.Now()); err != nil || snap.Versions[secretstore.Current].ID != key {
		t.Fatalf("current is %v, %v", snap.Versions[secretstore.Current], err)
	}
}

func TestConsumersOfAFixtureReadWhatWasPromoted(t *testing.T) {
	for _, f := range alltest.Fixtures() {
		t.Run(f.Kind, func(t *testing.T) {
			before, after := 0, 0
			remote := f.Fresh(t, "sending")
			promote(t, remote.Open(t, func(_ string, done bool) error {
				if done {
					after++
				} else {
					before++
				}
				return nil
			}))
			if told := after > 0; before < after || told == remote.Local { // a call that fails by itself has no effect
				t.Errorf("%d calls before their effect and %d after it", before, after)
			}
			for reader, read := range map[string]func() string{"current": remote.Current, "latest": remote.Latest} {
				if read != nil && read() != value {
					t.Errorf("%s is %q", reader, read())
				}
			}
		})
	}
}
