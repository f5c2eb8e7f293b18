package rotator

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// receiversBehind waits until receivers have read the current value: for the settle time, and
// the gates, which are told of it before, so that it is the settle time of those, too, that
// learn of the value in no other way. In an incident nobody is waited for.
func (v *view) receiversBehind(cur secretstore.Version) answer {
	at, known := v.settledAt()
	if v.Settled == cur.ID {
		at = time.Time{} // it was over; what moved it was this run's own switch
	}
	if a := v.tellReceivers(cur); known && !a.passes() {
		return a
	}
	if f := v.primary().Notes.Failure; f.Step == string(SwitchBack) && (!v.emergency() || v.refusedInIncident()) {
		if v.emergency() {
			at, known = time.Time{}, true // what receivers have read is not waited for
		}
		if v.within(f.At, backoff(f.Count)) && !v.request.IgnoreBackoff {
			at = later(at, f.At.Add(backoff(f.Count)))
		}
		if known && v.now.Before(at) {
			return backOff(at, "the webhooks send the new value again, which receivers refused")
		}
	}
	_, byHand := v.storeByHand()
	switch {
	case v.emergency() && !byHand:
		return pass()
	case !known || byHand:
		return v.waitForStores()
	case v.now.Before(at):
		return wait(at, "when receivers have read it, the webhooks send the new value")
	}
	return v.receiversMoved(cur)
}

// tellReceivers has the gates bring receivers to the current value, once a run.
func (v *view) tellReceivers(cur secretstore.Version) answer {
	for i, g := range v.Gates {
		if !v.isAnswer(g, cur.ID) && !v.ReadOnly && !v.waived() {
			return act(Step{Verb: Converge, Gate: i, ID: cur.ID, Reason: "bring receivers to the new value"})
		}
	}
	return pass()
}

// receiversMoved tells what the gates said. Who only reads does not ask: then a run has to.
func (v *view) receiversMoved(cur secretstore.Version) answer {
	if v.waived() {
		return pass()
	}
	for i, g := range v.Gates {
		switch {
		case !v.isAnswer(g, cur.ID):
			return act(Step{Verb: Converge, Gate: i, ID: cur.ID, Reason: "bring receivers to the new value"})
		case g.err != nil:
			return stop(g.err).report()
		}
	}
	return pass()
}

// waitForStores is for a value that not every store has. Where somebody has put another one
// only a person can go on: what one store gives is not forced on the receivers of the others.
func (v *view) waitForStores() answer {
	if name, byHand := v.storeByHand(); byHand {
		return stop(fmt.Errorf("store %s: %w: it gives another value than the other stores; set the one that they have", name, ErrByHand)).report()
	}
	return wait(time.Time{}, "not every store has the current value, so no webhook is switched to it")
}

// storeByHand gives a store, of several, into which somebody has put a value.
func (v *view) storeByHand() (name string, found bool) {
	for i, st := range v.Stores {
		if cur, ok := v.current(i); ok && cur.Foreign && len(v.Stores) > 1 {
			return st.Name, true
		}
	}
	return "", false
}
