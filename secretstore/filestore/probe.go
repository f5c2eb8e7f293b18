package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var (
	_ secretstore.Prober = (*Store)(nil)
	_ secretstore.Prober = (*unmade)(nil)
)

// ProbeWrites implements [secretstore.Prober]. It makes a file in the folder, as every
// write does, and takes it away.
func (s *Store) ProbeWrites(context.Context) (secretstore.WriteProbe, error) {
	return probeFolder(s.dir), nil
}

// ProbeWrites implements [secretstore.Prober]. The folder is not there yet: what is asked
// is the one in which it will be made.
func (u *unmade) ProbeWrites(ctx context.Context) (secretstore.WriteProbe, error) {
	s, err := u.store()
	switch {
	case err != nil:
		return secretstore.WriteProbe{}, err
	case s != nil:
		return s.ProbeWrites(ctx)
	}
	folder := u.options.Dir
	for {
		_, err := os.Stat(folder)
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return probeFolder(folder), nil
		}
		folder = above
	}
}

// probeFolder tells whether files can be made in a folder, and taken away.
func probeFolder(folder string) secretstore.WriteProbe {
	var p secretstore.WriteProbe
	err := takesWrites(folder)
	if err == nil {
		path := filepath.Join(folder, ".probe-"+randomName())
		err = realDisk{}.Create(path, []byte("made to see whether files can be made here\n"))
		err = errors.Join(err, removed(path))
	}
	if err != nil {
		p.Lacking = append(p.Lacking, err.Error())
	}
	return p
}

// removed takes a file away; one that was not made is fine.
func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
