package daemon

import (
	"container/heap"
	"errors"
	"hash/fnv"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

const (
	// soonest is the least time between two runs of a target.
	soonest = time.Second
	// firstRetry is the wait after a failed run, doubled with each in a row. How
	// long a rotation that failed has to wait is in the store: a run costs no
	// key.
	firstRetry = time.Minute
	lastRetry  = 30 * time.Minute
	// spread keeps targets that failed together from coming back together.
	spread = 10 * time.Second
)

// wake tells when to reconcile a target again: when its run said, after a failure
// a while later, and at the next resync at the latest; to the second.
func wake(now time.Time, r rotator.Result, failed int, resync time.Time) time.Time {
	at := resync
	switch {
	case r.Err != nil:
		at = now.Add(retry(failed)).Add(share(r.Target, spread))
		if open := (*rotator.CircuitOpenError)(nil); errors.As(r.Err, &open) {
			at = open.Until.Add(share(r.Target, spread))
		}
		// What failed may have nothing to do with a rotation that falls due meanwhile.
		if due := r.Status.NextDue; due.After(now) && due.Before(at) {
			at = due
		}
	case !r.Next.IsZero():
		at = r.Next
	}
	if resync.Before(at) {
		at = resync
	}
	if earliest := now.Add(soonest); at.Before(earliest) {
		at = earliest
	}
	return roundUp(at)
}

// roundUp gives the next whole second, so that targets which are due within the
// same second share a key list. Never down: a target that is reconciled too
// early has to be reconciled again.
func roundUp(t time.Time) time.Time {
	if part := time.Duration(t.Nanosecond()); part > 0 {
		return t.Add(time.Second - part)
	}
	return t
}

func retry(failed int) time.Duration {
	wait := firstRetry
	for range failed - 1 {
		if wait *= 2; wait >= lastRetry {
			return lastRetry
		}
	}
	return wait
}

// share gives a target's own part of most.
func share(target string, most time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(target)) // never fails
	return time.Duration(h.Sum64() % uint64(most))
}

// agenda says which target to reconcile when.
type agenda struct {
	at    map[string]*appointment
	queue queue
}

type appointment struct {
	name  string
	at    time.Time
	index int // in the queue
}

func newAgenda() agenda { return agenda{at: map[string]*appointment{}} }

// set puts a target down for an instant, in the place of what it was down for.
func (a *agenda) set(name string, at time.Time) {
	if old, ok := a.at[name]; ok {
		old.at = at
		heap.Fix(&a.queue, old.index)
		return
	}
	e := &appointment{name: name, at: at}
	a.at[name] = e
	heap.Push(&a.queue, e)
}

// due takes the targets off that are down for now or before, the earliest first.
func (a *agenda) due(now time.Time) []string {
	var names []string
	for len(a.queue) > 0 && !a.queue[0].at.After(now) {
		e := heap.Pop(&a.queue).(*appointment) // the queue holds nothing else
		delete(a.at, e.name)
		names = append(names, e.name)
	}
	return names
}

// next gives the earliest instant that something is down for.
func (a *agenda) next() (time.Time, bool) {
	if len(a.queue) == 0 {
		return time.Time{}, false
	}
	return a.queue[0].at, true
}

// queue is a heap by time, and by name at the same time.
type queue []*appointment

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (q queue) Len() int { return len(q) }

// Less implements [heap.Interface].
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].name < q[j].name
	}
	return q[i].at.Before(q[j].at)
}

// Swap implements [heap.Interface].
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements [heap.Interface].
func (q *queue) Push(x any) {
	e := x.(*appointment) // only appointments are pushed
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return e
}
