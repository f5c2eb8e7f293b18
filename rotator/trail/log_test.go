package trail_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

func stage(target string) trail.Entry {
	return trail.Entry{Kind: trail.Intent, What: trail.What{Verb: "stage", Target: target}}
}

func mustAppend(t *testing.T, l *trail.Log, e trail.Entry, durable bool) int64 {
	t.Helper()
	seq, err := l.Append(e, durable)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func mustVerify(t *testing.T, dir string) trail.Report {
	t.Helper()
	key, err := trail.PublicKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := trail.Verify(dir, key, nil)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return r
}

func entries(t *testing.T, dir string) (all []trail.Entry) {
	t.Helper()
	if err := trail.Entries(dir, func(e trail.Entry) error {
		all = append(all, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Outsiders verify with the code of Go's checksum database alone.
func TestALogIsATreeOfGosChecksumDatabase(t *testing.T) {
	w := write(t, 30)
	by, err := note.NewVerifier(w.key)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(w.known.Text), note.VerifierList(by))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := tlog.ParseTree([]byte(n.Text))
	if err != nil {
		t.Fatal(err)
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	var size int64
	for i, line := range w.lines {
		if !w.isEntry(i) {
			continue
		}
		made, err := tlog.StoredHashes(size, line, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, made...)
		size++
	}
	if root, err := tlog.TreeHash(size, read); err != nil || root != signed.Hash || size != signed.N {
		t.Errorf("%d entries with root %v, signed are %d with %v (%v)", size, root, signed.N, signed.Hash, err)
	}
}

func TestACutOffLineIsTakenAwayAndThatIsSaid(t *testing.T) {
	dir := t.TempDir()
	l := trail.New(trail.Options{Dir: dir})
	mustAppend(t, l, stage("a"), true)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "current.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"seq":2,"prev":"abc`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if r := mustVerify(t, dir); !r.Unfinished {
		t.Error("verify does not say that the last line is cut off")
	}
	mustAppend(t, trail.New(trail.Options{Dir: dir}), stage("b"), true)
	all := entries(t, dir)
	if len(all) != 4 || all[2].Verb != "recover" || !strings.Contains(all[2].Why, "20 bytes") || all[3].Target != "b" {
		t.Errorf("entries: %+v", all)
	}
	if r := mustVerify(t, dir); r.Unfinished || r.Size != 4 || r.Signed != 4 {
		t.Errorf("report: %+v", r)
	}
}

// Files that were compressed are verified with the rest, and when the oldest are taken away.
func TestALogOfManyFilesIsOneLog(t *testing.T) {
	dir := t.TempDir()
	l := trail.New(trail.Options{Dir: dir, MaxSize: 2000})
	for i := range 60 {
		mustAppend(t, l, stage(fmt.Sprint("t", i)), i%5 == 0)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	packed, _ := filepath.Glob(filepath.Join(dir, "*.gz"))
	if len(packed) < 3 {
		t.Fatalf("%d compressed files", len(packed))
	}
	if r := mustVerify(t, dir); r.Size != 61 || r.First != 0 || r.Signed != 61 {
		t.Errorf("report: %+v", r)
	}
	if all := entries(t, dir); len(all) != 61 || all[60].Target != "t59" {
		t.Errorf("%d entries", len(all))
	}
	key, _ := trail.PublicKey(dir)
	if err := os.Rename(packed[1], packed[1]+".away"); err != nil {
		t.Fatal(err)
	}
	var f *trail.FaultError
	if _, err := trail.Verify(dir, key, nil); !errors.As(err, &f) {
		t.Errorf("a file in the middle is not there: %v", err)
	}
	_ = os.Rename(packed[1]+".away", packed[1])
	_ = os.Remove(packed[0])
	if r := mustVerify(t, dir); r.First == 0 || r.Size != 61 {
		t.Errorf("without its oldest file: %+v", r)
	}
}

// The last of what happens once a day is found, also where its file was just compressed.
func TestTheLastEventOfAKindIsFound(t *testing.T) {
	dir := t.TempDir()
	l := trail.New(trail.Options{Dir: dir, MaxSize: 2000})
	for i := range 60 {
		mustAppend(t, l, stage(fmt.Sprint("t", i)), false)
		if i == 10 || i == 57 {
			mustAppend(t, l, trail.Entry{Kind: trail.Event, What: trail.What{Verb: "audited"}, Why: fmt.Sprint(i)}, false)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err := trail.LastEvent(dir, "audited"); err != nil || e.Why != "57" {
		t.Errorf("the last one: %+v, %v", e, err)
	}
	if e, err := trail.LastEvent(dir, "members"); err != nil || !e.Time.IsZero() || e.Kind != "" {
		t.Errorf("one that never was: %+v, %v", e, err)
	}
}

// Two processes write one log.
func TestProcessesShareALog(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for p := range 3 {
		l := trail.New(trail.Options{Dir: dir, MaxSize: 4000})
		wg.Go(func() {
			for i := range 20 {
				if _, err := l.Append(stage(fmt.Sprint(p, "-", i)), i%4 == 0); err != nil {
					t.Error(err)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r := mustVerify(t, dir); r.Size != 61 || r.Signed != 61 {
		t.Errorf("report: %+v", r)
	}
}

// A disk takes the first bytes of a line, and no more while it is full.
type disk struct {
	io.WriterAt
	full *bool
}

func (d disk) WriteAt(b []byte, at int64) (int, error) {
	if *d.full {
		n, _ := d.WriterAt.WriteAt(b[:10], at)
		return n, syscall.ENOSPC
	}
	return d.WriterAt.WriteAt(b, at)
}

// The disk is full: an intent is refused, an outcome is kept until there is room.
func TestAnOutcomeIsKeptUntilThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	l := trail.New(trail.Options{Dir: dir, Name: "host"})
	full := false
	l.Through(func(w io.WriterAt) io.WriterAt { return disk{w, &full} })
	intent := mustAppend(t, l, stage("a"), true)
	full = true
	if err := l.Tell(trail.Entry{Kind: trail.Outcome, Of: intent, Result: "ok", Time: time.Unix(7, 0)}); !errors.Is(err, trail.ErrUnwritable) {
		t.Fatalf("an outcome on a full disk: %v", err)
	}
	if _, err := l.Append(stage("b"), true); !errors.Is(err, trail.ErrUnwritable) {
		t.Fatalf("an intent on a full disk: %v", err)
	}
	if r := mustVerify(t, dir); r.Size != 2 {
		t.Errorf("on the full disk: %+v", r)
	}
	full = false
	mustAppend(t, l, stage("c"), true)
	all := entries(t, dir)
	if len(all) != 4 || all[2].Of != intent || all[2].Time.Unix() != 7 || all[3].Target != "c" {
		t.Errorf("entries: %+v", all)
	}
	mustVerify(t, dir)
}

// Those who wait for the disk at the same time share one sync.
func TestConcurrentEntriesShareASync(t *testing.T) {
	var mu sync.Mutex
	syncs := 0
	l := trail.New(trail.Options{Dir: t.TempDir(), Synced: func(time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		syncs++
		time.Sleep(2 * time.Millisecond) // a slow disk
	}})
	var wg sync.WaitGroup
	const writers, each = 10, 10
	for range writers {
		wg.Go(func() {
			for range each {
				if _, err := l.Append(stage("a"), true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if syncs > writers*each/2 {
		t.Errorf("%d syncs for %d entries of %d writers", syncs, writers*each, writers)
	}
}

func TestTheSigningKeyIsThePersonsAlone(t *testing.T) {
	dir := t.TempDir()
	mustAppend(t, trail.New(trail.Options{Dir: dir}), stage("a"), true)
	info, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
