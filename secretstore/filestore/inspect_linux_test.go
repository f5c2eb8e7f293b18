package filestore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// mounted gives a folder on a file system of its own, if this process may mount one.
func mounted(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skip("NOT CHECKED: no file system can be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	return dir
}

func openedIn(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(Options{Dir: filepath.Join(dir, "key"), Identity: filepath.Join(t.TempDir(), "identity")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestADiskThatIsFullIsSeenBeforeTheNextRotation(t *testing.T) {
	s := openedIn(t, mounted(t, "size=128k"))
	if err := s.Inspect(t.Context()); !errors.Is(err, secretstore.ErrUnavailable) || !strings.Contains(err.Error(), "is full") {
		t.Error(err)
	}
}

func TestADiskThatIsReadOnlyIsSeenBeforeTheNextRotation(t *testing.T) {
	dir := mounted(t, "size=8m")
	s := openedIn(t, dir)
	if err := s.Inspect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Inspect(t.Context()); !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), "could not be stored") {
		t.Error(err)
	}
}

func TestAFolderThatTakesNoFilesIsSeenBeforeTheNextRotation(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	s := openedIn(t, t.TempDir())
	if err := os.Chmod(s.dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(s.dir, 0o700) })
	if err := s.Inspect(t.Context()); !errors.Is(err, secretstore.ErrDenied) {
		t.Error(err)
	}
}
