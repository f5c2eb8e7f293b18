package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// disk is every effect that a store has on the file system, and what it reads
// from its folder, so that tests can come in between at each of them. Files are
// made with mode 0600, folders 0700.
type disk interface {
	// Read gives the content of a file.
	Read(path string) ([]byte, error)
	// MakeFolder makes a folder and its parents, for good. One that is there is
	// fine.
	MakeFolder(path string) error
	// Create makes a file that is not there yet; its content is on disk when it
	// returns, its name only after SyncFolder.
	Create(path string, content []byte) error
	// Replace puts a file in place of the one at path, if any, in one step; its
	// content is on disk before the step, the step only after SyncFolder. Nobody
	// else may be replacing the same file.
	Replace(path string, content []byte) error
	// Link gives a file a second name, and fails if that is taken.
	Link(from, to string) error
	// Remove removes a file.
	Remove(path string) error
	// SyncFolder waits until the names in a folder are on disk.
	SyncFolder(path string) error
}

type realDisk struct{}

func (realDisk) Read(path string) ([]byte, error) { return os.ReadFile(path) }

func (d realDisk) MakeFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := d.MakeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.SyncFolder(parent)
}

func (realDisk) Create(path string, content []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

// Replace writes under a name that is always the same, other than libraries for
// this: the lock keeps other writers off it, and what a crash leaves there is gone
// with the next write.
func (d realDisk) Replace(path string, content []byte) error {
	temp := unfinished(path)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.Create(temp, content); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// unfinished is what a file is called until it is whole.
func unfinished(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
}

func (realDisk) Link(from, to string) error { return os.Link(from, to) }

func (realDisk) Remove(path string) error { return os.Remove(path) }

func (realDisk) SyncFolder(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

// failed says what did not work, and maps the file system's error to one of
// package secretstore. The cause names the path.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	sentinel := sentinelOf(err)
	if err.Error() == sentinel.Error() { // a bare EACCES: once is enough
		return fmt.Errorf("%s: %w", what, alike{sentinel, err})
	}
	return fmt.Errorf("%s: %w: %w", what, sentinel, err)
}

// alike is a sentinel and a cause that say the same.
type alike struct{ sentinel, cause error }

func (a alike) Error() string { return a.sentinel.Error() }

func (a alike) Unwrap() []error { return []error{a.sentinel, a.cause} }

func sentinelOf(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return secretstore.ErrNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return secretstore.ErrDenied
	default:
		return secretstore.ErrUnavailable
	}
}
