package filestore

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

const goodState = `{"format": 1, "identity": "folder-0", "revision": 7, "versions": [
	{"stage": "current", "id": "a", "held": "YWdl", "promoted": "2026-01-02T03:04:05Z"},
	{"stage": "pending", "id": "b", "held": "YWdlCg==",
	 "intent": {"nonce": "n", "at": "2026-01-02T03:04:05+02:00", "spec": "all:read", "grace_ns": 86400000000000}}],
	"failure": {"count": 2, "step": "verify", "reason": "no answer"}}`

// brokenStates are what must not be read, by a word that the error must have.
func brokenStates() map[string]string {
	swap := func(from, to string) string { return strings.Replace(goodState, from, to, 1) }
	return map[string]string{
		"":                                        "unexpected end",
		goodState[:len(goodState)/2]:              "unexpected end",
		"hello":                                   "invalid character",
		goodState + "{}":                          "after top-level value",
		"null":                                    "format 0",
		swap(`"format": 1`, `"format": 2`):        "upgrade",
		swap(`"format": 1, `, ``):                 "format 0",
		swap(`"revision"`, `"surprise"`):          "unknown field",
		swap(`"folder-0"`, `""`):                  "no identity",
		swap(`"pending"`, `"current"`):            "two versions are current",
		swap(`"pending"`, `"latest"`):             `stage "latest"`,
		swap(`"b"`, `"a"`):                        "there twice",
		swap(`"b"`, `""`):                         "empty",
		swap(`"YWdlCg=="`, `"age"`):               "illegal base64",
		swap(`86400000000000`, `"a day"`):         "grace_ns",
		swap(`2026-01-02T03:04:05Z`, `yesterday`): "yesterday",
	}
}

func TestBrokenStateIsCorruptAndSaysWhatToDo(t *testing.T) {
	for raw, word := range brokenStates() {
		_, err := decodeState([]byte(raw))
		if !errors.Is(err, secretstore.ErrCorrupt) || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want ErrCorrupt with %q, for:\n%s", err, word, raw)
			continue
		}
		if !strings.Contains(err.Error(), "restore") && !strings.Contains(err.Error(), "upgrade") {
			t.Errorf("the error does not say what to do: %v", err)
		}
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(goodState))
	for raw := range brokenStates() {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		st, err := decodeState(raw)
		if err != nil {
			if !errors.Is(err, secretstore.ErrCorrupt) {
				t.Errorf("error %v is not ErrCorrupt", err)
			}
			return
		}
		wantSound(t, st)
		wantStable(t, st)
	})
}

// wantSound wants one version at most on a stage, and ids.
func wantSound(t *testing.T, st state) {
	t.Helper()
	if shown := st.snapshot().Versions; len(shown) != len(st.Versions) {
		t.Errorf("%d versions on %d stages", len(st.Versions), len(shown))
	}
	for _, r := range st.Versions {
		if r.ID == "" {
			t.Error("a version without an id was accepted")
		}
	}
}

// wantStable wants a state that was read to be written and read again without
// a change.
func wantStable(t *testing.T, st state) {
	t.Helper()
	once, err := encodeState(st)
	if err != nil {
		t.Fatalf("a state that was read cannot be written: %v", err)
	}
	again, err := decodeState(once)
	if err != nil {
		t.Fatalf("a state that was written cannot be read: %v", err)
	}
	twice, err := encodeState(again)
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("written twice it differs (error %v):\n%s\n%s", err, once, twice)
	}
}
