package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Board shows what was last seen of each target. It is for those who ask; the
// engine never reads it.
type Board struct {
	mu      sync.RWMutex
	names   map[string]bool // that are shown
	entries map[string]entry
}

// An entry is what was last seen of a target.
type entry struct {
	rotator.TargetStatus
	// ran is when the last run ended, settled when the last one did without
	// an error; zero if none did yet.
	ran, settled time.Time
	// known is when all of it was last read.
	known time.Time
	// wrong says of stores that they gave no key that works.
	wrong map[string]string
	// err is why the last run ended early; nil if it did not.
	err error
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
	if known := e.Target != ""; r.Status.Err == nil || !known {
		e.TargetStatus = r.Status
	} else {
		e.Next = r.Status.Next
	}
	if readable(r.Status) {
		e.known = at
	}
	e.ran, e.err = at, r.Err
	if r.Err == nil && !r.Interrupted {
		e.settled = at
	}
	if r.Rotated {
		e.wrong = nil // it was said of another key
	}
	b.entries[r.Target] = e
}

// Verified shows what a test of what consumers of a store read came to: what is wrong, or
// nothing.
func (b *Board) Verified(target, store, wrong string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[target]
	if !ok {
		return
	}
	e.wrong = maps.Clone(e.wrong) // a picture that is being drawn may have it
	if delete(e.wrong, store); wrong != "" {
		if e.wrong == nil {
			e.wrong = map[string]string{}
		}
		e.wrong[store] = wrong
	}
	b.entries[target] = e
}

// Keep makes these the targets that are shown, and forgets all others.
func (b *Board) Keep(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make(map[string]entry, len(names))
	b.names = make(map[string]bool, len(names))
	for _, name := range names {
		b.names[name] = true
		if e, ok := b.entries[name]; ok {
			kept[name] = e
		}
	}
	b.entries = kept
}

// Targets draws the picture of all of them at now, by name.
func (b *Board) Targets(now time.Time) []Target {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Target, 0, len(b.entries))
	for _, e := range b.entries {
		out = append(out, e.target(now))
	}
	slices.SortFunc(out, func(x, y Target) int { return strings.Compare(x.Target, y.Target) })
	return out
}

func (e entry) target(now time.Time) Target {
	t := Of(e.TargetStatus, now)
	t.AsOf, t.SettledAt, t.KnownAt = e.ran.UTC(), humantime.Optional(e.settled), humantime.Optional(e.known)
	for _, store := range slices.Sorted(maps.Keys(e.wrong)) {
		t.Wrong = append(t.Wrong, e.wrong[store])
	}
	if e.err != nil {
		t.Error, t.Unanswered = e.err.Error(), unanswered(e.err)
		t.State = stateOf(t)
	}
	return t
}

// Err gives why nothing can be worked with: the first error, if the last run of
// every target ended with one; nil if there is none.
func (b *Board) Err() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var first entry
	for _, e := range b.entries {
		if e.err == nil {
			return nil
		}
		if first.err == nil || e.Target < first.Target {
			first = e
		}
	}
	if first.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", first.Target, first.err)
}
