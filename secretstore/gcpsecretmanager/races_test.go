package gcpsecretmanager_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// A scene is a state of the secret and the writes that may meet in it.
type scene struct {
	name   string
	past   []write
	writes []write
}

func scenes() []scene {
	return []scene{
		{"empty", []write{reserving("a")}, []write{annotating("x"), staging("a"), staging("b")}},
		{"reserved", []write{staging("a"), promoting("a"), reserving("b")},
			[]write{annotating("x"), reserving("c"), staging("b"), staging("c")}},
		{"pending", []write{staging("a"), promoting("a"), staging("b")},
			[]write{annotating("x"), staging("c"), promoting("b"), destroying("b")}},
		{"grace", []write{staging("a"), promoting("a"), staging("b"), promoting("b")},
			[]write{annotating("x"), staging("c"), destroying("a")}},
		{"all stages", []write{staging("a"), promoting("a"), staging("b"), promoting("b"), staging("c")},
			[]write{annotating("x"), staging("d"), promoting("c"), destroying("a"), destroying("c")}},
		{"passed over", []write{staging("a"), promoting("a"), staging("b"), puttingByHand()},
			[]write{annotating("x"), promoting("b"), destroying("b"), staging("c")}},
	}
}

// puttingByHand stands for a value that somebody puts on top; see setTheScene.
func puttingByHand() write { return write{name: "by hand"} }

// A judge reads, after each call, what readers of the latest version get: it
// must be a key that the secret still refers to. Any other may be revoked at any
// moment, since a rotator may read just now.
type judge struct {
	server   *gcptest.Server
	observer secretstore.Store
	wrong    []string
}

func (j *judge) check(t testing.TB, when string) {
	latest := j.server.Served(id, "latest")
	snap, err := j.observer.Describe(t.Context())
	if err != nil {
		j.wrong = append(j.wrong, fmt.Sprintf("%s: %v", when, err))
		return
	}
	referred := false
	for _, v := range snap.Versions {
		referred = referred || valueOf(v.ID).Reveal() == latest || v.Foreign
	}
	_, current := snap.Versions[secretstore.Current]
	if latest != "" && !referred || latest == "" && current {
		j.wrong = append(j.wrong, fmt.Sprintf("%s: latest serves %q, but the secret holds %s", when, latest, held(snap)))
	}
}

func untapped(string, bool) error { return nil }

// setTheScene brings the secret into a state, with a judge beside it.
func setTheScene(t testing.TB, c *clock, past []write) *judge {
	t.Helper()
	server := newServer(t)
	s := openTapped(t, server, untapped, at(c))
	for _, w := range past {
		if w.call == nil {
			server.Put(id, "by hand")
			continue
		}
		must(t, s, w)
	}
	return &judge{server: server, observer: openTapped(t, server, untapped, at(c))}
}

// A runner makes one write in a goroutine of its own and can be paused at one of
// its calls.
type runner struct {
	store  secretstore.Store
	seen   secretstore.Snapshot
	paused chan struct{}
	goOn   chan struct{}
	done   chan error
	ended  bool
	err    error
}

func newRunner(t testing.TB, j *judge, c *clock, pauseAt int) *runner {
	r := &runner{paused: make(chan struct{}, 1), goOn: make(chan struct{}), done: make(chan error, 1)}
	calls, armed := 0, false
	r.store = openTapped(t, j.server, func(method string, after bool) error {
		if after && armed {
			j.check(t, "after "+method)
		}
		if after || !armed {
			return nil
		}
		if calls++; calls == pauseAt {
			r.paused <- struct{}{}
			<-r.goOn
		}
		return nil
	}, at(c))
	r.seen = describe(t, r.store)
	armed = true
	return r
}

// run begins the write, and returns when it is paused or done.
func (r *runner) run(t testing.TB, w write) {
	go func() {
		_, err := w.call(t, r.store, r.seen)
		r.done <- err
	}()
	select {
	case <-r.paused:
	case r.err = <-r.done:
		r.ended = true
	}
}

// finish lets a paused write go on to its end.
func (r *runner) finish() {
	close(r.goOn)
	if !r.ended {
		r.err = <-r.done
	}
}

// meet pauses write a before one of its calls, runs write b to one of its calls,
// finishes a, finishes b. b is made on the snapshot that a has or, if later, on
// one taken while a is paused.
func meet(t *testing.T, sc scene, a, b write, callA, callB int, later bool) (paused bool) {
	t.Helper()
	c := newClock()
	j := setTheScene(t, c, sc.past)
	x, y := newRunner(t, j, c, callA), newRunner(t, j, c, callB)
	x.run(t, a)
	paused = !x.ended
	if later {
		y = newRunner(t, j, c, callB)
	}
	y.run(t, b)
	x.finish()
	y.finish()
	story := fmt.Sprintf("%s: %s paused before call %d, %s before call %d, later: %t", sc.name, a.name, callA, b.name, callB, later)
	for _, err := range []error{x.err, y.err} {
		gone := later && errors.Is(err, secretstore.ErrNotFound) // it was promoted or destroyed before
		if err != nil && !errors.Is(err, secretstore.ErrConflict) && !gone {
			t.Errorf("%s: neither won nor stood back: %v", story, err)
		}
	}
	if x.err == nil && y.err == nil && a.name != b.name && !later {
		t.Errorf("%s: both won on one snapshot", story)
	}
	if len(j.wrong) > 0 {
		t.Errorf("%s:\n  %s", story, strings.Join(slices.Compact(j.wrong), "\n  "))
	}
	c.advance(3 * time.Minute) // whoever was left over is given up
	must(t, j.observer, annotating("afterwards"))
	j.check(t, "afterwards")
	return paused || !y.ended
}

// TestTwoWritersMeetAtEveryPairOfCalls is about races in which nobody is held up
// for longer than the lease.
func TestTwoWritersMeetAtEveryPairOfCalls(t *testing.T) {
	planned, runs := 0, 0 // in short mode one of seven
	for _, sc := range scenes() {
		for _, a := range sc.writes {
			for _, b := range sc.writes {
				for callA := 1; callA <= 9; callA++ {
					for callB := 1; callB <= 9; callB++ {
						paused := false
						for _, later := range []bool{false, true} {
							if planned++; testing.Short() && planned%7 != 0 {
								paused = true
								continue
							}
							synctest.Test(t, func(t *testing.T) { paused = meet(t, sc, a, b, callA, callB, later) || paused })
							runs++
						}
						if !paused {
							break
						}
					}
				}
			}
		}
	}
	t.Logf("%d meetings of two writers: latest served a key that was referred to after every call", runs)
}

// TestNothingToDoIsAConflictTooOnAStaleSnapshot is about a store that has in
// memory what it saw, and would not find out by a write.
func TestNothingToDoIsAConflictTooOnAStaleSnapshot(t *testing.T) {
	server := newServer(t)
	s, other := open(t, server), open(t, server)
	seen := must(t, s, staging("a"), promoting("a"))
	must(t, other, annotating("meanwhile"))
	for _, w := range []write{promoting("a"), destroying("b")} {
		_, err := w.call(t, s, seen)
		wantError(t, err, secretstore.ErrConflict)
		seen = must(t, s)
		must(t, other, annotating("meanwhile"))
	}
}

// TestReadBetweenTheCallsOfAWriterSeesNoStranger pauses a read between its two
// calls while a writer goes on from one of his to the end: what he adds must not be
// taken for a version put by hand.
func TestReadBetweenTheCallsOfAWriterSeesNoStranger(t *testing.T) {
	for from := 1; from <= 4; from++ {
		synctest.Test(t, func(t *testing.T) {
			c := newClock()
			j := setTheScene(t, c, []write{staging("a"), promoting("a"), reserving("b")})
			writer := newRunner(t, j, c, from)
			reached := make(chan struct{})
			reads := 0
			looker := openTapped(t, j.server, func(_ string, after bool) error {
				if reads++; !after && reads == 3 { // before the second call
					writer.finish()
					close(reached)
				}
				return nil
			}, at(c))
			writer.run(t, staging("b"))
			snap := describe(t, looker)
			<-reached
			for stage, v := range snap.Versions {
				if v.Foreign {
					t.Errorf("paused before call %d: the %s version %s is shown as foreign", from, stage, v.ID)
				}
			}
		})
	}
}
