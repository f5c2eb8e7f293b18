package daemon

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Board shows what was last seen of each target. It is for those who ask; the
// engine never reads it.
type Board struct {
	mu      sync.RWMutex
	names   map[string]bool // that are shown
	entries map[string]Entry
}

// Entry is what was last seen of a target.
type Entry struct {
	rotator.Outlook
	// Looked is when the last run ended, Settled when the last one did without
	// an error; zero if none did yet.
	Looked, Settled time.Time
	// Err is why the last run ended early; nil if it did not.
	Err error
}

// NewBoard makes a Board that shows nothing: see [Board.Keep].
func NewBoard() *Board { return &Board{} }

// Put shows how a run ended. One that could not even read the stores leaves
// what was seen before. A target that the board does not keep is left out: its
// last run may end after it was taken out of the configuration.
func (b *Board) Put(r rotator.Result, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.names[r.Target] {
		return
	}
	e := b.entries[r.Target]
	if known := e.Target != ""; r.Outlook.Err == nil || !known {
		e.Outlook = r.Outlook
	} else {
		e.Next = r.Outlook.Next
	}
	e.Looked, e.Err = at, r.Err
	if r.Err == nil && !r.Interrupted {
		e.Settled = at
	}
	b.entries[r.Target] = e
}

// Keep makes these the targets that are shown, and forgets all others.
func (b *Board) Keep(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make(map[string]Entry, len(names))
	b.names = make(map[string]bool, len(names))
	for _, name := range names {
		b.names[name] = true
		if e, ok := b.entries[name]; ok {
			kept[name] = e
		}
	}
	b.entries = kept
}

// Entries gives all of them by name.
func (b *Board) Entries() []Entry {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Entry, 0, len(b.entries))
	for _, e := range b.entries {
		out = append(out, e)
	}
	slices.SortFunc(out, func(x, y Entry) int { return strings.Compare(x.Target, y.Target) })
	return out
}
