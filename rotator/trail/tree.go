package trail

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// mostLevels is more than any log has.
const mostLevels = 48

// A tree is what a Merkle tree needs in order to grow: of each level the last complete
// subtree. It is small, and copied by assignment.
type tree struct {
	size   int64
	right  [mostLevels]tlog.Hash
	last   tlog.Hash // of the last entry
	filled bool      // there is a last entry
}

// ReadHashes implements [tlog.HashReader] for what is asked of a tree that grows.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		level, _ := tlog.SplitStoredHashIndex(x)
		if level >= mostLevels {
			return nil, fmt.Errorf("a tree of %d levels", level)
		}
		out[i] = t.right[level]
	}
	return out, nil
}

// add appends the hash of an entry.
func (t *tree) add(h tlog.Hash) error {
	made, err := tlog.StoredHashesForRecordHash(t.size, h, t)
	if err != nil {
		return err
	}
	copy(t.right[:], made)
	t.size++
	t.last, t.filled = h, true
	return nil
}

// root is the hash of the whole tree.
func (t *tree) root() (tlog.Hash, error) {
	if t.size == 0 {
		return tlog.TreeHash(0, t)
	}
	return tlog.TreeHash(t.size, t)
}

// prev is what the next entry has as the hash of the one before.
func (t *tree) prev() string {
	if !t.filled {
		return ""
	}
	return prevOf(t.last)
}
