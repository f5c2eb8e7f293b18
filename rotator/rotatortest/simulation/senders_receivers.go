package simulation

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// view is what a store gave receivers since then: the current value and the previous one.
type view struct {
	since  time.Time
	values []string
}

// RoundTrip is the way of a delivery to its receiver.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if w.senders != nil && !w.senders.receive(r) {
		status = http.StatusUnauthorized
	}
	answer := reply{status: status, header: json(), body: "{}"}
	return answer.response(r), nil
}

// receive tells whether a delivery is accepted.
func (p *senders) receive(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.IndexFunc(p.all, func(s *sender) bool { return r.URL.Host == fmt.Sprintf("r%d.test", s.number) })
	if at < 0 {
		return true
	}
	s, now := p.all[at], time.Now()
	value, _ := p.format.Secret(r.Header.Get(p.header))
	accepted := p.accepts(s, value, now)
	if !isTest(r) {
		if p.delivered++; !accepted {
			s.last = p.delivered
		}
	}
	if !accepted && !p.blind(s, now) {
		p.refused = append(p.refused, refusal{now, s.number})
	}
	return accepted
}

// isTest tells whether a delivery is a test, which is in no log.
func isTest(r *http.Request) bool {
	body, _ := io.ReadAll(orEmpty(r.Body))
	return bytes.Contains(body, []byte("is_test"))
}

// accepts tells whether the receiver accepts a value. Who sends none is not checked, and what
// a hand has set on a webhook, a hand has told its receiver.
func (p *senders) accepts(s *sender, value string, now time.Time) bool {
	if value == "" || slices.ContainsFunc(s.sent, func(v sent) bool { return v.told && v.value == value }) {
		return true
	}
	reads := p.target.stores[s.number%len(p.target.stores)]
	then := now.Add(-p.readWithin() * time.Duration(s.Lag) / 100)
	switch sees := p.begun.Add(s.BlindUntil); {
	case p.blind(s, now):
		then = p.begun.Add(s.BlindFrom)
	case s.Blind && then.Before(sees) && sees.Before(now):
		then = sees
	}
	return slices.Contains(reads.given(then), value)
}

// readWithin is how old what a receiver has read may be.
func (p *senders) readWithin() time.Duration { return p.Settle - slack }

// blind tells whether a receiver does not read the store any more.
func (p *senders) blind(s *sender, now time.Time) bool {
	life := now.Sub(p.begun)
	return s.Blind && life >= s.BlindFrom && life < s.BlindUntil
}

// given are the values that a receiver has which read the store then.
func (s *store) given(then time.Time) (values []string) {
	for _, v := range s.views {
		if !v.since.After(then) {
			values = v.values
		}
	}
	return values
}

// within are the views that somebody may have who read the store since then.
func (s *store) within(from time.Time) []view {
	at := 0
	for i, v := range s.views {
		if !v.since.After(from) {
			at = i
		}
	}
	return s.views[at:]
}

// isExcused tells whether a delivery may be refused: hands have changed the store, or there is
// an incident, in which no receiver is waited for.
func (p *senders) isExcused(now time.Time) bool {
	t := p.target
	return t.tainted || t.graceless || now.Before(p.excused)
}
