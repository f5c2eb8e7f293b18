package setup_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/setup"
)

// TestOfSeveralWritersOneWritesAndNothingElseIsLeft: nobody's file is overwritten, by
// whomever, and nobody ever reads a part of one.
func TestOfSeveralWritersOneWritesAndNothingElseIsLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	text := strings.Repeat("0123456789abcdef", 1<<12)
	var written atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch err := setup.WriteNew(path, []byte(text), 0o600); {
			case err == nil:
				written.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != text {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	if written.Load() != 1 {
		t.Errorf("%d of them wrote", written.Load())
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestALinkToNowhereIsAFileThatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink("nowhere", path); err != nil {
		t.Skip(err)
	}
	if err := setup.WriteNew(path, nil, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
}
