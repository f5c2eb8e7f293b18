package status_test

import (
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// TestNothingIsCalledWorkingThatWasNotSeenToBe: whether all consumers hold working keys is
// known of what was looked at lately, whole, and tested where a test was made.
func TestNothingIsCalledWorkingThatWasNotSeenToBe(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	key := secretstore.Version{ID: "k1"}
	good := func() rotator.TargetStatus {
		return rotator.TargetStatus{Target: "sending", Current: &key, Stores: []rotator.StoreState{
			{Name: "aws", Snapshot: secretstore.Snapshot{Versions: map[secretstore.Stage]secretstore.Version{secretstore.Current: key}}},
		}}
	}
	for what, c := range map[string]struct {
		put      func(b *status.Board)
		expected int
		want     string
	}{
		"a key that works":    {func(*status.Board) {}, 1, "yes"},
		"a refused key":       {put(now, good(), func(o *rotator.TargetStatus) { o.Dead = true }), 1, "no"},
		"no key":              {put(now, good(), func(o *rotator.TargetStatus) { o.Current = nil }), 1, "no"},
		"no key in one place": {put(now, good(), func(o *rotator.TargetStatus) { o.Stores = append(o.Stores, rotator.StoreState{Name: "b"}) }), 1, "no"},
		"maybe refused":       {put(now, good(), func(o *rotator.TargetStatus) { o.Refused = true }), 1, "not known since 2026-11-22 03:00Z"},
		"a list that cannot be read": {put(now, good(), func(o *rotator.TargetStatus) { o.Err = errors.New("no") }), 1,
			"not known since 2026-11-22 02:50Z"},
		"a store that cannot be read": {put(now, good(), func(o *rotator.TargetStatus) { o.Stores[0].Err = errors.New("no") }), 1,
			"not known since 2026-11-22 02:50Z"},
		"a look too long ago":         {put(now.Add(-time.Hour), good(), func(*rotator.TargetStatus) {}), 1, "not known since 2026-11-22 02:00Z"},
		"a target not looked at":      {func(*status.Board) {}, 2, "not known yet"},
		"a test that failed":          {func(b *status.Board) { b.Verified("sending", "aws", "store aws gives a dead key") }, 1, "no"},
		"a test that was made good":   {func(b *status.Board) { b.Verified("sending", "aws", "x"); b.Verified("sending", "aws", "") }, 1, "yes"},
		"a test of the key of before": {func(b *status.Board) { b.Verified("sending", "aws", "x"); rotated(b, now, good()) }, 1, "yes"},
		"a follower with a hand's value": {put(now, good(), func(o *rotator.TargetStatus) {
			o.Stores = append(o.Stores, rotator.StoreState{Name: "b", Snapshot: secretstore.Snapshot{Versions: map[secretstore.Stage]secretstore.Version{
				secretstore.Current: {ID: "by-hand-1", Foreign: true},
			}}})
		}), 1, "not known since 2026-11-22 03:00Z"},
		"a sink that has the key":      {put(now, good(), sink("k1", true, nil)), 1, "yes"},
		"a sink whose old key lives":   {put(now, good(), with(sink("k0", false, errors.New("no")), old("k0", false))), 1, "yes"},
		"a sink whose old key is dead": {put(now, good(), with(sink("k0", false, nil), old("k0", true))), 1, "no"},
		"a sink with a key of nobody":  {put(now, good(), sink("kx", false, nil)), 1, "not known since 2026-11-22 03:00Z"},
		"a sink with we know not what": {put(now, good(), sink("", false, errors.New("no"))), 1, "not known since 2026-11-22 03:00Z"},
		"a sink that cannot be asked":  {put(now, good(), sink("k1", true, errors.New("no"))), 1, "not known since 2026-11-22 03:00Z"},
		"a test of nobody that counts": {func(b *status.Board) { b.Verified("another", "aws", "x") }, 1, "yes"},
	} {
		b := status.NewBoard()
		b.Keep([]string{"sending"})
		b.Put(rotator.Result{Target: "sending", Status: good()}, now.Add(-10*time.Minute))
		c.put(b)
		got := status.Report{Targets: b.Targets(now)}.Assurance(now, 20*time.Minute, c.expected)
		if want := "all consumers hold working keys: " + c.want; got.Text() != want {
			t.Errorf("%s: %q, want %q (%+v)", what, got.Text(), want, got)
		}
	}
}

func put(at time.Time, o rotator.TargetStatus, change func(*rotator.TargetStatus)) func(*status.Board) {
	return func(b *status.Board) {
		change(&o)
		b.Put(rotator.Result{Target: "sending", Status: o, Err: o.Err}, at)
	}
}

func rotated(b *status.Board, at time.Time, o rotator.TargetStatus) {
	b.Put(rotator.Result{Target: "sending", Status: o, Rotated: true}, at)
}

// sink is one with that key, which is the current one or not.
func sink(key string, current bool, err error) func(*rotator.TargetStatus) {
	return func(o *rotator.TargetStatus) {
		o.Sinks = append(o.Sinks, rotator.SinkStatus{Name: "github:web", KeyID: key, Current: current, Err: err})
	}
}

// old is an old key, which the key list has or has not any more.
func old(key string, gone bool) func(*rotator.TargetStatus) {
	return func(o *rotator.TargetStatus) { o.Old = append(o.Old, rotator.OldKey{ID: key, Unlisted: gone}) }
}

func with(changes ...func(*rotator.TargetStatus)) func(*rotator.TargetStatus) {
	return func(o *rotator.TargetStatus) {
		for _, change := range changes {
			change(o)
		}
	}
}
