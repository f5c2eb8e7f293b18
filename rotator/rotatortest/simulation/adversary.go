package simulation

import (
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// inject gives a call the faults that the plan has for it, and those that last from
// before. No other call goes on meanwhile.
func (w *world) inject(c *pendingCall) {
	c.injected = true
	if w.rests {
		return
	}
	now := time.Now()
	switch {
	case c.instantly && now.Before(w.outageUntil), !c.instantly && now.Before(w.storesOutUntil):
		c.refused = errInjected
	case c.instantly && now.Before(w.floodUntil):
		full := flooded()
		c.reply = &full
	}
	for len(w.faults) > 0 && w.faults[0].Call <= w.calls {
		s := w.faults[0]
		w.faults = w.faults[1:]
		w.log("FAULT %s", s)
		if !w.injectIntoCall(c, s) {
			w.injectIntoWorld(s)
		}
	}
	if !c.instantly && (c.refused != nil || len(c.faults) > 0) {
		w.mu.Lock()
		w.excuse(func(at *target) bool { return strings.HasPrefix(c.label, at.label(0)) })
		w.mu.Unlock()
	}
}

// injectIntoCall injects a fault into the call itself; false if it is not of that kind.
func (w *world) injectIntoCall(c *pendingCall, s Fault) bool {
	now := time.Now()
	switch s.Kind {
	case Refuse:
		c.refused = errInjected
	case Lose, SlowAnswer, CrashAfter, SuspendAfter:
		c.faults = append(c.faults, s)
	case Slow:
		c.notBefore = now.Add(s.For)
	case Late:
		if c.instantly {
			c.late = s.For
		}
		c.refused = errInjected
	case Answer, SpoilAnswer:
		if !c.instantly {
			c.refused = errInjected
			break
		}
		said := replies()[s.Pick%len(replies())]
		c.reply, c.spoilt = &said, s.Kind == SpoilAnswer
	case Crash:
		w.kill(c.by, s.For)
	case Suspend:
		c.by.suspend(s.For)
	case Outage:
		c.refused, w.outageUntil = errInjected, now.Add(s.For)
	case StoreOutage:
		c.refused, w.storesOutUntil = errInjected, now.Add(s.For)
	case Flood:
		w.floodUntil = now.Add(s.For)
	case Skew:
		w.mu.Lock()
		c.by.skew = s.For
		c.by.fastest, c.by.slowest = max(c.by.fastest, s.For), min(c.by.slowest, s.For)
		w.excuse(anyTarget)
		w.mu.Unlock()
	default:
		return false
	}
	return true
}

// perRequest is how many rotations there may be for one reason: the one that was
// under way for another reason goes on, and does not count as an answer.
const perRequest = 2

// perEdit is how many there may be for an edit of the configuration: a run that was
// stopped before it, and goes on after it, goes by what it was started with, and
// what that does is undone.
const perEdit = perRequest + 1

// injectIntoWorld injects a fault into a target, or into Instantly.
func (w *world) injectIntoWorld(s Fault) {
	at := w.targets[s.Pick%len(w.targets)]
	if at.senders != nil && w.injectIntoSenders(at, s) || w.injectIntoSinks(at, s) || w.injectIntoGates(at, s) {
		return
	}
	switch s.Kind {
	case Lags:
		w.lags(s.For, s.For)
	case Revoke:
		w.revokeByHand(at, s.Pick)
	case Put:
		w.putByHand(at, s.Pick, w.madeByHand(at).value)
	case Rollback:
		w.rollBack(at, s.Pick)
	case Wipe:
		w.wipe(at, s.Pick%len(at.stores))
	case Edit:
		at.policy.Spec, at.asked = at.edited(s.Pick), at.asked+perEdit
	case Force:
		at.request, at.asked = w.command(rotator.Request{RotateSince: time.Now()}, s), at.asked+perRequest
	case Incident:
		id := "stolen " + time.Now().Format(time.RFC3339Nano)
		at.request, at.asked, at.graceless = w.command(rotator.Request{Incident: id}, s), at.asked+perRequest, true
		if at.senders != nil {
			at.senders.incident = id
		}
	case Hold:
		w.hold(at, s.For)
	case Adopt, AdoptWrong:
		w.adopt(at, s.Kind == AdoptWrong)
	case Foreign:
		w.foreign(at.workspace, owner+"/"+at.name+"/ffffffffffff/0123456789abcdef")
	default:
		w.t.Errorf("no such fault: %s", s)
	}
}

// command is a request, and the process that is to run it.
func (w *world) command(req rotator.Request, s Fault) *request {
	return &request{req, s.Pick % w.plan.Instances}
}

// revokeByHand deletes a key that a store of the target holds.
func (w *world) revokeByHand(at *target, pick int) {
	st := at.stores[pick%len(at.stores)]
	var held []*key
	for _, r := range st.history {
		if k := w.keys.of(r.value); k != nil && k.deleted.IsZero() && !k.foreign && !w.isOnlyAdminKey(at, k) {
			held = append(held, k)
		}
	}
	if len(held) == 0 {
		return
	}
	k := held[len(held)-1-pick%min(2, len(held))]
	if w.box.DeleteKey(k.id) == nil {
		k.byHand, k.deleted = true, time.Now()
	}
}

// putByHand writes a value into a store of the target, without the rotator.
func (w *world) putByHand(at *target, pick int, value string) {
	i := pick % len(at.stores)
	if at.stores[i].Put == nil {
		return
	}
	at.tainted, at.stores[i].touched = true, w.calls
	at.stores[i].Put(value)
	w.judgeStore(nil, w.index(at), i, "a change by hand")
}

// wipe takes the marks of a store away, and with those of the first one a hold.
func (w *world) wipe(at *target, i int) {
	st := at.stores[i]
	if st.Wipe == nil {
		return
	}
	if at.tainted, st.touched = true, w.calls; i == 0 {
		at.heldSince = 0
	}
	st.Wipe()
}

// rollBack makes the value before the current one current again.
func (w *world) rollBack(at *target, pick int) {
	st := at.stores[pick%len(at.stores)]
	if n := len(st.history); n > 1 {
		if k := w.keys.of(st.history[n-2].value); k != nil && k.deleted.IsZero() {
			w.putByHand(at, pick, k.value)
		}
	}
}

func (w *world) index(at *target) int {
	for i, t := range w.targets {
		if t == at {
			return i
		}
	}
	return -1
}

// hold sets a hold as the command does, from outside of all processes.
func (w *world) hold(at *target, d time.Duration) {
	now := time.Now()
	err := rotator.New(rotator.Options{}).Hold(w.t.Context(), w.observed(at), secretstore.Hold{
		Since: now, Until: now.Add(d), Reason: "a fair",
	})
	if err == nil {
		at.heldSince, at.heldUntil = w.calls, now.Add(d)
	}
}

// endHold ends a hold as the command does.
func (w *world) endHold(at *target) {
	if at.heldSince == 0 {
		return
	}
	at.heldSince = 0
	if _, err := rotator.New(rotator.Options{}).Release(w.t.Context(), w.observed(at)); err != nil && !at.tainted {
		w.violate("%s: cannot be released: %v", at.name, err)
	}
}

// observed is the target as it is reached without faults.
func (w *world) observed(at *target) rotator.Target {
	t := rotator.Target{Name: at.name, Policy: at.policy, Sinks: w.sinksOutside(at)}
	for _, s := range at.stores {
		t.Stores = append(t.Stores, rotator.NamedStore{Name: s.name, Store: s.observer})
	}
	return t
}

// isOurs tells whether a name is one that the rotator of this world gives.
func isOurs(name string) (target string, ours bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 4 || parts[0] != owner || parts[2] == "ffffffffffff" {
		return "", false
	}
	return parts[1], true
}
