package scan

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// files searches the folder. What git keeps in its own form is left to history, and links
// are not followed: what they lead to is in the folder, or is not.
func (s *search) files(ctx context.Context) error {
	in := s.set.searcher()
	return filepath.WalkDir(s.Dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path == s.Dir:
			return err
		case err != nil:
			s.unread(s.name(path), err)
			return nil
		case entry.IsDir() && entry.Name() == "objects" && filepath.Base(filepath.Dir(path)) == ".git":
			return fs.SkipDir
		case !entry.Type().IsRegular() || s.belongs(path):
			return nil
		}
		if err := s.file(ctx, in, path); ctx.Err() != nil {
			return err
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may have gone meanwhile
			s.unread(s.name(path), err)
		}
		return nil
	})
}

// belongs tells whether a secret is there on purpose.
func (s *search) belongs(path string) bool {
	if len(s.Skip) == 0 {
		return false
	}
	whole, err := filepath.Abs(path)
	return err == nil && slices.Contains(s.Skip, whole)
}

// name is a file as it is told: from the folder.
func (s *search) name(path string) string {
	if below, err := filepath.Rel(s.Dir, path); err == nil {
		return below
	}
	return path
}

func (s *search) file(ctx context.Context, in *searcher, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	once := map[int]bool{}
	read, err := in.in(ctx, f, func(n needle, line int) {
		for _, i := range n.of {
			if !once[i] {
				s.result.Hits = append(s.result.Hits, Hit{Secret: i, Path: s.name(path), Line: line, Encoded: n.encoded})
			}
			once[i] = true
		}
	})
	s.Progress.Files.Add(1)
	s.Progress.Bytes.Add(read)
	return err
}
