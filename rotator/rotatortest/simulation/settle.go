package simulation

import (
	"errors"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// mostRuns is far more than a target needs to settle, over all grace periods.
const mostRuns = 20

// settle has one instance run until nothing is left to do, which must come about,
// and judges what is there then.
func (w *world) settle() {
	in := w.start(len(w.plan.Targets) + 1)
	w.settleSenders(in)
	w.settleSinks()
	for i := range w.targets {
		w.settleOne(in, i)
	}
	for _, t := range w.targets {
		if !w.isLockedOutByHand(t) {
			w.judgeSettled(t)
		}
	}
	w.judgeLeft()
}

func (w *world) settleOne(in *instance, i int) {
	var last error
	for range mostRuns {
		res := w.alone(in, i)
		if w.settled(i, res) {
			return
		}
		next := in.next[i]
		if last = res.Err; last != nil && w.targets[i].tainted {
			next = next.Add(w.targets[i].Grace) // who is told waits for what ends by itself
		}
		time.Sleep(time.Until(next))
	}
	w.violate("%s does not settle in %d runs: %v", w.targets[i].name, mostRuns, last)
}

// alone reconciles a target with nobody else about.
func (w *world) alone(in *instance, i int) (res rotator.Result) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		res = in.reconcile(i, rotator.Request{IgnoreBackoff: true})
	}()
	w.run(time.Now().Add(w.plan.Span), done)
	<-done
	return res
}

// settled tells whether a target needs no more runs.
func (w *world) settled(i int, res rotator.Result) bool {
	t := w.targets[i]
	if res.Err != nil && w.isLockedOutByHand(t) {
		return errors.Is(res.Err, instantly.ErrUnauthorized)
	}
	if res.Err != nil {
		return (t.tainted || t.senders != nil && t.senders.leftByHand()) && isUpToPeople(res.Err)
	}
	return t.tainted || !w.hasOld(t) && !w.hasStray(t) && w.allSend(t) && t.allSupplied()
}

// hasStray tells whether a key of the target lives that consumers are not given: one
// that may have been current is retired, not swept.
func (w *world) hasStray(t *target) bool {
	for _, k := range w.keys.byID {
		if k.deleted.IsZero() && !k.foreign && w.targetOf(k) == t && k.value != t.stores[0].value {
			return true
		}
	}
	return false
}

// hasOld tells whether a version of ours is left that is not current.
func (w *world) hasOld(t *target) bool {
	for _, s := range t.stores {
		snap, err := s.observer.Describe(w.t.Context())
		if err != nil {
			w.violate("%s cannot be read: %v", s.name, err)
			return false
		}
		for stage, v := range snap.Versions {
			if stage != secretstore.Current && !v.Foreign {
				return true
			}
		}
	}
	return false
}

// judgeSettled: every store gives a key that works, the same everywhere.
func (w *world) judgeSettled(t *target) {
	if t.senders != nil {
		w.judgeSentSettled(t)
		return
	}
	for _, s := range t.stores {
		k := w.keys.of(s.value)
		switch {
		case s.value == "" && t.tainted:
		case k == nil:
			w.violate("settled, but %s gives no key", s.name)
		case !k.deleted.IsZero() && !t.tainted:
			w.violate("rule 1: settled, but %s gives key %d, which is dead", s.name, k.number)
		case s.value != t.stores[0].value && !t.tainted:
			w.violate("settled, but %s gives key %d, and %s %s", s.name, k.number, t.stores[0].name, w.keys.name(t.stores[0].value))
		}
		if s.Settled != nil && !t.tainted {
			if err := s.Settled(w.t); err != nil {
				w.violate("settled, but in %s %v", s.name, err)
			}
		}
	}
	w.judgeSupplied(t)
	snap, err := t.stores[0].observer.Describe(w.t.Context())
	if err == nil && !t.tainted && (snap.Notes.Failure.Count > 0 || snap.Notes.Incident.Open()) {
		w.violate("settled, but %s still has a failure or an open incident on record", t.name)
	}
}

// judgeLeft: every living key of ours is current (rule 2), and what is not ours
// lives.
func (w *world) judgeLeft() {
	for _, k := range w.keys.byID {
		if !k.deleted.IsZero() || k.foreign {
			continue
		}
		t := w.targetOf(k)
		if w.isLockedOutByHand(t) {
			continue
		}
		if k.created.Before(t.stolen) && !t.tainted {
			w.violate("settled, but key %d of %s lives, which was there when the incident was declared", k.number, t.name)
		}
		if current := t.stores[0].value == k.value; !current && !t.tainted {
			w.violate("rule 2: settled, but key %d of %s lives and nothing refers to it", k.number, t.name)
		}
	}
}
