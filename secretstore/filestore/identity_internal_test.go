package filestore

import (
	"path/filepath"
	"testing"
)

// racingDisk lets another process make the identity file in the last instant
// before this one does.
type racingDisk struct {
	realDisk
	first func()
}

func (d racingDisk) Link(from, to string) error {
	d.first()
	return d.realDisk.Link(from, to)
}

func TestIdentityThatAnotherProcessMadeMeanwhileIsUsed(t *testing.T) {
	base := t.TempDir()
	mine := Options{Dir: filepath.Join(base, "mine"), Identity: filepath.Join(base, "identity")}
	theirs := Options{Dir: filepath.Join(base, "theirs"), Identity: mine.Identity}
	var their *Store
	s, err := openOn(racingDisk{first: func() {
		var err error
		if their, err = Open(theirs); err != nil {
			t.Error(err)
		}
	}}, mine)
	if err != nil || their == nil {
		t.Fatalf("the other process has store %v, error %v", their, err)
	}
	sealed, err := seal(valueOf("a"), s.recipients)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unseal(sealed, their.own.identities); err != nil {
		t.Errorf("two processes that started at once use two identities: %v", err)
	}
}
