package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// facts are the records that the account and the rules go by.
type facts struct {
	// Grace that was promised to displaced keys.
	Grace time.Duration
	// Issued are the keys that the rotator created, in order, and Stranger the
	// one made by hand; as the sandbox recorded them.
	Issued   []sandbox.KeyRecord
	Stranger sandbox.KeyRecord
	// Answers are what test calls with all keys said at the end, by id.
	Answers map[string]instantly.Verdict
	// Stored is what the current version, read back, said to a test call.
	Stored instantly.Verdict
	// Store as it was at the end.
	Store secretstore.Snapshot
	// Promotions in order.
	Promotions []promotion
	// Setbacks are the runs that stopped with an error.
	Setbacks int
	// Uses are all requests of the apps.
	Uses []use
	// Crashed and Interrupted are the keys of the two rotations that went wrong.
	Crashed, Interrupted string
}

// promotion is the moment at which a key became current.
type promotion struct {
	KeyID string
	// Begun is not after the moment, Done not before it.
	Begun, Done time.Time
}

// gather reads the facts, when the story is over and the apps have stopped. An
// error leaves out what could not be read.
func (s *story) gather(ctx context.Context) (facts, error) {
	f := facts{
		Grace:       s.world.pace.grace,
		Answers:     map[string]instantly.Verdict{},
		Promotions:  promotions(s.events),
		Setbacks:    setbacks(s.events),
		Uses:        s.apps.ledger(),
		Crashed:     s.crashed,
		Interrupted: s.interrupted,
	}
	s.world.mend() // a story that broke off may have left the API down
	tester, err := s.world.newClient(-1)
	if err != nil {
		return f, err
	}
	f.testKeys(ctx, s.world, tester)
	return f, f.readStore(ctx, s.world, tester)
}

// testKeys makes a test call with every key that there ever was, but the admin
// key.
func (f *facts) testKeys(ctx context.Context, w *world, tester *instantly.Client) {
	for _, k := range w.keys() {
		switch {
		case k.Value.Equal(w.adminKey()):
			continue
		case k.ID == w.stranger:
			f.Stranger = k
		default:
			f.Issued = append(f.Issued, k)
		}
		f.Answers[k.ID] = tester.Probe(ctx, k.Value, k.Scopes).Verdict
	}
}

// readStore reads the store as a consumer would, and tests what it gives.
func (f *facts) readStore(ctx context.Context, w *world, tester *instantly.Client) error {
	store, err := w.openStore()
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if f.Store, err = store.Describe(ctx); err != nil {
		return err
	}
	current, err := readCurrent(ctx, store)
	if err != nil {
		return fmt.Errorf("read the current key: %w", err)
	}
	f.Stored = tester.Probe(ctx, current.value, scopes()).Verdict
	return nil
}

func promotions(events []rotator.Event) []promotion {
	var ps []promotion
	for _, e := range events {
		if e.Verb == rotator.Promote && e.Err == nil {
			ps = append(ps, promotion{KeyID: e.KeyID, Begun: e.At.Add(-e.Took), Done: e.At})
		}
	}
	return ps
}

func setbacks(events []rotator.Event) int {
	n := 0
	for _, e := range events {
		if e.Err != nil {
			n++
		}
	}
	return n
}

// issued finds a key of the rotator's.
func (f facts) issued(id string) (sandbox.KeyRecord, bool) {
	i := slices.IndexFunc(f.Issued, func(k sandbox.KeyRecord) bool { return k.ID == id })
	if i < 0 {
		return sandbox.KeyRecord{}, false
	}
	return f.Issued[i], true
}

// current gives the id of the key that the store has as current; empty if none.
func (f facts) current() string { return f.Store.Versions[secretstore.Current].ID }

// revoked gives the keys of the rotator's that were deleted at the API.
func (f facts) revoked() []sandbox.KeyRecord {
	return slices.DeleteFunc(slices.Clone(f.Issued), func(k sandbox.KeyRecord) bool { return k.Deleted.IsZero() })
}

// orphans gives the keys that exist though no version in the store refers to
// them.
func (f facts) orphans() []sandbox.KeyRecord {
	return slices.DeleteFunc(slices.Clone(f.Issued), func(k sandbox.KeyRecord) bool {
		_, _, held := f.Store.Find(k.ID)
		return held || !k.Deleted.IsZero()
	})
}

// count counts the requests that ended so.
func (f facts) count(o outcome) int { return count(f.Uses, o) }

func count(uses []use, o outcome) int {
	n := 0
	for _, u := range uses {
		if u.Outcome == o {
			n++
		}
	}
	return n
}

// late counts the requests that were answered though they were made with a key
// that was displaced already: what the grace period is for.
func (f facts) late() int {
	displaced := map[string]time.Time{}
	for i, p := range f.Promotions[min(1, len(f.Promotions)):] {
		displaced[f.Promotions[i].KeyID] = p.Done
	}
	n := 0
	for _, u := range f.Uses {
		since, ok := displaced[u.KeyID]
		if ok && u.At.After(since) && u.Outcome == answered {
			n++
		}
	}
	return n
}
