package trail

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

func recordHash(line []byte) tlog.Hash { return tlog.RecordHash(line) }

// syncTo waits until so many entries are durable. Who waits meanwhile is served by the next
// sync, which is one for all of them.
func (l *Log) syncTo(size int64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= size {
		return nil
	}
	begun := time.Now()
	f, size, err := l.checkpoint()
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		l.mu.Lock()
		l.broken = true // what the disk did not take, a second sync would not tell of
		l.mu.Unlock()
		return fmt.Errorf("sync the trail: %w", err)
	}
	l.synced = size
	l.o.Synced(time.Since(begun))
	return nil
}

// checkpoint signs what is there, and begins a new file if the one that is written has
// become large. It gives the file to be synced, and how many entries that makes durable.
func (l *Log) checkpoint() (f *os.File, size int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err = l.locked(func() error {
		if l.tree.size != l.signed {
			if err := l.sign(); err != nil {
				return err
			}
		}
		if l.broken || l.offset > l.o.MaxSize {
			if err := l.compress(); err != nil && l.broken {
				return err
			} // else it grows on: there may be no room for another file yet
		}
		return nil
	})
	return l.file, l.tree.size, err
}

func (l *Log) sign() error {
	cp, err := sign(&l.tree, l.by)
	if err != nil {
		return err
	}
	line, err := checkpointLine(cp)
	if err != nil {
		return err
	}
	if err := l.writeLine(line); err != nil {
		return err
	}
	l.signed = l.tree.size
	return nil
}

// compress puts the file that is written beside, and begins a new one. Cut off between the
// two, the next process finds both, and does it again.
func (l *Log) compress() error {
	path := l.path(fmt.Sprintf("%012d"+packedSuffix, l.first))
	if err := gzipTo(path, io.NewSectionReader(l.file, 0, l.offset)); err != nil {
		return err
	}
	size := l.tree
	if err := l.begin(&size); err != nil {
		return err
	}
	l.broken = false
	if err := l.open(); err != nil {
		return err
	}
	return l.follow()
}

// gzipTo writes a compressed file, durable and in one step.
func gzipTo(path string, from io.Reader) error {
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	if _, err := io.Copy(z, from); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return writeWhole(path, []byte(packed.String()), 0o640)
}
