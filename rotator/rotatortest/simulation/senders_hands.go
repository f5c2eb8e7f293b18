package simulation

import (
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// injectIntoSenders injects a fault into a target whose secret is sent; false if it is like
// that of any other.
func (w *world) injectIntoSenders(at *target, s Fault) bool {
	p := at.senders
	one := p.all[s.Pick/len(w.targets)%len(p.all)]
	switch s.Kind {
	case SetByHand, Revoke:
		p.setByHand(one, p.newValue())
	case PutRight, Edit:
		p.putRight(one)
	case Reheader, Foreign:
		one.others, one.edited = one.others+"!", w.calls
		p.change(one, func(h *sandbox.Webhook) { h.Headers["X-Team"] = secret.New(one.others) })
	case AddWebhook:
		if len(p.all) < 5 {
			p.add(ReceiverPlan{Lag: 100}, "")
		}
	case TakeOver, Adopt:
		value := p.newValue()
		for _, h := range p.all {
			p.setByHand(h, value)
		}
		at.request, at.asked = w.command(takeOver(), s), at.asked+perRequest
	case AdoptWrong:
		p.setByHand(one, p.newValue())
		at.request, at.asked = w.command(takeOver(), s), at.asked+perRequest
	case Put:
		w.putByHand(at, s.Pick/len(w.targets), p.newValue())
	case Rollback:
		if s := at.stores[0]; len(s.history) > 1 {
			w.putByHand(at, 0, s.history[len(s.history)-2].value)
		}
	default:
		return false
	}
	return true
}

func takeOver() rotator.Request { return rotator.Request{TakeOver: true, NoRotation: true} }

// setByHand has somebody set what a webhook sends, and tell its receiver.
func (p *senders) setByHand(s *sender, value string) {
	p.mu.Lock()
	s.value, s.touched = value, p.world.calls
	s.sent = append(s.sent, sent{from: time.Now(), value: value, told: true, ours: slices.Contains(p.target.stores[0].given(time.Now()), value)})
	p.mu.Unlock()
	p.world.log("a hand has webhook %d send %s", s.number, p.name(value))
	p.change(s, func(h *sandbox.Webhook) {
		field := p.header
		for name := range h.Headers {
			if strings.EqualFold(name, p.header) {
				field = name
			}
		}
		h.Headers[field] = secret.New(p.format.HeaderValue(value))
	})
}

// putRight has somebody set what the store has as the current value.
func (p *senders) putRight(s *sender) {
	if value := p.target.stores[0].value; value != "" && s.value != value && s.isByHand() {
		p.setByHand(s, value)
	}
}

func (p *senders) change(s *sender, change func(*sandbox.Webhook)) {
	if err := p.world.box.ChangeWebhook(s.id, change); err != nil {
		p.world.t.Error(err)
	}
}

// restSenders has people see to what they have done, unless they never do: the rotator waits
// for them.
func (w *world) restSenders() {
	if w.senders == nil || w.senders.Restless {
		return
	}
	for _, s := range w.senders.all {
		w.senders.putRight(s)
	}
}

// settleSenders has receivers that do not read the store any more seen to: until then their
// webhooks send what they accept.
func (w *world) settleSenders(in *instance) {
	if w.senders == nil {
		return
	}
	t := w.senders.target
	if p := t.senders; p.byHand != "" && t.stores[0].value == "" && !p.Restless {
		t.request = &request{takeOver(), in.number} // nobody got through with it
	}
	for range 3 {
		res := w.alone(in, w.index(t))
		w.judgeBack(res)
		time.Sleep(min(time.Until(in.next[w.index(t)]), 2*t.senders.Settle))
	}
	t.senders.mu.Lock()
	defer t.senders.mu.Unlock()
	for _, s := range t.senders.all {
		if s.Blind {
			t.senders.change(s, func(h *sandbox.Webhook) {
				// Nothing but deliveries would tell that it is put right, and of what is long ago
				// the log of deliveries does not say any more why it was turned off.
				if !t.senders.Test || time.Since(h.Disabled) > 30*day {
					h.Disabled = time.Time{}
				}
			})
		}
		s.Blind = false
	}
}

// judgeBack: after a run that nothing disturbed each webhook sends what its receiver accepts,
// where the store has that.
func (w *world) judgeBack(res rotator.Result) {
	t, p, now := w.senders.target, w.senders, time.Now()
	if p.isExcused(now) || !p.Test {
		return
	}
	for _, s := range p.all {
		if p.isOff(s) || p.accepts(s, s.value, now) {
			continue
		}
		for _, v := range t.stores[0].given(now) {
			if p.accepts(s, v, now) {
				w.violate("webhook %d is left with %s, which its receiver refuses; it accepts %s: %v", s.number, p.name(s.value), p.name(v), res.Err)
			}
		}
	}
}
