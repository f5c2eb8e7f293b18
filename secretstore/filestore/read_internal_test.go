package filestore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// overtakenReader lets another writer come in before a file is read.
type overtakenReader struct {
	quickDisk
	before func(name string)
}

func (d overtakenReader) Read(path string) ([]byte, error) {
	d.before(filepath.Base(path))
	return d.quickDisk.Read(path)
}

// readWhile reads version a, and has the actions happen after its state was
// read and before its value is.
func readWhile(t *testing.T, actions ...action) error {
	t.Helper()
	dir := fold(t, []action{staging("a")})
	writer := mustOpen(t, quickDisk{}, dir)
	overtake := func(name string) {
		if !isValueFile(name) {
			return
		}
		for _, a := range actions {
			if _, err := a.call(t, writer, describe(t, writer)); err != nil {
				t.Fatalf("%s: %v", a.name, err)
			}
		}
		actions = nil
	}
	_, err := mustOpen(t, overtakenReader{before: overtake}, dir).Read(t.Context(), "a")
	return err
}

func TestVersionDestroyedWhileItIsReadIsNotFound(t *testing.T) {
	if err := readWhile(t, destroying("a")); !errors.Is(err, secretstore.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

func TestVersionStoredAnewWhileItIsReadIsFound(t *testing.T) {
	if err := readWhile(t, destroying("a"), staging("a")); err != nil {
		t.Error(err)
	}
}

func TestDescribeReadsOneFile(t *testing.T) {
	var read []string
	s := mustOpen(t, overtakenReader{before: func(name string) { read = append(read, name) }}, fold(t, situations()[7].past))
	read = nil
	describe(t, s)
	if diff := cmp.Diff([]string{stateFile}, read); diff != "" {
		t.Errorf("files read (-want +got):\n%s", diff)
	}
}

func TestLostValueFileIsNotLookedForAgainAndAgain(t *testing.T) {
	reads := 0
	d := overtakenReader{before: func(name string) {
		if isValueFile(name) {
			reads++
		}
	}}
	dir := fold(t, []action{staging("a")})
	s := mustOpen(t, d, dir)
	st, err := s.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := (realDisk{}).Remove(filepath.Join(dir, st.Versions[0].File)); err != nil {
		t.Fatal(err)
	}
	_, err = s.Read(t.Context(), "a")
	if !errors.Is(err, secretstore.ErrCorrupt) || !errors.Is(err, fs.ErrNotExist) || reads != 2 {
		t.Errorf("after %d reads the error is %v, want ErrCorrupt after 2", reads, err)
	}
}
