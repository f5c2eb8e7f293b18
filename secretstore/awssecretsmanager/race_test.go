package awssecretsmanager_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// A situation is a secret and what writers may want to do with it.
type situation struct {
	name   string
	before []write
	writes []write
	// exclusive is the write that only one instance can make: the one that issued
	// the key for the reserved intent and has its value.
	exclusive string
}

func reserveAs(nonce string) write {
	return annotate("reserve "+nonce, func(n *secretstore.Notes) { n.Intent = intent(nonce) })
}

func situations() []situation {
	firstKey := []write{reserve(keyA), stage(keyA), promote(keyA)}
	secondKey := append(slices.Clone(firstKey), reserve(keyB), stage(keyB), promote(keyB))
	with := func(before []write, more ...write) []write { return append(slices.Clone(before), more...) }
	return []situation{
		{"empty", nil, []write{reserveAs("x"), reserveAs("y"), fail("x"), stage(keyA), stage(keyB)}, ""},
		{"empty, reserved", []write{reserve(keyA)}, []write{stage(keyA), cancel(), reserveAs("x"), fail("x"), stage(keyB)}, stage(keyA).name},
		{"first one pending", firstKey[:2], []write{promote(keyA), destroy(keyA), stage(keyB), reserveAs("x"), fail("x")}, ""},
		{"current", firstKey, []write{reserveAs("x"), reserveAs("y"), fail("x"), fail("y"), stage(keyB), stage(keyC)}, ""},
		{"reserved", with(firstKey, reserve(keyB)), []write{stage(keyB), cancel(), reserveAs("x"), fail("x"), stage(keyC)}, stage(keyB).name},
		{"pending", with(firstKey, reserve(keyB), stage(keyB)), []write{promote(keyB), destroy(keyB), stage(keyC), reserveAs("x"), fail("x")}, ""},
		{"previous", secondKey, []write{destroy(keyA), reserveAs("x"), fail("x"), stage(keyC)}, ""},
		{"pending with a previous", with(secondKey, stage(keyC)), []write{promote(keyC), destroy(keyC), destroy(keyA), reserveAs("x"), fail("x")}, ""},
		{"failed", with(firstKey, fail("before")), []write{
			fail("x"), annotate("forgive", func(n *secretstore.Notes) { n.Failure = secretstore.Failure{} }), reserveAs("x"),
		}, ""},
	}
}

// open gives a bench in the situation.
func (s situation) open(t testing.TB) *bench {
	b := newBench(t)
	store := b.open()
	snap := snapshotOf(t, store)
	for _, w := range s.before {
		var err error
		if snap, err = w.do(t, store, snap); err != nil {
			t.Fatalf("%s: %s: %v", s.name, w.name, err)
		}
	}
	return b
}

// alone tells what the secret means after one write, and how many calls it is.
func (s situation) alone(t testing.TB, w write) (means string, calls int) {
	b := s.open(t)
	store := b.open()
	seen := snapshotOf(t, store)
	b.server.ForgetCalls()
	if _, err := w.do(t, store, seen); err != nil {
		t.Fatalf("%s: %s alone: %v", s.name, w.name, err)
	}
	calls = len(b.server.Calls())
	return b.means(t), calls
}

// A racer is a write that stops before one of its calls.
type racer struct {
	write
	at      int
	calls   int
	seen    secretstore.Snapshot
	store   *awssecretsmanager.Store
	reached chan struct{}
	release chan struct{}
	done    chan struct{}
	err     error
}

func newRacer(b *bench, w write, at int) *racer {
	r := &racer{write: w, at: at, reached: make(chan struct{}, 1), release: make(chan struct{}), done: make(chan struct{})}
	armed := false
	r.store = b.openVia(func(_ awstest.Call, when awstest.When) error {
		if !armed || when != awstest.Before {
			return nil
		}
		if r.calls++; r.calls == r.at {
			r.reached <- struct{}{}
			<-r.release
		}
		return nil
	})
	r.seen = snapshotOf(b, r.store)
	armed = true
	return r
}

func (r *racer) start(t testing.TB) {
	go func() {
		_, r.err = r.do(t, r.store, r.seen)
		close(r.done)
	}()
	select {
	case <-r.reached:
	case <-r.done:
	}
}

func (r *racer) finish() {
	close(r.release)
	<-r.done
}

// TestTwoWritersAtEveryPairOfCalls stops one writer before each of its calls,
// another one before each of its own, both decided on the same snapshot, and
// lets the first finish before the second.
func TestTwoWritersAtEveryPairOfCalls(t *testing.T) {
	races, won := 0, 0
	for _, s := range situations() {
		calls, means := map[string]int{}, map[string]string{}
		synctest.Test(t, func(t *testing.T) {
			for _, w := range s.writes {
				means[w.name], calls[w.name] = s.alone(t, w)
			}
		})
		for _, a := range s.writes {
			for _, b := range s.writes {
				if a.name == b.name && a.name == s.exclusive {
					continue
				}
				for i := 1; i <= calls[a.name]; i++ {
					for j := 1; j <= calls[b.name]+1; j += stride(i) {
						synctest.Test(t, func(t *testing.T) {
							if race(t, s, a, b, i, j, means) {
								won++
							}
						})
						races++
					}
				}
			}
		}
	}
	t.Logf("%d races, %d had a winner: never both won, no loser left a trace that matters", races, won)
}

// stride thins the races out where the tests are to be short.
func stride(i int) int {
	if testing.Short() {
		return 2 + i%2
	}
	return 1
}

// race reports whether one of the two won.
func race(t *testing.T, s situation, a, b write, i, j int, means map[string]string) bool {
	bench := s.open(t)
	first, second := newRacer(bench, a, i), newRacer(bench, b, j)
	first.start(t)
	second.start(t)
	first.finish()
	second.finish()
	story := fmt.Sprintf("%s: %s, stopped before its call %d, and %s before its call %d", s.name, a.name, i, b.name, j)
	for _, r := range []*racer{first, second} {
		if r.err != nil && !errors.Is(r.err, secretstore.ErrConflict) {
			t.Fatalf("%s: %s: %v", story, r.name, r.err)
		}
	}
	judgeRace(t, bench, s.name, story, first, second, means)
	return first.err == nil || second.err == nil
}

func judgeRace(t *testing.T, b *bench, situation, story string, first, second *racer, means map[string]string) {
	t.Helper()
	snap := snapshotOf(t, b.open())
	for _, r := range []*racer{first, second} {
		other := first
		if r == first {
			other = second
		}
		switch {
		case r.err == nil && other.err == nil:
			if !mayBothWin(situation, r.name, other.name) {
				t.Fatalf("%s: both won; the secret is %s", story, held(snap))
			}
		case r.err == nil && b.means(t) != means[r.name] && !leavesATrace(situation, other.name):
			t.Fatalf("%s: %s won, but the secret is\n%s\nafter it alone it is\n%s", story, r.name, b.means(t), means[r.name])
		case r.err != nil && other.err != nil:
			judgeNobodyWon(t, b, story, r, snap)
		}
	}
}

// mayBothWin knows the writes of which the second finds done what it does: the
// same one twice, and dropping an intent that the other drops too. The latter only as
// long as the secret has no version: a tag is not compared and swapped.
func mayBothWin(situation, a, b string) bool {
	drops := []string{cancel().name, reserveAs("x").name, stage(keyB).name}
	if situation == "empty, reserved" && slices.Contains([]string{a, b}, cancel().name) {
		return slices.Contains(drops, a) && slices.Contains(drops, b)
	}
	return a == b && slices.Contains([]string{
		stage(keyA).name, stage(keyB).name, stage(keyC).name, reserveAs("x").name, reserveAs("y").name,
	}, a)
}

// leavesATrace tells whether a write that lost may have had an effect all the
// same: it gave up what was reserved, staged or displaced (see Annotate, Destroy
// and Stage), or it put the first version of the secret, which is pending at
// once.
func leavesATrace(situation, name string) bool {
	traces := map[string][]string{
		"empty, reserved":         {stage(keyA).name, cancel().name, reserveAs("x").name, stage(keyB).name},
		"first one pending":       {destroy(keyA).name},
		"reserved":                {cancel().name, reserveAs("x").name, stage(keyC).name},
		"pending":                 {destroy(keyB).name},
		"previous":                {destroy(keyA).name},
		"pending with a previous": {destroy(keyC).name, destroy(keyA).name},
		"failed":                  {"forgive"},
	}
	return slices.Contains(traces[situation], name)
}

// judgeNobodyWon: a promotion that failed made nothing current.
func judgeNobodyWon(t *testing.T, b *bench, story string, r *racer, snap secretstore.Snapshot) {
	t.Helper()
	was, is := r.seen.Versions[secretstore.Current].ID, snap.Versions[secretstore.Current].ID
	if was != is {
		t.Fatalf("%s: nobody won, but current was %q and is %q", story, was, is)
	}
	wasValue, _ := b.server.Value(b.name, "AWSCURRENT")
	if was != "" && wasValue != valueOf(was).Reveal() {
		t.Fatalf("%s: nobody won, but AWSCURRENT moved", story)
	}
}

func TestAtMostOneOfManyWins(t *testing.T) {
	for _, begin := range []func(*bench){
		func(*bench) {},
		func(b *bench) { rotate(b, b.open(), keyA) },
	} {
		b := newBench(t)
		begin(b)
		seen := snapshotOf(t, b.open())
		const crowd = 8
		errs := make([]error, crowd)
		var done sync.WaitGroup
		for n := range crowd {
			store := b.open()
			done.Go(func() { _, errs[n] = fail(fmt.Sprint("writer ", n)).do(t, store, seen) })
		}
		done.Wait()
		winners := 0
		for n, err := range errs {
			switch {
			case err == nil:
				winners++
				if got, want := snapshotOf(t, b.open()).Notes.Failure.Reason, fmt.Sprint("writer ", n); got != want {
					t.Errorf("%q won, but the notes are those of %q", want, got)
				}
			case !errors.Is(err, secretstore.ErrConflict):
				t.Error(err)
			}
		}
		if winners > 1 {
			t.Errorf("%d of %d writers won", winners, crowd)
		}
		if winners == 0 && snapshotOf(t, b.open()).Notes.Failure.Count != 0 {
			t.Error("nobody won, but something was written")
		}
	}
}

// TestAPausedWriterCannotReviveADeadKey stops each of the writes that lead to
// AWSCURRENT before each of its calls for as long as it takes others to give
// the key up and revoke it.
func TestAPausedWriterCannotReviveADeadKey(t *testing.T) {
	for _, c := range []struct {
		name   string
		before []write
		paused write
		giveUp []write
	}{
		{"stage while the intent is dropped", []write{reserve(keyA), stage(keyA), promote(keyA), reserve(keyB)}, stage(keyB), []write{cancel()}},
		{"stage while the intent is replaced", []write{reserve(keyA), stage(keyA), promote(keyA), reserve(keyB)}, stage(keyB), []write{reserveAs("x")}},
		{"promote while the version is destroyed", []write{reserve(keyA), stage(keyA), promote(keyA), reserve(keyB), stage(keyB)}, promote(keyB), []write{destroy(keyB)}},
		{"promote while the version is replaced", []write{reserve(keyA), stage(keyA), promote(keyA), reserve(keyB), stage(keyB)}, promote(keyB), []write{stage(keyC)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for at := 1; at <= 8; at++ {
				synctest.Test(t, func(t *testing.T) {
					giveUpWhilePaused(t, situation{name: c.name, before: c.before}, c.paused, c.giveUp, at)
				})
			}
		})
	}
}

func giveUpWhilePaused(t *testing.T, s situation, paused write, giveUp []write, at int) {
	b := s.open(t)
	r := newRacer(b, paused, at)
	r.start(t)
	other := b.open()
	revoked := false
	for range 3 {
		snap, err := other.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := giveUp[0].do(t, other, snap); err == nil {
			// What nobody refers to now, the sweep revokes at once.
			_, _, referenced := snapshotOf(t, other).Find(keyB)
			revoked = revoked || !referenced && snapshotOf(t, other).Notes.Intent.Nonce != version(keyB).Intent.Nonce
		}
		time.Sleep(time.Minute)
	}
	r.finish()
	value, _ := b.server.Value(b.name, "AWSCURRENT")
	snap := snapshotOf(t, b.open())
	_, _, held := snap.Find(keyB)
	if revoked && (held || value == valueOf(keyB).Reveal()) {
		t.Errorf("%s, stopped before its call %d: key B was given up and revoked, and is referred to again: %v, error %v", paused.name, at, snap.Versions, r.err)
	}
}
