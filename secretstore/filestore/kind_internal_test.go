package filestore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

func TestALocalStoreSaysThatItIsNotForWindows(t *testing.T) {
	if err := supported("windows"); !errors.Is(err, secretstore.ErrUnfit) || !strings.Contains(err.Error(), "not to be had on Windows") {
		t.Error(err)
	}
	for _, system := range []string{"linux", "darwin", "freebsd"} {
		if err := supported(system); err != nil {
			t.Errorf("%s: %v", system, err)
		}
	}
}

func TestAStoreFolderThatOthersMayReadIsWarnedOf(t *testing.T) {
	shelf := filepath.Join(t.TempDir(), "store")
	if err := os.Mkdir(shelf, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &Settings{Path: shelf, Identity: filepath.Join(shelf, "identity")}
	st, err := s.Open(t.Context(), &storekind.Environment{}, "sending")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := st.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = st.Annotate(t.Context(), snap, secretstore.Notes{}); err != nil {
		t.Fatal(err)
	}
	if snap, _ = st.Describe(t.Context()); len(snap.Advice) > 0 {
		t.Errorf("advice %q about folders of its own", snap.Advice)
	}
	if err := os.Chmod(shelf, 0o755); err != nil {
		t.Fatal(err)
	}
	snap, err = st.Describe(t.Context())
	if err != nil || len(snap.Advice) != 1 || !strings.Contains(snap.Advice[0], "run chmod o-rwx "+shelf) {
		t.Errorf("advice %q, %v", snap.Advice, err)
	}
}
