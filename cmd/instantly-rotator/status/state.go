package status

// State is how a target is, in one word.
type State string

// The states. Where several hold, the first of this list is told.
const (
	// Blocked: something is in the way; the target's Error says what.
	Blocked State = "blocked"
	// DeadKey: consumers hold a key that was refused.
	DeadKey State = "dead-key"
	// InIncident: keys are in wrong hands, and are being replaced.
	InIncident State = "incident"
	// OnHold: a person wants the key left as it is.
	OnHold State = "on-hold"
	// Failing: the last attempts failed.
	Failing State = "failing"
	// NoKey: no key was made yet.
	NoKey State = "no-key"
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
	Notice                  // to be known
	Trouble                 // to be seen to
)

// A rule gives a state to the targets that it holds for, and says how it reads.
type rule struct {
	state    State
	text     string
	severity Severity
	holds    func(Target) bool
}

// rules in the order in which they are asked: what keeps consumers from a working
// key comes first, then what people ordered, then what happens by itself.
func rules() []rule {
	return []rule{
		{Blocked, "blocked", Trouble, func(t Target) bool { return t.Error != "" }},
		{DeadKey, "DEAD KEY", Trouble, func(t Target) bool { return t.Dead }},
		{InIncident, "incident", Trouble, func(t Target) bool { return t.Incident != nil }},
		{OnHold, "on hold", Notice, func(t Target) bool { return t.Hold != nil }},
		{Failing, "failed", Trouble, func(t Target) bool { return t.LastFailure != nil }},
		{NoKey, "no key yet", Notice, func(t Target) bool { return t.KeyID == "" }},
		{Due, "due", Notice, func(t Target) bool { return t.Due }},
		{Quarantined, "quarantined", Notice, func(t Target) bool { return !t.Ours || t.Quarantine != "" }},
		{InGrace, "in grace", Fine, func(t Target) bool { return len(t.OldKeys) > 0 }},
		{OK, "ok", Fine, func(Target) bool { return true }},
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

// States lists all of them, what matters most first.
func States() []State {
	var all []State
	for _, r := range rules() {
		all = append(all, r.state)
	}
	return all
}

// Severity tells how much the state matters.
func (s State) Severity() Severity {
	for _, r := range rules() {
		if r.state == s {
			return r.severity
		}
	}
	return Trouble // what is not known is not good
}

// Text is the state as people read it.
func (s State) Text() string {
	for _, r := range rules() {
		if r.state == s {
			return r.text
		}
	}
	return "not known"
}
