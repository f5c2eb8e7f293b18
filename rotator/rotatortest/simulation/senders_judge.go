package simulation

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Deliveries happen at any instant, and what is on its way may come late. So what would
// become of one is judged whenever a store, or a webhook, is another one than before: between
// two changes nothing can begin to be refused.

const (
	readWebhooks = "webhooks"  // in an instance's knowledge: what all webhooks send
	readWebhook  = "webhooks/" // followed by a number: the headers of one
)

// judgeGiven checks what receivers read in a store after a call.
func (w *world) judgeGiven(by *instance, t *target, index int, call string) {
	s, p := t.stores[index], t.senders
	if by != nil && !isBlind(call) {
		by.lastRead[s.name] = w.calls
	}
	if isReading(call) && !s.unread {
		return
	}
	snap, err := s.observer.Describe(w.t.Context())
	var values []string
	if err == nil {
		values, err = s.bothOf(w.t.Context(), snap)
	}
	if s.unread = errors.Is(err, secretstore.ErrUnavailable); s.unread {
		return // two have begun at once: one of them is still to stand back
	}
	if err != nil {
		w.t.Fatalf("read a store: %v", err)
	}
	if index == 0 {
		w.judgeCurrent(by, t, s, snap, values)
	}
	if len(values) == 0 {
		values = p.before()
	}
	before := s.given(time.Now())
	if slices.Equal(before, values) {
		return
	}
	if w.trace != nil {
		w.log("%s gives %s instead of %s", s.name, p.names(values), p.names(before))
	}
	p.mu.Lock()
	s.views = append(s.views, view{time.Now(), values})
	p.mu.Unlock()
	if by == nil || p.isExcused(time.Now()) {
		return
	}
	// A hold does not keep a follower from the current value, whatever it gave before.
	delivered := index > 0 && len(before) > 0 && len(values) > 0 && before[0] != values[0] && values[0] == t.stores[0].value
	held := !delivered && w.knewOfHold(by.lastRead, t)
	for _, gone := range before {
		if !slices.Contains(values, gone) {
			w.judgeForgotten(by, t, s, gone, call, held)
		}
	}
}

// judgeCurrent takes up what the primary gives.
func (w *world) judgeCurrent(by *instance, t *target, s *store, snap secretstore.Snapshot, values []string) {
	w.noteResolved(t, snap.Notes.Incident)
	if _, ok := snap.Versions[secretstore.Current]; !ok || values[0] == s.value {
		return
	}
	w.judgeSentNeed(by, t, s, values[0])
	s.value = values[0]
	s.history = append(s.history, reading{time.Now(), s.value})
	t.senders.own(s.value)
}

// isReading tells whether a call cannot change what a store gives.
func isReading(call string) bool {
	_, name, _ := strings.Cut(call, " ")
	return slices.ContainsFunc([]string{"describe", "read", "Describe", "Get", "List", "Access", "GET"}, func(begin string) bool {
		return strings.HasPrefix(name, begin)
	})
}

func (p *senders) names(values []string) string {
	var names []string
	for _, v := range values {
		names = append(names, p.name(v))
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// noteResolved ends the time in which deliveries may be refused for an incident, when late
// readers have read again, and what was sent late has arrived. It begins anew with a command
// that was given long ago, and comes to the store after the incident was resolved.
func (w *world) noteResolved(t *target, in secretstore.Incident) {
	if in.Open() {
		t.graceless, t.senders.incident = true, in.ID
	}
	if t.graceless && in.ID == t.senders.incident && !in.Open() {
		t.senders.mu.Lock()
		defer t.senders.mu.Unlock()
		t.graceless, t.senders.excused = false, time.Now().Add(t.senders.Settle+t.Grace)
	}
}

// judgeSentNeed: a value is displaced only when it is due, or when somebody asked for it
// (rule 7), and not while a hold is set.
func (w *world) judgeSentNeed(by *instance, t *target, s *store, value string) {
	if by == nil || t.tainted || len(s.history) == 0 || t.senders.isTold(value) || t.senders.isTold(s.value) {
		return // to take over is no rotation; and what was, is as old as its record
	}
	age := time.Since(s.history[len(s.history)-1].from)
	switch {
	case age >= t.Interval-slack:
	case t.asked > 0:
		t.asked--
	default:
		w.violate("rule 7: %s was rotated after %s, although it falls due every %s", t.name, age, t.Interval)
	}
	if w.knewOfHold(by.lastRead, t) {
		w.violate("%s was rotated although it is held", t.name)
	}
}

// judgeForgotten: a value that receivers are not given any more is needed by no webhook, and
// by no delivery on its way, nor kept by a hold.
func (w *world) judgeForgotten(by *instance, t *target, s *store, gone, call string, held bool) {
	p, now := t.senders, time.Now()
	if held {
		w.violate("after %s %s is forgotten by %s although %s is held", call, p.name(gone), s.name, t.name)
	}
	for _, h := range p.all {
		switch unseen := h.touched > 0 && h.touched >= by.lastRead[readWebhooks]; {
		case unseen:
		case h.isByHand() && len(s.views) > 2: // else the store gives its first value
			w.violate("after %s %s is forgotten by %s, although webhook %d was changed by hand", call, p.name(gone), s.name, h.number)
		case h.value == gone && !p.blind(h, now), h.sentSince(gone, now.Add(slack-t.Grace)) && !p.blind(h, now):
			w.violate("after %s %s is forgotten by %s, which webhook %d sent within the grace period", call, p.name(gone), s.name, h.number)
		case p.Test && !p.isOff(h) && p.blind(h, now) && p.accepts(h, gone, now) && !slices.ContainsFunc(s.given(now), func(v string) bool { return p.accepts(h, v, now) }):
			w.violate("after %s %s is forgotten by %s, and the receiver of webhook %d accepts no other", call, p.name(gone), s.name, h.number)
		}
	}
}

// isByHand tells whether a hand has set what the webhook sends.
func (h *sender) isByHand() bool {
	last := h.sent[len(h.sent)-1]
	return last.value != "" && last.told && !last.ours
}

// isTold tells whether a hand has set a value on a webhook.
func (p *senders) isTold(value string) bool {
	return slices.ContainsFunc(p.all, func(h *sender) bool {
		return slices.ContainsFunc(h.sent, func(s sent) bool { return s.told && s.value == value })
	})
}

// own has a value be one of the store's, whoever has set it.
func (p *senders) own(value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.all {
		for i := range h.sent {
			h.sent[i].ours = h.sent[i].ours || h.sent[i].value == value
		}
	}
}

// sentSince tells whether the webhook has sent a value since then, which no hand had set,
// nor taken from it: when it was taken nobody can know who sees that it is gone.
func (h *sender) sentSince(value string, then time.Time) bool {
	for i, s := range h.sent {
		ended := i+1 < len(h.sent) && (h.sent[i+1].from.Before(then) || h.sent[i+1].told)
		if s.value == value && (s.ours || !s.told) && !ended {
			return true
		}
	}
	return false
}

// judgeWebhookCall takes up what a request about webhooks did.
func (w *world) judgeWebhookCall(by knowledge, r *http.Request, status int) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v2/webhooks")
	switch {
	case status != http.StatusOK || w.senders == nil:
	case r.Method == http.MethodGet && path == "":
		by[readWebhooks] = w.calls
	case r.Method == http.MethodGet:
		by[readWebhook+w.senders.numbered(path[1:])] = w.calls
	default:
		w.judgeWebhooks(by)
	}
}

// judgeWebhooks checks the webhooks after a call that changes one. Without knowledge a hand
// did it.
func (w *world) judgeWebhooks(by knowledge) {
	p := w.senders
	for _, h := range w.box.Webhooks(workspaceID(0)) {
		if h.Name == notOurs {
			for name, value := range p.theirs {
				if len(h.Headers) != len(p.theirs) || !h.Headers[name].Equal(value) {
					w.violate("rule 4: a webhook was changed that is not of the target")
				}
			}
			continue
		}
		at := slices.IndexFunc(p.all, func(s *sender) bool { return s.id == h.ID })
		w.judgeHeaders(by, p.all[at], h)
		w.judgeSends(by, p.all[at], h)
	}
}

// judgeHeaders: the webhook's other headers are what people set.
func (w *world) judgeHeaders(by knowledge, s *sender, h sandbox.Webhook) {
	others := 0
	for name := range h.Headers {
		if !strings.EqualFold(name, w.senders.header) {
			others++
		}
	}
	has, ok := h.Headers["X-Team"]
	switch {
	case ok && others == 1 && has.Reveal() == s.others:
	case ok && others == 1 && s.edited > 0 && s.edited >= by[readWebhook+w.senders.numbered(s.id)]:
		s.others = has.Reveal() // it was changed in between
	default:
		w.violate("webhook %d lost a header of others, or has one that it did not have", s.number)
	}
}

// judgeSends: what a webhook is switched to is known to every receiver that reads as it
// should.
func (w *world) judgeSends(by knowledge, s *sender, h sandbox.Webhook) {
	t, p, now := w.senders.target, w.senders, time.Now()
	value := ""
	for name, v := range h.Headers {
		if strings.EqualFold(name, p.header) {
			value, _ = p.format.Secret(v.Reveal())
		}
	}
	if value == s.value {
		return
	}
	w.log("webhook %d sends %s instead of %s", s.number, p.name(value), p.name(s.value))
	w.judgeSwitch(by, s, value)
	// In an incident nobody waits for a request that may be on its way: one that arrives when
	// its value is in no store any more is for people to see to, as if a hand had set it.
	late := value != "" && p.isExcused(now) && !slices.ContainsFunc(t.stores, func(st *store) bool { return slices.Contains(st.given(now), value) })
	p.mu.Lock()
	s.value, s.sent = value, append(s.sent, sent{from: now, value: value, told: late})
	p.mu.Unlock()
	if value == "" || p.isExcused(now) || p.blind(s, now) {
		return
	}
	for _, st := range t.stores {
		for _, v := range st.within(now.Add(-p.readWithin())) {
			if !slices.Contains(v.values, value) {
				w.violate("webhook %d sends %s, which who read %s at %s does not know", s.number, p.name(value), st.name, v.since.UTC().Format(time.DateTime))
				return
			}
		}
	}
}

// judgeSwitch: one that a hand has changed is left alone, and in a hold none goes on to the
// current value.
func (w *world) judgeSwitch(by knowledge, s *sender, value string) {
	t := w.senders.target
	if t.graceless || t.tainted {
		return
	}
	if unseen := s.touched >= by[readWebhooks]; s.isByHand() && !unseen {
		w.violate("webhook %d was switched, although a hand has set what it sends", s.number)
	}
	if value == t.stores[0].value && w.knewOfHold(by, t) {
		w.violate("webhook %d was switched, although %s is held", s.number, t.name)
	}
}

// logged is how many deliveries to ours the vendor's log has at least: it keeps 5000, with
// those to a webhook that is not ours.
const logged = 2000

// isForgotten tells whether the vendor's log may no longer say why a webhook is off.
func (p *senders) isForgotten(s *sender) bool { return p.delivered-s.last > logged }

// judgeSentSettled: every webhook sends the current value, and none is off that can be seen to
// be off for its secret.
func (w *world) judgeSentSettled(t *target) {
	p := t.senders
	p.judgeRefused()
	if t.tainted {
		return
	}
	for _, s := range t.stores {
		if got := s.given(time.Now()); len(got) != 1 || got[0] != t.stores[0].value {
			if !p.leftByHand() {
				w.violate("settled, but %s gives %s", s.name, p.names(got))
			}
		}
	}
	for _, h := range p.all {
		if p.isOff(h) && !p.leftByHand() && !p.isForgotten(h) {
			w.violate("settled, but webhook %d is off", h.number)
		}
		if h.value != t.stores[0].value && !p.leftByHand() {
			w.violate("settled, but webhook %d does not send the current value", h.number)
		}
	}
	snap, err := t.stores[0].observer.Describe(w.t.Context())
	if err == nil && !p.leftByHand() && (snap.Notes.Failure.Count > 0 || snap.Notes.Incident.Open()) {
		w.violate("settled, but %s still has a failure or an open incident on record", t.name)
	}
}

// leftByHand tells whether a webhook sends what a hand has set, and the store does not have.
func (p *senders) leftByHand() bool {
	return slices.ContainsFunc(p.all, (*sender).isByHand)
}

// judgeRefused: no delivery was refused by a receiver that reads as it should.
func (p *senders) judgeRefused() {
	p.mu.Lock()
	refused := p.refused
	p.refused = nil
	p.mu.Unlock()
	for _, r := range refused {
		if !p.isExcused(time.Now()) && !p.isExcused(r.at) {
			p.world.violate("a delivery of webhook %d was refused at %s, by who reads as it should", r.number, r.at.UTC().Format(time.DateTime))
		}
	}
}

// isOff tells whether the vendor has given a webhook up.
func (p *senders) isOff(s *sender) bool {
	return slices.ContainsFunc(p.world.box.Webhooks(workspaceID(0)), func(h sandbox.Webhook) bool {
		return h.ID == s.id && !h.Disabled.IsZero()
	})
}

// judgeSentError: an error has no value in it (rule 6).
func (p *senders) judgeSentError(e rotator.Event) {
	if e.Err == nil {
		return
	}
	for _, st := range p.target.stores {
		for _, v := range st.views {
			for _, value := range v.values {
				if strings.Contains(e.Err.Error(), value) {
					p.world.violate("rule 6: the error of a %s has %s in it", e.Verb, p.name(value))
				}
			}
		}
	}
}
