package status

// State is how a target is, in one word.
type State string

// The states. Where several hold, the first of this list is told.
const (
	// Blocked: something is in the way; the target's Error says what.
	Blocked State = "blocked"
	// DeadKey: consumers hold a key that was refused.
	DeadKey State = "dead-key"
	// Refused: the current key was refused just now; whether for good is not known.
	Refused State = "refused"
	// InIncident: keys are in wrong hands, and are being replaced.
	InIncident State = "incident"
	// Unanswered: Instantly or a store did not answer in time.
	Unanswered State = "unanswered"
	// Unrevoked: an incident left a value whose key only a person can revoke.
	Unrevoked State = "unrevoked"
	// OnHold: a person wants the key left as it is.
	OnHold State = "on-hold"
	// Failing: the last attempts failed.
	Failing State = "failing"
	// KeyMissing: the primary store has no key, another one has.
	KeyMissing State = "key-missing"
	// NoKey: no key was made yet.
	NoKey State = "no-key"
	// Rotating: an instance has begun a rotation, and may be at it.
	Rotating State = "rotating"
	// Interrupted: a rotation was begun that nobody is at.
	Interrupted State = "interrupted"
	// Waiting: the old key is past its grace period, and its consumers are not known to
	// have moved.
	Waiting State = "waiting"
	// Due: a run now would do something.
	Due State = "due"
	// Quarantined: a store holds a value of unknown origin, and nothing is revoked.
	Quarantined State = "quarantined"
	// InGrace: the old key still works beside the new one.
	InGrace State = "in-grace"
	// OK: there is nothing to do.
	OK State = "ok"
)

// Severity is how much a state matters to a person.
type Severity int

// The severities.
const (
	Fine    Severity = iota // nothing to do
	Notice                  // to be known; nobody need do anything
	Trouble                 // to be seen to
)

// A rule gives a state to the targets that it holds for, and says how it reads and
// what it means.
type rule struct {
	state    State
	text     string
	severity Severity
	meaning  string
	holds    func(Target) bool
}

// rules in the order in which they are asked: what keeps consumers from a working
// key comes first, then what people ordered, then what happens by itself.
func rules() []rule {
	return []rule{
		{Blocked, "blocked", Trouble, "something is in the way: see below the table", Target.blocked},
		{DeadKey, "DEAD KEY", Trouble, "consumers hold a key that is refused", func(t Target) bool { return t.Dead }},
		{Refused, "KEY REFUSED", Trouble, "the current key was refused just now", func(t Target) bool { return t.Refused }},
		{InIncident, "incident", Trouble, "leaked keys are not all replaced and revoked", func(t Target) bool { return t.Incident != nil }},
		{Unanswered, "not answered", Trouble, "not known: shown as of the stores", func(t Target) bool { return t.Unanswered }},
		{Unrevoked, "not revoked", Trouble, "only a person can revoke what an incident left", func(t Target) bool { return t.Unrevoked != "" }},
		{OnHold, "on hold", Notice, "somebody wants the key left as it is", func(t Target) bool { return t.Hold != nil }},
		{Failing, "failed", Trouble, "the last attempts failed, and are repeated", func(t Target) bool { return t.LastFailure != nil }},
		{KeyMissing, "key missing", Trouble, "the primary store has no key, another one has", Target.keyMissing},
		{NoKey, "no key yet", Notice, "the next run makes the first key", func(t Target) bool { return t.KeyID == "" }},
		{Rotating, "rotating", Notice, "an instance is at it, by name and since when", func(t Target) bool { return t.Rotation != nil && !t.Rotation.Interrupted }},
		{Interrupted, "interrupted", Notice, "a rotation was cut off; the next run goes on", func(t Target) bool { return t.Rotation != nil }},
		{Waiting, "waiting", Trouble, "the old key lives on: have its consumers moved?", Target.waitsForConsumers},
		{Due, "due", Notice, "the next run does something", func(t Target) bool { return t.Due }},
		{Quarantined, "quarantined", Notice, "a store holds a value of unknown origin", func(t Target) bool { return !t.Ours || t.Quarantine != "" }},
		{InGrace, "in grace", Fine, "the old key still works beside the new one", func(t Target) bool { return len(t.OldKeys) > 0 }},
		{OK, "ok", Fine, "nothing to do", func(Target) bool { return true }},
	}
}

func stateOf(t Target) State {
	for _, r := range rules() {
		if r.holds(t) {
			return r.state
		}
	}
	return "" // the last rule holds for all
}

// blocked tells whether something is in the way that gave an answer.
func (t Target) blocked() bool { return !t.Unanswered && (t.Error != "" || t.Unreadable()) }

// keyMissing tells whether a key that there was is gone from the primary store.
func (t Target) keyMissing() bool {
	for _, st := range t.Stores {
		if t.KeyID == "" && st.Current != "" {
			return true
		}
	}
	return false
}

// waitsForConsumers tells whether only a gate can keep the old key alive.
func (t Target) waitsForConsumers() bool {
	for _, old := range t.OldKeys {
		if len(old.WaitsFor) > 0 && old.Until != nil && !t.AsOf.Before(*old.Until) {
			return true
		}
	}
	return false
}

// States lists all of them, what matters most first.
func States() []State {
	var all []State
	for _, r := range rules() {
		all = append(all, r.state)
	}
	return all
}

// rule gives what is known of a state; one that is not in the table is trouble: what
// is not known is not good.
func (s State) rule() rule {
	for _, r := range rules() {
		if r.state == s {
			return r
		}
	}
	return rule{state: s, text: "not known", severity: Trouble}
}

// Severity tells how much the state matters.
func (s State) Severity() Severity { return s.rule().severity }

// Text is the state as people read it.
func (s State) Text() string { return s.rule().text }

// Meaning says what the state is, in half a sentence.
func (s State) Meaning() string { return s.rule().meaning }

// Failed tells whether "status" ends with exit code 1 for it: somebody must see to it.
func (s State) Failed() bool { return s.Severity() == Trouble }
