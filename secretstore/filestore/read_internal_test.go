package filestore

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// watchedDisk tells which files are read.
type watchedDisk struct {
	quickDisk
	read *[]string
}

func (d watchedDisk) Read(path string) ([]byte, error) {
	*d.read = append(*d.read, filepath.Base(path))
	return d.quickDisk.Read(path)
}

// TestReadersReadOneFile: there is no lock, so what is in two files need not
// belong together.
func TestReadersReadOneFile(t *testing.T) {
	var read []string
	s := mustOpen(t, watchedDisk{read: &read}, fold(t, []action{staging("a"), promoting("a"), staging("b")}))
	for name, call := range map[string]func() error{
		"describe": func() error { _, err := s.Describe(t.Context()); return err },
		"read":     func() error { _, err := s.Read(t.Context(), "a"); return err },
	} {
		read = nil
		if err := call(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{stateFile}, read); diff != "" {
			t.Errorf("%s reads files (-want +got):\n%s", name, diff)
		}
	}
}

// countingDisk counts how often a call waits until something is on disk.
type countingDisk struct {
	quickDisk
	waits *int
}

func (d countingDisk) Create(path string, content []byte) error {
	*d.waits++
	return d.quickDisk.Create(path, content)
}

func (d countingDisk) Replace(path string, content []byte) error {
	*d.waits++
	return d.quickDisk.Replace(path, content)
}

func (d countingDisk) SyncFolder(path string) error {
	*d.waits++
	return d.quickDisk.SyncFolder(path)
}

func TestAWriteWaitsForTheDiskTwice(t *testing.T) {
	waits, rotation := 0, 0
	s := mustOpen(t, countingDisk{waits: &waits}, fold(t, []action{staging("a"), promoting("a")}))
	for _, a := range []action{annotating("reserved"), staging("b"), promoting("b"), destroying("a")} {
		waits = 0
		if _, err := a.call(t, s, describe(t, s)); err != nil {
			t.Fatal(err)
		}
		if waits != 2 {
			t.Errorf("%s waits %d times", a.name, waits)
		}
		if rotation += waits; a.name == "promote b" {
			t.Logf("a rotation, reserve to promote, waits for the disk %d times", rotation)
		}
	}
	t.Logf("with the old version destroyed after its grace, %d times", rotation)
}
