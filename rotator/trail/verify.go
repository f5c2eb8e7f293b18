package trail

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// FaultError says what is wrong with a log, and names the first entry that it is about.
type FaultError struct {
	// Entry is the first that was changed, removed, reordered or cut off.
	Entry int64
	// What became of it.
	What string
}

// Error implements error.
func (f *FaultError) Error() string { return fmt.Sprintf("entry %d: %s", f.Entry, f.What) }

// Report is what a log was found to be.
type Report struct {
	// First is the number of the first entry that is there, and Size how many were ever
	// written.
	First int64 `json:"first"`
	Size  int64 `json:"size"`
	// Signed is how many of them the last checkpoint covers: of those after it, it shows
	// only that they hang together.
	Signed int64 `json:"signed"`
	// Unfinished: the last line is cut off. A crash leaves such a line; the next write takes
	// it away.
	Unfinished bool `json:"unfinished,omitempty"`
	// Loose is how many entries of a file are not part of the log, and left out: processes
	// wrote them and ended, or lost to another one, before they were kept. Nobody signed them.
	Loose int64 `json:"loose,omitempty"`
	// Known: a checkpoint that was kept elsewhere was compared.
	Known bool `json:"known"`
}

// Verifier reads the lines of a log and finds the first that is not as it was written. It
// is copied by assignment.
type Verifier struct {
	by    note.Verifier
	key   string
	known *Checkpoint

	tree    tree
	before  tree // without the last entry
	begun   bool
	first   int64
	signed  int64
	cut     bool
	matched bool // the known checkpoint

	fault *FaultError
	doubt doubt
}

// A doubt is an entry that does not follow from the one before: either may be the one that
// was changed, and the next line says which.
type doubt struct {
	open bool
	seq  int64  // of the earlier
	line []byte // the later
	// said is what the later one has as the hash of the earlier.
	said tlog.Hash
	// missing: the number does not follow, and what comes next says whether it was moved.
	missing bool
}

// NewVerifier makes a verifier that goes by the log's public key, and by a checkpoint that
// was kept elsewhere; nil if there is none.
func NewVerifier(key string, known *Checkpoint) (*Verifier, error) {
	by, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("the trail's public key: %w", err)
	}
	return &Verifier{by: by, key: key, known: known}, nil
}

// Verify reads a whole log: a folder's, or the lines of one that were collected in a file.
// The error is a [*FaultError] if it is not as it was written.
func Verify(path, key string, known *Checkpoint) (Report, error) {
	v, err := NewVerifier(key, known)
	if err != nil {
		return Report{}, err
	}
	if !isFolder(path) {
		return v.collected(path)
	}
	if err := Lines(path, func(line []byte, cut bool) error {
		v.Line(line, cut)
		return nil
	}); err != nil {
		if errors.Is(err, ErrDamaged) {
			return v.report(), &FaultError{v.tree.size, err.Error()}
		}
		return v.report(), err
	}
	return v.Done()
}

// collected verifies the lines of a file.
func (v *Verifier) collected(path string) (Report, error) {
	lines, loose, cut, err := collected(path)
	if errors.Is(err, ErrDamaged) {
		return v.report(), &FaultError{0, err.Error()}
	}
	if err != nil {
		return v.report(), err
	}
	for _, line := range lines {
		v.Line(line, false)
	}
	if cut != nil {
		v.Line(cut, true)
	}
	r, err := v.Done()
	r.Loose = loose
	return r, err
}

// Line takes the next line.
func (v *Verifier) Line(line []byte, cut bool) {
	switch {
	case v.fault != nil:
	case v.doubt.open:
		v.resolve(line)
	case cut:
		v.cut = true
	case v.cut:
		v.fail(v.tree.size, "there are lines after one that was cut off")
	case bytes.HasPrefix(line, []byte(headPrefix)):
		v.head(line)
	case bytes.HasPrefix(line, []byte(checkpointPrefix)):
		v.checkpoint(line)
	default:
		v.entry(line)
	}
}

// Done tells what was found.
func (v *Verifier) Done() (Report, error) {
	if v.doubt.open {
		seq := v.doubt.seq
		if !v.doubt.missing {
			seq++
		}
		v.settle(seq)
	}
	if v.fault == nil && !v.begun {
		v.fail(0, "there is nothing")
	}
	if v.fault == nil && v.known != nil && v.tree.size < v.known.Size {
		v.fail(v.tree.size, fmt.Sprintf("it and what came after were cut off: the checkpoint that was kept tells of %d entries", v.known.Size))
	}
	if v.fault == nil && v.known != nil && !v.matched {
		v.fail(v.first, fmt.Sprintf("the checkpoint that was kept, of %d entries, is older than what is there: keep a newer one", v.known.Size))
	}
	if v.fault != nil {
		return v.report(), v.fault
	}
	return v.report(), nil
}

func (v *Verifier) report() Report {
	return Report{First: v.first, Size: v.tree.size, Signed: v.signed, Unfinished: v.cut, Known: v.known != nil}
}

func (v *Verifier) fail(seq int64, what string) { v.fault = &FaultError{seq, what} }

// head takes the line that a file begins with.
func (v *Verifier) head(line []byte) {
	t, err := treeOf(line, v.by)
	switch {
	case err != nil:
		v.fail(v.tree.size, err.Error())
	case !bytes.Contains(line, []byte(`"key":"`+v.key+`"`)):
		v.fail(t.size, "the head of the file names another public key")
	case !v.begun:
		v.tree, v.first, v.signed, v.begun = t, t.size, t.size, true
		v.compare()
	case t.size > v.tree.size:
		v.fail(v.tree.size, fmt.Sprintf("the entries up to %d are not there", t.size-1))
	default:
		theirs, _ := t.root()
		if ours, err := v.tree.root(); err != nil || ours != theirs || t.size != v.tree.size || t.last != v.tree.last {
			v.fail(min(t.size, v.tree.size), "the head of the file is not what comes before it")
		}
	}
}

func (v *Verifier) checkpoint(line []byte) {
	cp, err := checkpointOf(line, v.by)
	if err != nil {
		v.fail(v.tree.size, "behind the one before: "+err.Error())
		return
	}
	v.confirm(cp)
}

// confirm compares a signed checkpoint with what was read.
func (v *Verifier) confirm(cp Checkpoint) {
	root, err := v.tree.root()
	switch {
	case err != nil:
		v.fail(v.tree.size, err.Error())
	case cp.Size > v.tree.size:
		v.fail(v.tree.size, fmt.Sprintf("it was removed: the checkpoint after it tells of %d entries", cp.Size))
	case cp.Size < v.tree.size:
		v.fail(cp.Size, "it is not where it was written: the checkpoint after it is older")
	case cp.Root == root:
		v.signed = cp.Size
	default:
		v.rewritten("what was signed")
	}
}

// rewritten names the entry that was changed where all hang together, and are not what a
// checkpoint tells of: the last, if it is the only one.
func (v *Verifier) rewritten(than string) {
	what := "it was changed"
	if v.signed < v.tree.size-1 {
		what += fmt.Sprintf(", or one since %d with all that came after it", v.signed)
	}
	v.fail(v.tree.size-1, what+": it is not "+than)
}

func (v *Verifier) entry(line []byte) {
	at, ok := linkOf(line)
	switch {
	case !ok:
		v.fail(v.tree.size, "it was changed: it is no entry")
		return
	case !v.begun && at.seq > 0:
		v.fail(0, fmt.Sprintf("the entries up to %d are not there, nor what they left", at.seq-1))
		return
	}
	v.begun = true
	switch follows := at.prev == v.tree.prev(); {
	case at.seq == v.tree.size && follows:
		v.add(line)
	case follows:
		v.fail(v.tree.size, "it was changed: its number")
	case at.seq > v.tree.size:
		v.doubt = doubt{open: true, missing: true, seq: v.tree.size}
	case at.seq < v.tree.size:
		v.fail(v.tree.size, fmt.Sprintf("entry %d is in its place", at.seq))
	default:
		v.suspect(line, at)
	}
}

// suspect notes that an entry has another hash for the one before than that has now.
func (v *Verifier) suspect(line []byte, at link) {
	said, err := tlog.ParseHash(at.prev)
	if err != nil || v.signed == v.tree.size { // a checkpoint has just confirmed the one before
		v.fail(v.tree.size, "it was changed: what it says of the one before")
		return
	}
	v.doubt = doubt{open: true, seq: v.tree.size - 1, line: bytes.Clone(line), said: said}
}

// resolve ends a doubt by the line after it, if that tells enough.
func (v *Verifier) resolve(line []byte) {
	d, later := v.doubt, recordHash(v.doubt.line)
	at, ok := linkOf(line)
	switch {
	case d.missing && ok && at.seq == d.seq:
		v.doubt.open = false
		v.fail(d.seq, "it was moved: it comes later")
	case d.missing: // it may still come
	case ok && at.prev == prevOf(later), v.confirms(line, d.said, later):
		v.settle(d.seq)
	default:
		v.settle(d.seq + 1)
	}
}

// confirms tells whether a checkpoint is that of the log with these two hashes at its end.
func (v *Verifier) confirms(line []byte, earlier, later tlog.Hash) bool {
	if !bytes.HasPrefix(line, []byte(checkpointPrefix)) {
		return false
	}
	cp, err := checkpointOf(line, v.by)
	t := v.before
	if err != nil || t.add(earlier) != nil || t.add(later) != nil {
		return false
	}
	root, err := t.root()
	return err == nil && cp.Size == t.size && cp.Root == root
}

// settle ends a doubt.
func (v *Verifier) settle(seq int64) {
	what := "it was changed"
	if v.doubt.missing {
		what = "it was removed"
	}
	v.doubt.open = false
	v.fail(seq, what)
}

func (v *Verifier) add(line []byte) {
	v.before = v.tree
	if err := v.tree.add(recordHash(line)); err != nil {
		v.fail(v.tree.size, err.Error())
		return
	}
	v.compare()
}

// compare holds what was read against the checkpoint that was kept elsewhere.
func (v *Verifier) compare() {
	if v.known == nil || v.tree.size != v.known.Size {
		return
	}
	if root, err := v.tree.root(); err != nil || root != v.known.Root {
		v.rewritten("what the checkpoint that was kept tells of")
		return
	}
	v.matched = true
}
