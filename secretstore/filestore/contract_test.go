package filestore_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// TestContract leaves out what the folder does not have: faults of a whole write.
func TestContract(t *testing.T) {
	const atEffects = "faults are injected at the effects on the disk, each in turn: see TestProcessKilledAtAnyEffectLeavesTheStateBeforeOrAfter"
	storetest.Run(t, storetest.Harness{
		Backend: "file",
		Fresh: func(t *testing.T) storetest.Secret {
			o := options(t)
			return storetest.Secret{
				Open:           func(t *testing.T) secretstore.Store { return open(t, o) },
				ForgetPromoted: func(t *testing.T) { forgetPromoted(t, o.Dir) },
				PutByHand:      func(t *testing.T, value secret.Value) { put(t, open(t, o), value) },
			}
		},
		Skip: map[string]string{
			"A write that failed before its effect changed nothing": atEffects,
			"A write that failed after its effect happened whole":   atEffects,
		},
	})
}

func put(t *testing.T, s *filestore.Store, value secret.Value) {
	t.Helper()
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), seen, value); err != nil {
		t.Fatal(err)
	}
}

func forgetPromoted(t *testing.T, dir string) {
	t.Helper()
	editVersions(t, dir, func(v map[string]any) { delete(v, "promoted") })
}

// editVersions changes the versions in a state.json by hand.
func editVersions(t *testing.T, dir string, edit func(map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, "state.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var st map[string]any
	if err := json.Unmarshal(raw, &st); err != nil {
		t.Fatal(err)
	}
	for _, v := range st["versions"].([]any) {
		edit(v.(map[string]any))
	}
	if raw, err = json.Marshal(st); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// options are a new folder and an identity of its own, neither made yet.
func options(t *testing.T) filestore.Options {
	t.Helper()
	base := t.TempDir()
	return filestore.Options{Dir: filepath.Join(base, "secret"), Identity: filepath.Join(base, "keys", "identity.txt")}
}

func open(t *testing.T, o filestore.Options) *filestore.Store {
	t.Helper()
	s, err := filestore.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
