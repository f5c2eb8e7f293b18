package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteNew writes a file that is not there yet, whole or not at all. One that is there
// stays as it is: the error is [fs.ErrExist].
func WriteNew(path string, data []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	beside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text())
	defer func() { _ = os.Remove(beside) }()
	if err := create(beside, data, mode); err != nil {
		return err
	}
	// A second name is given only if nobody has it: a rename would overwrite.
	err := os.Link(beside, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return create(path, data, mode) // a file system without links
}

// create makes a file that is not there.
func create(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
