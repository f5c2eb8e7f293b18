package filestore_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestEveryRecipientOpensTheValue(t *testing.T) {
	o := options(t)
	colleague, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	o.Recipients = []string{colleague.Recipient().String()}
	stage(t, open(t, o), "key-1", secret.New(canary))
	theirs := o
	theirs.Identity = filepath.Join(t.TempDir(), "colleague.txt")
	write(t, theirs.Identity, colleague.String()+"\n")
	for _, o := range []filestore.Options{o, theirs} {
		if got, err := open(t, o).Read(t.Context(), "key-1"); err != nil || !got.Equal(secret.New(canary)) {
			t.Errorf("with %s: error %v, or another value", filepath.Base(o.Identity), err)
		}
	}
}

func TestOldIdentityBelowANewOneStillOpensOldValues(t *testing.T) {
	o := options(t)
	stage(t, open(t, o), "key-1", secret.New(canary))
	old, err := os.ReadFile(o.Identity)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	write(t, o.Identity, fresh.String()+"\n"+string(old))
	if got, err := open(t, o).Read(t.Context(), "key-1"); err != nil || !got.Equal(secret.New(canary)) {
		t.Errorf("error %v, or another value", err)
	}
}

func TestAnotherIdentityCannotReadIt(t *testing.T) {
	o := options(t)
	stage(t, open(t, o), "key-1", secret.New(canary))
	stranger := o
	stranger.Identity = options(t).Identity
	open(t, filestore.Options{Dir: filepath.Join(t.TempDir(), "other"), Identity: stranger.Identity})
	_, err := open(t, stranger).Read(t.Context(), "key-1")
	wantError(t, err, secretstore.ErrCorrupt, "other recipients")
}

func TestIdentityOpenToOthersIsRefused(t *testing.T) {
	o := options(t)
	open(t, o)
	for mode, refused := range map[fs.FileMode]bool{
		0o600: false, 0o400: false, 0o440: false, 0o644: true, 0o604: true, 0o660: true, 0o602: true, 0o777: true,
	} {
		if err := os.Chmod(o.Identity, mode); err != nil {
			t.Fatal(err)
		}
		_, err := filestore.Open(o)
		if refused {
			wantError(t, err, secretstore.ErrDenied, "chmod 600 "+o.Identity)
		} else if err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestLostIdentityIsNotReplacedByANewOne(t *testing.T) {
	o := options(t)
	open(t, o)
	if err := os.Remove(o.Identity); err != nil {
		t.Fatal(err)
	}
	_, err := filestore.Open(o)
	wantError(t, err, secretstore.ErrCorrupt, o.Identity)
	if _, err := os.Stat(o.Identity); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a new identity was made for a folder that the old one was for")
	}
}

func TestExistingIdentityIsNeverWritten(t *testing.T) {
	o := options(t)
	open(t, o)
	before, err := os.ReadFile(o.Identity)
	if err != nil {
		t.Fatal(err)
	}
	o.Dir += "-2"
	open(t, o)
	if after, err := os.ReadFile(o.Identity); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the identity file changed, or error %v", err)
	}
}

func TestManyFirstStartsAtOnceShareOneIdentityAndOneFolder(t *testing.T) {
	o := options(t)
	const starts = 8
	stores := make([]*filestore.Store, starts)
	var all sync.WaitGroup
	for i := range starts {
		all.Go(func() {
			s, err := filestore.Open(o)
			if err != nil {
				t.Error(err)
			}
			stores[i] = s
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	stage(t, stores[0], "key-1", secret.New(canary))
	for i, s := range stores {
		if got, err := s.Read(t.Context(), "key-1"); err != nil || !got.Equal(secret.New(canary)) {
			t.Errorf("start %d: error %v, or another value", i, err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(o.Identity)); err != nil || len(entries) != 1 {
		t.Errorf("beside the identity file are %v (error %v)", entries, err)
	}
}

func TestBadIdentityFileIsNotQuoted(t *testing.T) {
	o := options(t)
	open(t, o)
	write(t, o.Identity, "AGE-SECRET-KEY-1"+strings.ToUpper(canary)+"\n")
	_, err := filestore.Open(o)
	wantError(t, err, secretstore.ErrCorrupt, "age-keygen")
	if strings.Contains(err.Error(), strings.ToUpper(canary)) {
		t.Error("the error quotes the identity file")
	}
}

func TestBadRecipientIsNamedByItsPlaceAndNotQuoted(t *testing.T) {
	o := options(t)
	o.Recipients = []string{"age1" + canary}
	_, err := filestore.Open(o)
	wantError(t, err, secretstore.ErrCorrupt, "recipient 1 of 1")
	if strings.Contains(err.Error(), canary) {
		t.Error("the error quotes the recipient")
	}
}
