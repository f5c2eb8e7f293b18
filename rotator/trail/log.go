package trail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/mod/sumdb/note"
)

// Options of a log. Dir is required.
type Options struct {
	// Dir is the folder of the log. It is made by the first write.
	Dir string
	// Name is part of the signing key's name: the machine's.
	Name string
	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// Copy gets each line too, for collectors; may be nil. Dir is the record: a copy that
	// fails stops nothing.
	Copy io.Writer
	// MaxSize is how large the file that is written grows, about, before it is compressed;
	// 16 MiB if 0.
	MaxSize int64
	// IdleSync is how long after a line without a sync one is made all the same, in the
	// background; 0: never.
	IdleSync time.Duration
	// Synced is told how long each wait for the disk took; may be nil.
	Synced func(time.Duration)
}

// mostKept is how many outcomes are kept in memory while they cannot be written.
const mostKept = 10_000

// Log is a trail that is written. It may be used by several goroutines, and several
// processes may have the same folder.
type Log struct {
	o Options

	syncing sync.Mutex // before mu
	synced  int64      // entries that are durable

	mu      sync.Mutex
	lock    *flock.Flock
	by      note.Signer
	public  string
	check   note.Verifier
	file    *os.File
	tree    tree
	first   int64 // entry of the file
	offset  int64 // of what was followed, and written
	signed  int64 // size of the last checkpoint
	kept    []Entry
	dropped int
	broken  bool // the disk lost something: the file must be written anew
	idle    *time.Timer

	between func(io.WriterAt) io.WriterAt // for tests: the file
}

// New gives the log in a folder. Nothing is read or written before the first entry.
func New(o Options) *Log {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxSize == 0 {
		o.MaxSize = 16 << 20
	}
	if o.Synced == nil {
		o.Synced = func(time.Duration) {}
	}
	return &Log{o: o, signed: -1, between: func(w io.WriterAt) io.WriterAt { return w }}
}

const (
	currentFile = "current.jsonl"
	lockFile    = "lock"
)

func (l *Log) path(name string) string { return filepath.Join(l.o.Dir, name) }

// Append writes an entry, and gives its number. With durable it is on the disk when Append
// comes back, with all that was written before. On an error the entry is not in the log.
func (l *Log) Append(e Entry, durable bool) (int64, error) {
	seq, err := l.write(e)
	if err != nil {
		return 0, unwritable(err)
	}
	if durable {
		if err := l.syncTo(seq + 1); err != nil {
			return 0, unwritable(err)
		}
	}
	return seq, nil
}

// Tell writes an entry that must not get lost, but that nothing waits for: an outcome. What
// cannot be written is kept, and written before the next line; the error says so.
func (l *Log) Tell(e Entry) error {
	if e.Time.IsZero() {
		e.Time = l.o.Now() // when it happened, not when there is room
	}
	if _, err := l.write(e); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.kept) < mostKept {
			l.kept = append(l.kept, e)
		} else {
			l.dropped++
		}
		return unwritable(err)
	}
	return nil
}

// Sync makes all entries durable, under a checkpoint.
func (l *Log) Sync() error {
	l.mu.Lock()
	began, kept := l.file != nil, len(l.kept) > 0
	l.mu.Unlock()
	if kept {
		if err := l.writeKept(); err != nil {
			return unwritable(err)
		}
		began = true
	}
	if !began {
		return nil
	}
	l.mu.Lock()
	size := l.tree.size
	l.mu.Unlock()
	if err := l.syncTo(size); err != nil {
		return unwritable(err)
	}
	return nil
}

// Close syncs the log.
func (l *Log) Close() error {
	err := l.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idle != nil {
		l.idle.Stop()
	}
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
		l.file = nil
	}
	return err
}

// PublicKey gives what the log's checkpoints are checked with, made if need be.
func (l *Log) PublicKey() (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.locked(func() error { return nil })
	return l.public, err
}

// write appends an entry, after those that were kept.
func (l *Log) write(e Entry) (seq int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err = l.locked(func() error {
		if err := l.flush(); err != nil {
			return err
		}
		seq, err = l.put(e)
		return err
	})
	if err == nil && l.o.IdleSync > 0 {
		l.syncWhenIdle()
	}
	return seq, err
}

func (l *Log) writeKept() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked(l.flush)
}

// syncWhenIdle makes what was written durable soon, if nobody does before.
func (l *Log) syncWhenIdle() {
	if l.idle == nil {
		l.idle = time.AfterFunc(l.o.IdleSync, func() { _ = l.Sync() }) // a failure shows at the next intent
		return
	}
	l.idle.Reset(l.o.IdleSync)
}

// flush writes the outcomes that were kept.
func (l *Log) flush() error {
	for len(l.kept) > 0 {
		if _, err := l.put(l.kept[0]); err != nil {
			return err
		}
		l.kept = l.kept[1:]
	}
	if l.dropped > 0 {
		e := Entry{Time: l.o.Now(), Kind: Event, What: What{Verb: "lost"}, Why: fmt.Sprintf("%d outcomes could not be written, and there was no room to keep them", l.dropped)}
		if _, err := l.put(e); err != nil {
			return err
		}
		l.dropped = 0
	}
	return nil
}

// put writes one entry. On an error the file is as before.
func (l *Log) put(e Entry) (int64, error) {
	if e.Time.IsZero() {
		e.Time = l.o.Now()
	}
	e.Time = e.Time.UTC()
	e.Seq, e.Prev = l.tree.size, l.tree.prev()
	line, err := e.line()
	if err != nil {
		return 0, err
	}
	grown := l.tree
	if err := grown.add(recordHash(line)); err != nil {
		return 0, err
	}
	if err := l.writeLine(line); err != nil {
		return 0, err
	}
	l.tree = grown
	return e.Seq, nil
}

// writeLine appends a line to the file; one that is cut off is taken back.
func (l *Log) writeLine(line []byte) error {
	line = append(line, '\n')
	n, err := l.between(l.file).WriteAt(line, l.offset)
	if err != nil {
		if n > 0 {
			_ = l.file.Truncate(l.offset) // else the next to write sees a cut-off line, and takes it away
		}
		return err
	}
	l.offset += int64(n)
	if l.o.Copy != nil {
		_, _ = l.o.Copy.Write(line)
	}
	return nil
}

// locked does something to the log while no other process does, and with all that others
// have written read.
func (l *Log) locked(do func() error) error {
	if l.lock == nil {
		if err := os.MkdirAll(l.o.Dir, 0o750); err != nil {
			return err
		}
		l.lock = flock.New(l.path(lockFile), flock.SetPermissions(0o600))
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	if _, err := l.lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("lock the trail (%s): %w", l.lock.Path(), err)
	}
	defer func() { _ = l.lock.Unlock() }()
	if err := l.open(); err != nil {
		return err
	}
	if err := l.follow(); err != nil {
		return err
	}
	if l.tree.size == 0 {
		if _, err := l.put(Entry{Kind: Event, What: What{Verb: "begin"}, Why: "the trail begins; it is verified with " + l.public}); err != nil {
			return err
		}
	}
	return do()
}

// How long a process waits for another one that writes: for one that was stopped in the
// middle of it, not for ever.
const (
	lockTimeout = 10 * time.Second
	lockPoll    = 5 * time.Millisecond
)

// open opens the file that is written, if it is not the one that is open: another process
// may have begun a new one.
func (l *Log) open() error {
	at, err := os.Stat(l.path(currentFile))
	if l.file != nil && err == nil {
		if mine, err := l.file.Stat(); err == nil && os.SameFile(at, mine) {
			return nil
		}
	}
	if l.by == nil {
		if l.by, l.public, err = signerIn(l.o.Dir, l.o.Name); err != nil {
			return err
		}
		if l.check, err = note.NewVerifier(l.public); err != nil {
			return fmt.Errorf("the trail's public key: %w", err)
		}
	}
	if errors.Is(err, os.ErrNotExist) || at == nil {
		if err := l.begin(&tree{}); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(l.path(currentFile), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	// The old one is not closed, since another goroutine may be syncing it: the runtime does.
	l.file, l.offset, l.tree, l.signed = f, 0, tree{}, -1
	return nil
}

// begin puts a new file in the place of the one that is written.
func (l *Log) begin(t *tree) error {
	cp, err := sign(t, l.by)
	if err != nil {
		return err
	}
	line, err := headLine(t, cp, l.public)
	if err != nil {
		return err
	}
	return writeWhole(l.path(currentFile), append(line, '\n'), 0o640)
}

// follow reads the lines that others have written, or that were there before. A last line
// that was cut off is taken away.
func (l *Log) follow() error {
	info, err := l.file.Stat()
	if err != nil || info.Size() == l.offset {
		return err
	}
	r := bufio.NewReader(io.NewSectionReader(l.file, l.offset, info.Size()-l.offset))
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return l.recover(len(line))
		}
		if err != nil {
			return err
		}
		if err := l.accept(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return fmt.Errorf("%s: %w", l.path(currentFile), err)
		}
		l.offset += int64(len(line))
	}
}

// ErrDamaged: what is there is not as it was written, so that nothing can be appended.
var ErrDamaged = errors.New("the trail is damaged")

// accept takes over a line that is there.
func (l *Log) accept(line []byte) error {
	switch {
	case l.offset == 0:
		t, err := treeOf(line, l.check)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		l.tree, l.first, l.signed = t, t.size, t.size
		return nil
	case bytes.HasPrefix(line, []byte(checkpointPrefix)):
		l.signed = l.tree.size // by this process it is checked when it signs the next
		return nil
	}
	at, ok := linkOf(line)
	if !ok || at.seq != l.tree.size || at.prev != l.tree.prev() {
		return fmt.Errorf("%w at entry %d", ErrDamaged, l.tree.size)
	}
	return l.tree.add(recordHash(line))
}

// recover takes the rest of a line away that a crash cut off, and says so.
func (l *Log) recover(cut int) error {
	if cut == 0 {
		return nil
	}
	if err := l.file.Truncate(l.offset); err != nil {
		return err
	}
	_, err := l.put(Entry{Kind: Event, What: What{Verb: "recover"}, Why: fmt.Sprintf("a crash had cut off the last line: its %d bytes were taken away", cut)})
	return err
}
