package filestore_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/gofrs/flock"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const canary = "canary-2b9e6d10f7a4"

func TestFolderAndFilesAreTheOwnersAlone(t *testing.T) {
	o := options(t)
	stage(t, open(t, o), "key-1", secret.New(canary))
	for _, root := range []string{o.Dir, filepath.Dir(o.Identity)} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", path, got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoValueIsOnDiskInClear(t *testing.T) {
	o := options(t)
	s := open(t, o)
	stage(t, s, "key-1", secret.New(canary))
	promote(t, s, "key-1")
	files := 0
	err := filepath.WalkDir(filepath.Dir(o.Dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(canary)) {
			t.Errorf("%s has the value in clear", path)
		}
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("read %d files, error %v", files, err)
	}
}

func TestValuesMayBeAnyBytes(t *testing.T) {
	s := open(t, options(t))
	value := secret.New("\x00\xff\xfe binary \n\x00")
	stage(t, s, "key-1", value)
	if got, err := s.Read(t.Context(), "key-1"); err != nil || !got.Equal(value) {
		t.Errorf("error %v, or another value", err)
	}
}

func TestTruncatedStateIsCorruptAndNamesTheFile(t *testing.T) {
	o := options(t)
	s := open(t, o)
	stage(t, s, "key-1", secret.New(canary))
	path := filepath.Join(o.Dir, "state.json")
	if err := os.Truncate(path, 40); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, o).Describe(t.Context())
	wantError(t, err, secretstore.ErrCorrupt, path)
	_, err = s.Read(t.Context(), "key-1")
	wantError(t, err, secretstore.ErrCorrupt, "restore")
}

func TestLostStateIsNotBegunAnew(t *testing.T) {
	o := options(t)
	open(t, o)
	if err := os.Remove(filepath.Join(o.Dir, "state.json")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := filestore.Open(o)
		wantError(t, err, secretstore.ErrCorrupt, "state.json was there and is lost")
	}
}

func TestDamagedCiphertextIsCorrupt(t *testing.T) {
	o := options(t)
	s := open(t, o)
	stage(t, s, "key-1", secret.New(canary))
	whole := ciphertext(t, o)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for name, held := range map[string][]byte{
		"empty": {}, "cut in the header": whole[:30], "cut in the value": whole[:len(whole)-5],
		"one bit flipped": flipped, "something else": []byte("hello"),
	} {
		editVersions(t, o.Dir, func(v map[string]any) { v["held"] = held })
		if _, err := s.Read(t.Context(), "key-1"); !errors.Is(err, secretstore.ErrCorrupt) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: error %v, want ErrCorrupt without the value", name, err)
		}
	}
}

// TestTheAgeCommandOpensAValue does what the package comment tells a team to do.
func TestTheAgeCommandOpensAValue(t *testing.T) {
	o := options(t)
	stage(t, open(t, o), "key-1", secret.New(canary))
	text, err := os.ReadFile(o.Identity)
	if err != nil {
		t.Fatal(err)
	}
	identities, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(ciphertext(t, o)), identities...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != canary {
		t.Errorf("error %v, or another value", err)
	}
}

// TestACiphertextStaysAsItIs: it is not made anew with each write.
func TestACiphertextStaysAsItIs(t *testing.T) {
	o := options(t)
	s := open(t, o)
	stage(t, s, "key-1", secret.New(canary))
	before := ciphertext(t, o)
	promote(t, s, "key-1")
	if !bytes.Equal(before, ciphertext(t, o)) {
		t.Error("a promotion changed it")
	}
}

func TestFolderThatWasTakenAwayIsNotFound(t *testing.T) {
	o := options(t)
	s := open(t, o)
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(o.Dir); err != nil {
		t.Fatal(err)
	}
	_, err = s.Describe(t.Context())
	wantError(t, err, secretstore.ErrNotFound, o.Dir)
	_, err = s.Annotate(t.Context(), seen, secretstore.Notes{})
	wantError(t, err, secretstore.ErrNotFound, o.Dir)
}

func TestRestoredBackupMakesSnapshotsStale(t *testing.T) {
	o := options(t)
	s := open(t, o)
	path := filepath.Join(o.Dir, "state.json")
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stage(t, s, "key-1", secret.New(canary))
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(backup))
	stage(t, s, "key-2", secret.New(canary)) // As many writes as before, but another state.
	_, err = s.Promote(t.Context(), seen, "key-2", time.Now())
	wantError(t, err, secretstore.ErrConflict, "")
}

func TestHeldLockIsUnavailableWhenTheContextEnds(t *testing.T) {
	o := options(t)
	s := open(t, o)
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := flock.New(filepath.Join(o.Dir, "lock"))
	if held, err := other.TryLock(); !held || err != nil {
		t.Fatalf("lock: %v, %v", held, err)
	}
	defer func() { _ = other.Unlock() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = s.Annotate(ctx, seen, secretstore.Notes{})
	wantError(t, err, secretstore.ErrUnavailable, "another writer holds the lock")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v does not wrap the context's", err)
	}
	if _, err := s.Describe(t.Context()); err != nil {
		t.Errorf("a reader waits for the lock: %v", err)
	}
}

func TestForeignFilesInTheFolderAreLeftAlone(t *testing.T) {
	o := options(t)
	s := open(t, o)
	for _, name := range []string{"README", "value-of-my-own.age", ".state.json.bak"} {
		write(t, filepath.Join(o.Dir, name), "mine")
	}
	stage(t, s, "key-1", secret.New(canary))
	for _, name := range []string{"README", "value-of-my-own.age", ".state.json.bak"} {
		if _, err := os.Stat(filepath.Join(o.Dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestIdleStoresHoldNoFileOpen(t *testing.T) {
	const fds = "/proc/self/fd"
	if _, err := os.Stat(fds); err != nil {
		t.Skip("this system does not list open files")
	}
	count := func() int {
		entries, err := os.ReadDir(fds)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	o := options(t)
	stage(t, open(t, o), "key-1", secret.New(canary))
	before := count()
	var stores []*filestore.Store
	for range 20 {
		s := open(t, o)
		stage(t, s, "key-2", secret.New(canary))
		stores = append(stores, s)
	}
	if after := count(); after > before {
		t.Errorf("%d stores hold %d files open", len(stores), after-before)
	}
}

func stage(t *testing.T, s *filestore.Store, id string, value secret.Value) {
	t.Helper()
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage(t.Context(), seen, secretstore.Version{ID: id}, value); err != nil {
		t.Fatal(err)
	}
}

func promote(t *testing.T, s *filestore.Store, id string) {
	t.Helper()
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Promote(t.Context(), seen, id, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// ciphertext is what the only version's value is on disk.
func ciphertext(t *testing.T, o filestore.Options) (held []byte) {
	t.Helper()
	editVersions(t, o.Dir, func(v map[string]any) {
		var err error
		if held, err = base64.StdEncoding.DecodeString(v["held"].(string)); err != nil {
			t.Fatal(err)
		}
	})
	return held
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantError wants an error that wraps want and has the words in its text.
func wantError(t *testing.T, err, want error, words string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want one that wraps %q", err, want)
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("error %q does not say %q", err, words)
	}
}
