package daemon

import (
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Fleet is what a daemon runs: what one configuration says.
type Fleet struct {
	Engine  Engine
	Targets []rotator.Target
	// Resync is how often everything is reconciled; more than 0. All targets
	// at the same instants, so that they share the workspaces' key lists.
	Resync time.Duration
	// Close gives the stores' connections up; called once, when the last run of
	// the fleet has ended. May be nil.
	Close func()

	byName map[string]rotator.Target
	opened time.Time // resyncs are counted from then

	mu   sync.Mutex
	uses int
}

// open readies the fleet to be run.
func (f *Fleet) open() *Fleet {
	f.byName = make(map[string]rotator.Target, len(f.Targets))
	for _, t := range f.Targets {
		f.byName[t.Name] = t
	}
	f.hold(1)
	return f
}

// hold keeps the fleet open for n more users.
func (f *Fleet) hold(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.uses += n
}

// release lets one user go; after the last, the fleet is closed.
func (f *Fleet) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.uses--; f.uses == 0 && f.Close != nil {
		f.Close()
	}
}

// nextResync gives the next instant at which everything is reconciled.
func (f *Fleet) nextResync(now time.Time) time.Time {
	passed := now.Sub(f.opened) / f.Resync
	return f.opened.Add((passed + 1) * f.Resync)
}
