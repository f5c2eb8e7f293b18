package rotator

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// decideSender names the next step for a secret that is sent: see [Senders].
func decideSender(now time.Time, s State, p Policy, r Request) Step {
	return (&view{now: now, State: s, policy: p, request: r}).ask(senderRules())
}

// senderRules in the order in which they are asked.
func senderRules() []rule {
	return []rule{
		(*view).declare,
		(*view).observe,
		(*view).blind,
		(*view).lost,
		(*view).inHand, // a value that is in memory only is lost with the process
		(*view).standBack,
		(*view).readSenders, // after the stores: who switches one writes to the store before
		(*view).takeOver,
		(*view).pendingSent,
		(*view).graceStep, // settle time and grace hang on when the current value was promoted
		(*view).alive,
		(*view).waive,
		(*view).deliver,        // receivers of every store must know the value first
		(*view).confirmSenders, // before another one is switched
		(*view).resumeSenders,
		(*view).switchSenders,
		(*view).forget, // when no sender needs it any more
		(*view).resolveSent,
		(*view).startSent,
		(*view).strangers,
		(*view).hindered,
		(*view).blocked,
		(*view).troubled,
		(*view).forgive,
	}
}

func (v *view) readSenders() answer {
	if v.SendersSeen == 0 || v.Against != v.against() {
		return act(Step{Verb: Compare, Reason: "what do the webhooks send?"})
	}
	return pass()
}

// pendingSent promotes the pending value. While a previous one stands it waits, unless it is
// what was current until a hand put something else in its place: there are never more than two
// values that receivers have to accept.
func (v *view) pendingSent() answer {
	ver, ok := v.primary().Versions[secretstore.Pending]
	if !ok || ver.Foreign {
		return pass()
	}
	if a := v.waitForHold(); !a.passes() {
		return a
	}
	if v.suspect(ver) {
		return act(Step{Verb: Discard, ID: ver.ID, Reason: "made before the incident"})
	}
	_, _, stands := v.previousAnywhere()
	if _, has := v.current(0); stands && (has || v.accepted(ver.ID) > 2) {
		return pass()
	}
	if v.request.NoRotation && ver.Intent.Adopted == "" {
		return delay(time.Time{}, "a rotation was begun, which this run leaves alone")
	}
	return v.verifyAndPromote(0, ver)
}

// accepted is how many values receivers would have to accept, with that one.
func (v *view) accepted(id string) int {
	values := map[string]bool{id: true}
	for _, st := range v.Stores {
		for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous} {
			if ver, ok := st.Versions[stage]; ok {
				values[ver.ID] = true
			}
		}
	}
	return len(values)
}

// confirmSenders finds out whether receivers accept what was switched, as soon as it was, and
// once more before the previous value goes. One whose deliveries are refused sends the
// previous value again, which receivers still accept.
func (v *view) confirmSenders() answer {
	cur, ok := v.current(0)
	if !ok {
		return pass()
	}
	doubt := pass()
	for i, s := range v.Senders {
		if !v.toConfirm(s) {
			continue
		}
		t, ok := v.confirmation(s.ID)
		switch {
		case !ok:
			return v.confirm(i, cur.ID)
		case isValid(t):
		case isInvalid(t):
			if other, found := v.another(i, func(_ test, known bool) bool { return !known }); found && !v.emergency() {
				return v.confirm(other, cur.ID) // a run ends when it has switched the last one back
			}
			return v.switchBack(i, s, t)
		case t.Tries < enough:
			return act(Step{Verb: Confirm, Sender: i, ID: cur.ID, At: t.At.Add(pause(t.Tries + 2)), Reason: s.Name + ": the test delivery came to nothing; send another one"})
		default:
			err := fmt.Errorf("%s: %w: %w", s.Name, ErrIndeterminate, t.Err)
			doubt = act(Step{Verb: Stop, While: Confirm, ID: cur.ID, Err: err, Reason: err.Error()}).report()
		}
	}
	return doubt
}

func (v *view) confirm(i int, id string) answer {
	return act(Step{Verb: Confirm, Sender: i, ID: id, Reason: v.Senders[i].Name + ": are its deliveries accepted?"})
}

// another gives a sender after the one that is to be confirmed and is like that.
func (v *view) another(after int, like func(t test, known bool) bool) (int, bool) {
	for i := after + 1; i < len(v.Senders); i++ {
		if s := v.Senders[i]; v.toConfirm(s) && like(v.confirmation(s.ID)) {
			return i, true
		}
	}
	return 0, false
}

// toConfirm tells whether a sender sends the current value and is to be confirmed now: it was
// just switched, by whomever, or the previous value is to go.
func (v *view) toConfirm(s SenderState) bool {
	switch {
	case s.Carries != CarriesCurrent || s.Off && !s.ForSecret:
		return false
	case v.Switched[s.ID] || s.Off:
		return true
	}
	if _, _, stands := v.previousAnywhere(); !stands {
		return false
	}
	return !v.inGrace() || v.now.Before(v.switchedFrom().Add(v.policy.Settle))
}

// switchBack has a sender send the previous value again.
func (v *view) switchBack(i int, s SenderState, t test) answer {
	err := fmt.Errorf("%s: %w: %w", s.Name, ErrReceiverRefuses, t.Err)
	if _, ok := v.primary().Versions[secretstore.Previous]; !ok && !v.HadOther[s.ID] {
		return stop(err).report() // there is nothing to go back to
	}
	// In an incident it is tried again at once, for as long as receivers may need: the first
	// one that accepts is enough.
	if v.emergency() && !v.refusedInIncident() && v.receiversHaveTime() {
		return act(Step{Verb: SwitchBack, Sender: i, Reason: err.Error()})
	}
	if _, more := v.another(i, func(t test, known bool) bool { return known && isInvalid(t) }); more {
		return act(Step{Verb: SwitchBack, Sender: i, Reason: err.Error()})
	}
	return act(Step{Verb: SwitchBack, Sender: i, Reason: err.Error(), Err: err})
}

// receiversHaveTime tells whether a run goes on with receivers that refuse, in an incident:
// for the settle time since it first had to go back. Instances that get in each other's way
// begin anew again and again: all of them have twice that since the value was begun.
func (v *view) receiversHaveTime() bool {
	cur, _ := v.current(0)
	end := later(v.incident().At, cur.Intent.At).Add(2 * v.policy.Settle)
	return (v.FirstBack.IsZero() || v.within(v.FirstBack, v.policy.Settle)) && v.now.Before(end)
}

// refusedInIncident tells whether receivers have refused the current value for the whole settle
// time of an incident: from then on it is tried less and less often, unless somebody asks.
func (v *view) refusedInIncident() bool {
	f := v.primary().Notes.Failure
	return f.Count > 0 && f.Step == string(SwitchBack) && f.At.After(v.incident().At) && !v.request.IgnoreBackoff
}

// resumeSenders has those deliver again that were turned off since their deliveries were
// refused for the secret, once they send one that is accepted: the current one if it was
// confirmed, or the previous one unless it was the one that was refused.
func (v *view) resumeSenders() answer {
	for i, s := range v.Senders {
		t, ok := v.confirmation(s.ID)
		accepted := s.Carries == CarriesPrevious && !s.Before || s.Carries == CarriesCurrent && ok && isValid(t)
		if s.Off && s.ForSecret && accepted {
			return act(Step{Verb: Resume, Sender: i, Reason: s.Name + ": it was turned off for its secret, which is accepted again"})
		}
	}
	return pass()
}

// switchSenders switches one that does not send the current value yet, once receivers have
// read it.
func (v *view) switchSenders() answer {
	cur, ok := v.current(0)
	i, found := v.toSwitch()
	if _, blind := v.unreadable(); !ok || !found || blind || v.dead() {
		return pass()
	}
	if a := v.waitForHold(); !a.passes() {
		return a
	}
	if v.Trouble != nil && v.Tries >= enough {
		return stop(v.Trouble).report()
	}
	if v.unconfirmed() {
		return pass()
	}
	if a := v.receiversBehind(cur); !a.passes() {
		return a
	}
	step := Step{Verb: Switch, Sender: i, ID: cur.ID, Reason: v.Senders[i].Name + ": send the current value, which receivers have had time to read"}
	if !v.FirstBack.IsZero() {
		step.At = v.now.Add(v.pauseInIncident())
	}
	return act(step)
}

// pauseInIncident is how long a receiver that refused has before it is tried again: a second
// at first, and longer the longer it goes on, since every try has deliveries refused.
func (v *view) pauseInIncident() time.Duration {
	return min(max(v.now.Sub(v.FirstBack)/4, pause(enough)), time.Minute)
}

// toSwitch gives a sender that is to be switched. One whose value somebody has set is left
// alone, unless an incident replaces every value there is.
func (v *view) toSwitch() (int, bool) {
	for i, s := range v.Senders {
		if s.Carries == CarriesNothing || s.Carries == CarriesPrevious || s.Carries == CarriesOther && v.emergency() {
			return i, true
		}
	}
	return 0, false
}

// unconfirmed tells whether a sender was switched of which it is not known yet whether its
// deliveries are accepted.
func (v *view) unconfirmed() bool {
	for _, s := range v.Senders {
		t, ok := v.confirmation(s.ID)
		if v.toConfirm(s) && (!ok || !isValid(t)) {
			return true
		}
	}
	return false
}

// forget destroys the previous value when no sender needs it any more: all send the current
// one, and are confirmed, and what was sent before has arrived.
func (v *view) forget() answer {
	store, id, stands := v.previousAnywhere()
	if _, blind := v.unreadable(); !stands || blind {
		return pass()
	}
	if a := v.waitForHold(); !a.passes() {
		return a
	}
	if len(v.Senders) == 0 {
		return stop(fmt.Errorf("%w: the previous value %s is kept", ErrNoSender, id)).report()
	}
	if s, all := v.allCarry(); !all {
		return wait(time.Time{}, s.Name+" does not send the current value, so the previous one is kept")
	}
	if _, known := v.settledAt(); !known {
		return v.waitForStores()
	}
	if v.inGrace() {
		end, _ := v.graceEnd()
		return wait(end, "destroy the previous value "+id)
	}
	if cur, _ := v.current(0); v.now.Before(cur.Promoted) && !cur.Promoted.Equal(v.Noted) {
		return wait(cur.Promoted, "another instance may be about to switch a webhook")
	}
	switch {
	case v.unconfirmed():
		return pass() // rule confirmSenders has said why
	case v.SendersSeen <= v.Stores[store].Seen:
		return act(Step{Verb: Compare, Reason: "read the webhooks again before the previous value goes"})
	}
	return act(Step{Verb: Destroy, Store: store, ID: id, Reason: "every webhook sends the current value, and is accepted"})
}

// resolveSent takes an incident off when no value of before it is left.
func (v *view) resolveSent() answer {
	_, _, stands := v.previousAnywhere()
	if _, all := v.allCarry(); stands || !all {
		return pass()
	}
	return v.resolve()
}

// undelivered tells whether a store does not have the current value yet.
func (v *view) undelivered() bool {
	_, known := v.settledAt()
	cur, ok := v.current(0)
	return ok && !cur.Foreign && !known
}

// startSent starts a rotation if one is due and nothing is against it.
func (v *view) startSent() answer {
	return v.start((*view).leaveDue, []rule{
		(*view).held, (*view).strangers, (*view).previousStands, (*view).missingStore, (*view).strangePending, (*view).leased,
		(*view).inFreezeWindow, (*view).failedBefore, (*view).apart, (*view).circuitOpen,
	})
}

// previousStands lets no rotation begin before the one before is finished: receivers accept
// two values.
func (v *view) previousStands() answer {
	_, id, stands := v.previousAnywhere()
	if !stands {
		return pass()
	}
	end, _ := v.graceEnd()
	switch {
	case v.dead():
		return stop(fmt.Errorf("%w: the current value can be no header's, and webhooks may send the previous one, %s; set that again", ErrByHand, id))
	case v.request.RotateSince.IsZero() || v.emergency():
		return delay(time.Time{}, "the previous value "+id+" must go first")
	case end.After(v.now):
		return stop(&GraceError{KeyID: id, Sent: true, Until: end})
	default:
		return stop(&GraceError{KeyID: id, Sent: true})
	}
}

// strangers stops for senders whose value somebody has set: receivers may accept no other.
func (v *view) strangers() answer {
	if v.emergency() {
		return pass()
	}
	for _, s := range v.Senders {
		_, has := v.current(0)
		switch {
		case s.Carries != CarriesOther:
		case !has:
			return stop(fmt.Errorf("%s: not taken over yet: %w; adopt it", s.Name, ErrUntaken))
		default:
			return stop(fmt.Errorf("%s: %w: %w; adopt it, or set the one that the store has", s.Name, ErrByHand, ErrUntaken))
		}
	}
	return pass()
}

// takeOver makes the value that the senders send the current one: receivers accept it, and
// the value that the store had as the previous one.
func (v *view) takeOver() answer {
	if !v.request.TakeOver {
		return pass()
	}
	refuse := func(why string) answer { return stop(fmt.Errorf("%w: %s", ErrNotAdopted, why)) }
	hold, on := v.hold()
	pending, isPending := v.primary().Versions[secretstore.Pending]
	_, id, stands := v.previousAnywhere()
	in := v.primary().Notes.Intent
	switch {
	case on:
		return stop(&HoldError{hold})
	case len(v.Senders) == 0:
		return stop(ErrNoSender)
	case v.Values > 1:
		return refuse("the webhooks do not all send the same value")
	case v.Values == 0:
		return pass() // nothing is to be taken over
	case v.undelivered():
		return pass() // or its receivers would not know the value before
	case isPending && !pending.Foreign && pending.Intent.Adopted != "":
		return pass() // it was staged
	case v.emergency():
		return refuse("an incident was declared, for which the value is to be replaced")
	case stands:
		return stop(&GraceError{KeyID: id, Sent: true})
	case isPending || v.InHand != nil || !in.IsZero() && in.Adopted == "":
		return refuse("a rotation was begun")
	case v.Reserved != "" && v.Reserved == in.Nonce:
		return act(Step{Verb: Take, Reason: "take the value that the webhooks send"})
	default:
		return act(Step{Verb: Reserve, Reason: "the value that the webhooks send is taken over"})
	}
}
