package evidence

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
)

// Target is what became of a target's keys in the period.
type Target struct {
	Name      string `json:"name"`
	Workspace string `json:"workspace,omitempty"`
	// Schedule, Grace and MaxAge are the policy; empty if the configuration does not name
	// the target.
	Schedule string `json:"schedule,omitempty"`
	Grace    string `json:"grace,omitempty"`
	MaxAge   string `json:"max_age,omitempty"`
	// Configured: the configuration names it, when the report is made.
	Configured bool  `json:"configured"`
	Keys       []Key `json:"keys"`
}

// Origin is where a key comes from.
type Origin string

// The origins.
const (
	Issued  Origin = "issued"    // by us, as the record shows
	Adopted Origin = "adopted"   // made by somebody else, and taken over
	Before  Origin = "not known" // it was there before the record began
)

// End is what became of a key by the end of the period.
type End string

// The ends.
const (
	Living    End = "current"           // consumers have it
	Displaced End = "displaced"         // its successor is current; it lives on
	Unused    End = "never current"     // issued, and not yet current
	Revoked   End = "revoked"           // its death is not shown yet
	Dead      End = "dead"              // revoked, and its value was refused afterwards
	GivenUp   End = "given up"          // revoked, and never was current
	Unsent    End = "no longer sent"    // of webhooks: they send its successor, and no store has it
	Forgotten End = "left, not revoked" // it left the stores and is not ours to revoke
)

// Key is the life of a key.
type Key struct {
	ID        string `json:"id"`
	Target    string `json:"-"`
	Scopes    string `json:"scopes,omitempty"`
	Origin    Origin `json:"origin"`
	End       End    `json:"end"`
	Issued    Moment `json:"issued"`
	Promoted  Moment `json:"promoted"`
	Delivered Moment `json:"in_all_stores"`
	// Due is when it fell due by the policy, computed from when it became current.
	Due time.Time `json:"due,omitzero"`
	// Displaced is when its successor became current.
	Displaced Moment `json:"displaced"`
	Successor string `json:"successor,omitempty"`
	// Age is how long it had been current by then.
	Age     Span   `json:"age_at_rotation"`
	Revoked Moment `json:"revoked"`
	// Dead is when a test call with its value was refused, and Answer what it said.
	Dead   Moment `json:"proven_dead"`
	Answer string `json:"answer,omitempty"`
	// Unsent is when the last store forgot the secret of webhooks, which is neither revoked
	// nor refused by anybody that is asked: they sent its successor by then.
	Unsent Moment `json:"no_longer_sent,omitzero"`
	// Why it was issued.
	Why string `json:"why,omitempty"`

	forgotten Moment
	place     int // of the first entry that names it
}

// sent tells whether it is the secret of webhooks.
func (k *Key) sent() bool { return k.Scopes == string(webhooksecret.Spec) }

// key gives a key of a target, which an entry names; it begins there if it is new.
func (h *history) key(by effect, id string) *Key {
	k, ok := h.lives[id]
	if !ok {
		k = &Key{ID: id, Target: by.Target, place: by.place, Origin: Before, Issued: Moment{Note: "not known: before the record, or not recorded"}}
		h.lives[id] = k
		h.order = append(h.order, id)
	}
	return k
}

// live follows the keys through the record.
func (h *history) live() {
	for _, e := range h.effects {
		if e.Target == "" {
			continue
		}
		h.meets(e)
		if id := e.key(); id != "" && (e.done() || h.shownLater(e)) {
			h.apply(e, h.key(e, id))
		}
		h.prove(e)
	}
	for _, id := range h.order {
		h.judge(h.lives[id])
	}
}

// prove takes note of the call that showed a key to be dead: the first one of which the
// answer is recorded, or else the first.
func (h *history) prove(e effect) {
	p := e.Proof
	if rotator.Verb(e.Verb) != rotator.Destroy || e.Key == "" || p == nil || p.Verdict != rotator.Invalid.String() || p.Key != e.Key {
		return
	}
	if k := h.key(e, e.Key); !k.Dead.Known() || k.Answer == "" && p.Answer != "" {
		k.Dead, k.Answer = Moment{At: p.At.UTC(), Entries: []Ref{e.ref}}, p.Answer
	}
}

// meets notes the keys that an entry names in passing: they were there before.
func (h *history) meets(e effect) {
	if e.Previous != "" {
		h.key(e, e.Previous)
	}
	if e.Since == nil || e.Key == "" {
		return
	}
	if k := h.key(e, e.Key); !k.Issued.Known() {
		k.Issued = Moment{At: e.Since.UTC(), Entries: []Ref{e.ref}, Note: "as noted down beside the secret"}
	}
}

// shownLater tells whether an effect without an outcome was made all the same: only a
// key that became current can be displaced, or vouch for a revocation.
func (h *history) shownLater(e effect) bool {
	id := e.key()
	if rotator.Verb(e.Verb) != rotator.Promote || id == "" {
		return false
	}
	return slices.ContainsFunc(h.effects, func(l effect) bool {
		return l.place > e.place && l.Target == e.Target && (l.Previous == id && l.Key != id)
	})
}

// apply notes what an effect did to a key.
func (h *history) apply(e effect, k *Key) {
	when := e.when()
	if e.Scopes != "" {
		k.Scopes = e.Scopes
	}
	switch rotator.Verb(e.Verb) {
	case rotator.Issue:
		k.Origin, k.Issued, k.Why = Issued, when, h.reservedFor(e)
	case rotator.Stage:
		if k.Origin == Before {
			k.Origin = Adopted
		}
	case rotator.Promote:
		h.promote(e, k, when)
	case rotator.Revoke, rotator.Sweep, rotator.Discard:
		if !k.Revoked.Known() {
			k.Revoked = when
		}
	case rotator.Destroy:
		k.forgotten = when
		if k.sent() {
			k.Unsent = h.unsent(e)
		}
	default:
	}
}

// promote notes that a key became current in a store: the first is the primary.
func (h *history) promote(e effect, k *Key, when Moment) {
	k.Delivered = when
	if k.Promoted.Known() {
		return
	}
	k.Promoted = when
	if e.Previous == "" || e.Previous == k.ID {
		return
	}
	if old := h.key(e, e.Previous); !old.Displaced.Known() {
		old.Displaced, old.Successor = when, k.ID
	}
}

// unsent is when a secret of webhooks was destroyed, if they were switched to its successor
// before.
func (h *history) unsent(destroyed effect) (m Moment) {
	for _, e := range h.of(destroyed.Target, rotator.Switch, rotator.Confirm) {
		if e.place < destroyed.place && e.done() && e.key() == destroyed.Previous {
			m = e.when()
		}
	}
	if !m.Known() {
		return m
	}
	return Moment{At: destroyed.when().At, Entries: merged(m.Entries, destroyed.when().Entries)}
}

// reservedFor gives why the rotation began that a key was issued for.
func (h *history) reservedFor(issue effect) string {
	why := ""
	for _, e := range h.of(issue.Target, rotator.Reserve) {
		if e.place < issue.place {
			why = e.Why
		}
	}
	return why
}

// judge compares a life with the policy, and names its end.
func (h *history) judge(k *Key) {
	since := k.Promoted
	if k.Origin == Adopted && k.Issued.Known() {
		since = k.Issued // one that was adopted is as old as it is
	}
	if p, ok := h.policies[k.Target]; ok && since.Known() && p.Due != nil {
		k.Due = p.Due(since.At).UTC()
	}
	if k.Displaced.Known() {
		k.Age = between(since, k.Displaced)
	}
	switch {
	case k.Dead.Known():
		k.End = Dead
	case k.Revoked.Known() && !k.Promoted.Known() && !k.Displaced.Known():
		k.End = GivenUp
	case k.Revoked.Known():
		k.End = Revoked
	case k.Unsent.Known():
		k.End = Unsent
	case k.Displaced.Known() && k.forgotten.Known():
		k.End = Forgotten
	case k.Displaced.Known():
		k.End = Displaced
	case k.Promoted.Known() || k.Origin == Before:
		k.End = Living
	default:
		k.End = Unused
	}
}

// ended is when a key's life ended; zero if it lives.
func (k *Key) ended() time.Time {
	for _, m := range []Moment{k.Dead, k.Revoked, k.forgotten} {
		if m.Known() {
			return m.At
		}
	}
	return time.Time{}
}

// targets gives the lives that were lived in the period.
func (h *history) targets() []Target {
	out := []Target{}
	for _, name := range h.targetNames() {
		t := Target{Name: name, Keys: []Key{}}
		if p, ok := h.policies[name]; ok {
			t.Configured, t.Workspace, t.Schedule = true, p.Workspace, p.Schedule
			t.Grace, t.MaxAge = span(p.Grace), span(p.MaxAge)
		}
		for _, id := range h.order {
			k := h.lives[id]
			if k.Target == name && (k.ended().IsZero() || !k.ended().Before(h.in.From)) {
				t.Keys = append(t.Keys, *k)
			}
		}
		slices.SortStableFunc(t.Keys, func(a, b Key) int { return begins(a).Compare(begins(b)) })
		out = append(out, t)
	}
	return out
}

// begins is what a target's keys are ordered by.
func begins(k Key) time.Time {
	if k.Promoted.Known() {
		return k.Promoted.At
	}
	return k.Issued.At
}

// Late is a rotation that came late, or is missing.
type Late struct {
	Target string    `json:"target"`
	Key    string    `json:"key"`
	Due    time.Time `json:"due"`
	// Rotated is when its successor became current; not known if none did.
	Rotated Moment `json:"rotated"`
	// By is how much later than due; until the end of the period if it is missing.
	By time.Duration `json:"by_ns"`
	// Since is what Due is computed from.
	Since Moment `json:"since"`
	// Failed counts the steps that failed meanwhile, Held the holds that were in force.
	Failed Count `json:"failed"`
	Held   Count `json:"held"`
}

// late lists the rotations that came late.
func (h *history) late(targets []Target) []Late {
	out := []Late{}
	for _, t := range targets {
		for _, k := range t.Keys {
			if l, late := h.lateness(k); late {
				out = append(out, l)
			}
		}
	}
	return out
}

func (h *history) lateness(k Key) (Late, bool) {
	if k.Due.IsZero() || k.End == GivenUp {
		return Late{}, false
	}
	end := h.in.To
	if k.Displaced.Known() {
		end = k.Displaced.At
	}
	if end.Before(h.in.From) || end.Sub(k.Due) <= LateAfter {
		return Late{}, false
	}
	l := Late{Target: k.Target, Key: k.ID, Due: k.Due, Rotated: k.Displaced, By: end.Sub(k.Due), Since: k.Promoted}
	if k.Origin == Adopted && k.Issued.Known() {
		l.Since = k.Issued
	}
	var failed []Ref
	for _, e := range h.effects {
		if e.Target == k.Target && e.outcome != nil && !e.done() && !e.outcome.Time.Before(k.Due) && e.outcome.Time.Before(end) {
			failed = append(failed, e.outcome.ref)
		}
	}
	l.Failed, l.Held = counted(failed...), counted(h.heldBetween(k.Target, k.Due, end)...)
	return l, true
}
