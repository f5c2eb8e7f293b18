package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// action is a write and a name for it.
type action struct {
	name string
	call func(t *testing.T, s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error)
}

func annotating(reason string) action {
	return action{"annotate", func(t *testing.T, s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(t.Context(), seen, secretstore.Notes{Failure: secretstore.Failure{Count: 1, Reason: reason}})
	}}
}

func staging(id string) action {
	return action{"stage " + id, func(t *testing.T, s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(t.Context(), seen, secretstore.Version{ID: id}, valueOf(id))
	}}
}

func promoting(id string) action {
	return action{"promote " + id, func(t *testing.T, s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(t.Context(), seen, id, time.Unix(1_700_000_000, 0))
	}}
}

func destroying(id string) action {
	return action{"destroy " + id, func(t *testing.T, s *Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(t.Context(), seen, id)
	}}
}

func valueOf(id string) secret.Value { return secret.New("value of " + id) }

// situation is a secret's past and a write that meets a fault.
type situation struct {
	past  []action
	write action
}

// situations have every write once for each set of effects that it can have.
func situations() []situation {
	first := []action{staging("a"), promoting("a")}
	second := slices.Concat(first, []action{staging("b"), promoting("b")})
	third := slices.Concat(second, []action{staging("c")})
	return []situation{
		{nil, annotating("new")},
		{nil, staging("a")},
		{first[:1], promoting("a")},
		{first[:1], staging("b")},
		{second, annotating("new")},
		{second, staging("c")},
		{third, staging("d")},
		{third, promoting("c")},
		{third, destroying("c")},
		{third, destroying("a")},
		{second[:3], promoting("b")},
	}
}

func TestProcessKilledAtAnyEffectLeavesTheStateBeforeOrAfter(t *testing.T) {
	killed := 0
	for _, sit := range situations() {
		template := fold(t, sit.past)
		after := outcome(t, template, sit.write)
		for _, how := range deaths() {
			for at := 1; killOnce(t, template, sit, after, at, how); at++ {
				killed++
			}
		}
	}
	t.Logf("%d processes killed", killed)
	if killed < 2*len(deaths())*len(situations()) {
		t.Errorf("only %d processes were killed: the faults miss", killed)
	}
}

// killOnce tells whether the write had as many effects as at.
func killOnce(t *testing.T, template string, sit situation, after secretstore.Snapshot, at int, how fault) bool {
	t.Helper()
	name := fmt.Sprintf("%s after %d writes, killed %s effect %d", sit.write.name, len(sit.past), how.name, at)
	dir := copyFolder(t, template)
	d := &faultyDisk{}
	s := mustOpen(t, d, dir)
	before := describe(t, s)
	d.arm(at, how)
	_, err := sit.write.call(t, s, before)
	if err == nil {
		return false
	}
	if !errors.Is(err, errDead) {
		t.Fatalf("%s: error %v", name, err)
	}
	s = mustOpen(t, quickDisk{}, dir)
	wantWhole(t, name, s, before, after)
	liveOn(t, name, s)
	return true
}

func TestProcessKilledWhileTheFolderIsMadeLeavesAFolderThatOpens(t *testing.T) {
	killed := 0
	for _, how := range deaths() {
		for at := 1; ; at++ {
			base := quickFolder(t)
			o := Options{Dir: filepath.Join(base, "deep", "secret"), Identity: filepath.Join(base, "keys", "identity.txt")}
			_, err := openOn(&faultyDisk{at: at, how: how}, o)
			if err == nil {
				break
			}
			killed++
			s, err := openOn(quickDisk{}, o)
			if err != nil {
				t.Fatalf("killed %s effect %d: open: %v", how.name, at, err)
			}
			if snap := describe(t, s); len(snap.Versions) != 0 || snap.Identity == "" {
				t.Errorf("killed %s effect %d: the new secret is %+v", how.name, at, snap)
			}
			liveOn(t, fmt.Sprintf("killed %s effect %d", how.name, at), s)
		}
	}
	if killed < 20 {
		t.Errorf("only %d processes were killed: the faults miss", killed)
	}
}

// TestDiskThatRefusesOnceLeavesTheStateBeforeOrAfter refuses each effect once,
// with the process living on.
func TestDiskThatRefusesOnceLeavesTheStateBeforeOrAfter(t *testing.T) {
	for _, sit := range situations() {
		template := fold(t, sit.past)
		after := outcome(t, template, sit.write)
		for at := 1; ; at++ {
			name := fmt.Sprintf("%s after %d writes, effect %d refused", sit.write.name, len(sit.past), at)
			d := &faultyDisk{}
			s := mustOpen(t, d, copyFolder(t, template))
			before := describe(t, s)
			d.arm(at, fault{refusal: syscall.ENOSPC})
			_, err := sit.write.call(t, s, before)
			if err == nil {
				break
			}
			if !errors.Is(err, secretstore.ErrUnavailable) {
				t.Errorf("%s: error %v, want ErrUnavailable", name, err)
			}
			wantWhole(t, name, s, before, after)
			liveOn(t, name, s)
		}
	}
}

func TestRefusalsOfTheDiskAreToldApart(t *testing.T) {
	for refusal, want := range map[error]error{
		syscall.ENOSPC: secretstore.ErrUnavailable,
		syscall.EIO:    secretstore.ErrUnavailable,
		syscall.EACCES: secretstore.ErrDenied,
		syscall.EPERM:  secretstore.ErrDenied,
		syscall.EROFS:  secretstore.ErrDenied,
		syscall.ENOENT: secretstore.ErrNotFound,
	} {
		d := &faultyDisk{}
		s := mustOpen(t, d, quickFolder(t))
		d.arm(1, fault{refusal: refusal})
		_, err := annotating("new").call(t, s, describe(t, s))
		if !errors.Is(err, want) || !errors.Is(err, refusal) {
			t.Errorf("%v gives error %v, want one that wraps %q", refusal, err, want)
		}
	}
}

// TestRefusedCommitChangesNothing names the commit point: a state.json that
// cannot be replaced is the state that stays.
func TestRefusedCommitChangesNothing(t *testing.T) {
	for _, sit := range situations() {
		s := mustOpen(t, refusingReplace{}, copyFolder(t, fold(t, sit.past)))
		before := describe(t, s)
		if _, err := sit.write.call(t, s, before); !errors.Is(err, secretstore.ErrUnavailable) {
			t.Errorf("%s: error %v, want ErrUnavailable", sit.write.name, err)
		}
		if diff := cmp.Diff(before, describe(t, s)); diff != "" {
			t.Errorf("%s changed the secret (-before +after):\n%s", sit.write.name, diff)
		}
	}
}

type refusingReplace struct{ quickDisk }

func (refusingReplace) Replace(string, []byte) error { return syscall.ENOSPC }

// fold makes a folder with that past and gives its path. The identity is in
// the folder's own subfolder, to be copied with it.
func fold(t *testing.T, past []action) string {
	t.Helper()
	dir := quickFolder(t)
	s := mustOpen(t, quickDisk{}, dir)
	for _, a := range past {
		if _, err := a.call(t, s, describe(t, s)); err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
	}
	return dir
}

// quickFolder is a temporary folder in memory where the system has such a
// place: these tests make thousands of files, and nothing in them depends on
// the disk beneath.
func quickFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "filestore-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := quickFolder(t)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(to, "keys", "identity"), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func mustOpen(t *testing.T, d disk, dir string) *Store {
	t.Helper()
	clock := func() time.Time { return time.Unix(1_600_000_000, 0) }
	s, err := openOn(d, Options{Dir: dir, Identity: filepath.Join(dir, "keys", "identity"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func describe(t *testing.T, s *Store) secretstore.Snapshot {
	t.Helper()
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// outcome is what the write makes of a copy of the folder without a fault.
func outcome(t *testing.T, template string, write action) secretstore.Snapshot {
	t.Helper()
	s := mustOpen(t, quickDisk{}, copyFolder(t, template))
	after, err := write.call(t, s, describe(t, s))
	if err != nil {
		t.Fatalf("%s: %v", write.name, err)
	}
	return after
}

// wantWhole wants the secret as in one of the snapshots, each version with its
// value. No two ciphertexts are the same, so revisions differ.
func wantWhole(t *testing.T, name string, s *Store, allowed ...secretstore.Snapshot) {
	t.Helper()
	got := describe(t, s)
	same := func(want secretstore.Snapshot) bool {
		return cmp.Equal(want, got, cmpopts.IgnoreFields(secretstore.Snapshot{}, "Revision"))
	}
	if !slices.ContainsFunc(allowed, same) {
		t.Errorf("%s: the secret is %+v", name, got)
	}
	for _, v := range got.Versions {
		if value, err := s.Read(t.Context(), v.ID); err != nil || !value.Equal(valueOf(v.ID)) {
			t.Errorf("%s: read %s: error %v, or another value", name, v.ID, err)
		}
	}
}

// liveOn goes through a rotation on what the crash left, and wants no file in
// the folder afterwards that has no purpose.
func liveOn(t *testing.T, name string, s *Store) {
	t.Helper()
	previous := describe(t, s).Versions[secretstore.Previous].ID
	for _, a := range []action{
		annotating("on"), destroying(previous), staging("x"), promoting("x"), staging("y"), staging("z"),
	} {
		if _, err := a.call(t, s, describe(t, s)); err != nil {
			t.Fatalf("%s, then %s: %v", name, a.name, err)
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	purposeless := slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() || slices.Contains([]string{stateFile, lockFile}, e.Name()) })
	if len(purposeless) > 0 {
		t.Errorf("%s, then a rotation: %s is left", name, names(purposeless))
	}
}

func names(entries []fs.DirEntry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}
