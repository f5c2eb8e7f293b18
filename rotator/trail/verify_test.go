package trail_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// A written log: its lines, and what is needed to verify it.
type written struct {
	lines [][]byte
	key   string
	known trail.Checkpoint // the last, kept elsewhere
	// entry is the number of the entry that a line is, or else of the one after it.
	entry []int64
}

func (w written) isEntry(i int) bool { return bytes.HasPrefix(w.lines[i], []byte(`{"seq":`)) }

// verifier gives one that has taken the first n lines, which are as they were written.
func (w written) verifier(t *testing.T, n int) trail.Verifier {
	t.Helper()
	v, err := trail.NewVerifier(w.key, &w.known)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range w.lines[:n] {
		v.Line(line, false)
	}
	return *v
}

// write makes a log of so many entries, with a checkpoint after every seventh.
func write(t *testing.T, entries int) written {
	t.Helper()
	dir := t.TempDir()
	l := trail.New(trail.Options{Dir: dir, Name: "host"})
	for i := 1; i < entries; i++ { // the log makes the first itself
		e := trail.Entry{Kind: trail.Intent, Time: time.Unix(int64(i), 0), What: trail.What{Verb: "stage", Target: fmt.Sprint("t", i%20)}}
		if _, err := l.Append(e, i%7 == 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, dir)
}

func read(t *testing.T, dir string) written {
	t.Helper()
	var w written
	var err error
	if w.key, err = trail.PublicKey(dir); err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := trail.Lines(dir, func(line []byte, _ bool) error {
		w.lines, w.entry = append(w.lines, bytes.Clone(line)), append(w.entry, n)
		if w.isEntry(len(w.lines) - 1) {
			n++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if w.known, err = trail.LastCheckpoint(dir, w.key); err != nil {
		t.Fatal(err)
	}
	if w.known.Size != n {
		t.Fatalf("the last checkpoint is of %d entries of %d", w.known.Size, n)
	}
	return w
}

// found gives the fault that is found when these lines come after what v has taken.
func found(t *testing.T, v trail.Verifier, lines ...[]byte) *trail.FaultError {
	t.Helper()
	for _, line := range lines {
		v.Line(line, false)
	}
	_, err := v.Done()
	var f *trail.FaultError
	if err != nil && !errors.As(err, &f) {
		t.Fatal(err)
	}
	return f
}

// after gives lines and what follows them in the log.
func (w written) after(i int, lines ...[]byte) [][]byte {
	return append(lines, w.lines[i:]...)
}

func TestVerifyFindsEveryChangedByte(t *testing.T) {
	const entries = 500
	w := write(t, entries)
	v := w.verifier(t, 0)
	if f := found(t, v, w.lines...); f != nil {
		t.Fatalf("a log as it was written: %v", f)
	}
	stride := 1
	if testing.Short() {
		stride = 13
	}
	for i, line := range w.lines {
		for at := i % stride; at < len(line); at += stride {
			changed := bytes.Clone(line)
			changed[at] ^= 1
			// What follows is needed only until the fault is found.
			rest := w.lines[i+1 : min(i+4, len(w.lines))]
			f := found(t, v, append([][]byte{changed}, rest...)...)
			switch {
			case f == nil:
				t.Fatalf("line %d: byte %d changed, and nothing was found:\n%s", i, at, changed)
			case w.isEntry(i) && f.Entry != w.entry[i]:
				f = found(t, v, w.after(i+1, changed)...)
				if f.Entry != w.entry[i] {
					t.Fatalf("entry %d: byte %d changed, and named is: %v", w.entry[i], at, f)
				}
			}
		}
		v.Line(line, false)
	}
}

func TestVerifyFindsWhatWasRemovedSwappedOrCutOff(t *testing.T) {
	w := write(t, 500)
	v := w.verifier(t, 0)
	for i, line := range w.lines {
		if !w.isEntry(i) {
			v.Line(line, false)
			continue
		}
		if f := found(t, v, w.after(i+1)...); f == nil || f.Entry != w.entry[i] {
			t.Fatalf("entry %d was removed, and named is: %v", w.entry[i], f)
		}
		if f := found(t, v, w.after(i+1, line, line)...); f == nil || f.Entry != w.entry[i]+1 {
			t.Fatalf("entry %d was repeated, and named is: %v", w.entry[i], f)
		}
		if f := found(t, v); f == nil || f.Entry != w.entry[i] || !strings.Contains(f.What, "cut off") {
			t.Fatalf("the log was cut off at entry %d, and named is: %v", w.entry[i], f)
		}
		if next := i + 1; next < len(w.lines) && w.isEntry(next) {
			if f := found(t, v, w.after(i+2, w.lines[next], line)...); f == nil || f.Entry != w.entry[i] || !strings.Contains(f.What, "moved") {
				t.Fatalf("entry %d was swapped with the next, and named is: %v", w.entry[i], f)
			}
		}
		v.Line(line, false)
	}
}

// Cut off in the middle of a line, at any byte of the last ones.
func TestVerifyFindsALogCutOffAnywhere(t *testing.T) {
	w := write(t, 40)
	whole := append(bytes.Join(w.lines, []byte("\n")), '\n')
	path := filepath.Join(t.TempDir(), "lines")
	for at := len(whole) - 2000; at < len(whole)-1-len(w.lines[len(w.lines)-1]); at += 3 {
		if err := os.WriteFile(path, whole[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := trail.Verify(path, w.key, &w.known)
		if f := (*trail.FaultError)(nil); !errors.As(err, &f) || !strings.Contains(f.What, "cut off") {
			t.Fatalf("cut off at byte %d of %d: %v", at, len(whole), err)
		}
	}
}

// Whoever writes the log anew with another key, or from the start, is found out by the
// public key, or the checkpoint, that was kept elsewhere.
func TestVerifyFindsALogThatWasWrittenAnew(t *testing.T) {
	w, other := write(t, 30), write(t, 30)
	if f := found(t, w.verifier(t, 0), other.lines...); f == nil {
		t.Error("a log signed with another key passes")
	}
	v, err := trail.NewVerifier(other.key, &w.known)
	if err != nil {
		t.Fatal(err)
	}
	if f := found(t, *v, other.lines...); f == nil {
		t.Error("a log that is not that of the checkpoint passes")
	}
}
