package trail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Probe finds out whether an entry could be written, and leaves nothing behind: of what is
// not there yet, the folder is asked in which it would be made.
func (l *Log) Probe(context.Context) error {
	if err := l.probe(); err != nil {
		return unwritable(err)
	}
	return nil
}

func (l *Log) probe() error {
	folder, err := nearest(l.o.Dir)
	if err != nil {
		return err
	}
	if err := takesFiles(folder); err != nil || folder != l.o.Dir {
		return err
	}
	for _, name := range []string{lockFile, currentFile} {
		if err := opens(l.path(name), os.O_RDWR); err != nil {
			return err
		}
	}
	return opens(l.path(keyFile), os.O_RDONLY)
}

// nearest gives a folder, or if it is not there the nearest above it that is.
func nearest(folder string) (string, error) {
	for {
		_, err := os.Stat(folder)
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return folder, err
		}
		folder = above
	}
}

// takesFiles writes a file into a folder, which a full disk refuses, and takes it away.
func takesFiles(folder string) error {
	f, err := os.CreateTemp(folder, ".probe-*")
	if at := (&fs.PathError{}); errors.As(err, &at) {
		return fmt.Errorf("make a file in %s: %w", folder, at.Err)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("made to see whether the trail can be written here\n")
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// opens tells whether a file can be opened; one that is not there is made by the first write.
func opens(path string, how int) error {
	f, err := os.OpenFile(path, how, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// Prober is a [Shelf] that can be asked whether it may be written, which writes nothing.
type Prober interface {
	Probe(ctx context.Context) error
}

// Probe finds out whether an entry could be written, and writes nothing.
func (s *Stream) Probe(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.probe(ctx); err != nil {
		return unwritable(err)
	}
	return nil
}

func (s *Stream) probe(ctx context.Context) error {
	if err := s.open(); err != nil {
		return err
	}
	kept, err := s.o.Shelf.Load(ctx)
	if err != nil {
		return err
	}
	if _, _, err := s.from(kept); err != nil {
		return err
	}
	if shelf, ok := s.o.Shelf.(Prober); ok {
		return shelf.Probe(ctx)
	}
	return nil
}
