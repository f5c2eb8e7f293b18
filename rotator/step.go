package rotator

import "time"

// Verb names a step. The same words are used in logs, metrics and the command
// line.
type Verb string

// The steps of a key's life, and those beside it.
const (
	Reserve Verb = "reserve"
	Issue   Verb = "issue"
	Try     Verb = "try"
	Stage   Verb = "stage"
	Verify  Verb = "verify"
	Promote Verb = "promote"
	Revoke  Verb = "revoke"
	Prove   Verb = "prove"
	Destroy Verb = "destroy"

	// Sweep revokes a key of ours that nothing refers to.
	Sweep Verb = "sweep"
	// Discard gives up a key that never became valid, or that another instance
	// outran: destroys its pending version, if it has one, and revokes it.
	Discard Verb = "discard"
	// Cancel drops an intent that nobody goes on with, so that a key issued for
	// it can be swept.
	Cancel Verb = "cancel"
	// Repair records a promotion time that got lost: from now on.
	Repair Verb = "repair"
	// Clear forgets the record of failures that were made good.
	Clear Verb = "clear"
	// Declare notes down an incident, so that every instance obeys it; Resolve
	// takes it off when the last key of before it is gone.
	Declare Verb = "declare"
	Resolve Verb = "resolve"

	// Converge brings consumers to the current key and asks whether they moved.
	Converge Verb = "converge"

	// Look reads the stores again.
	Look Verb = "look"
	// Survey reads the stores of the targets that this one is kept apart from.
	Survey Verb = "survey"
	// List reads the workspace's keys again.
	List Verb = "list"
	// Check asks whether the admin key can finish what it begins.
	Check Verb = "check"

	// Settled: nothing to do before At.
	Settled Verb = "settled"
	// Stop: something is in the way; Err says what.
	Stop Verb = "stop"
)

// Effect tells whether the step changes anything outside of the process.
func (v Verb) Effect() bool {
	switch v {
	case Try, Verify, Prove, Look, Survey, List, Check, Settled, Stop:
		return false
	default:
		return true
	}
}

// Step is one thing to do, and why.
type Step struct {
	Verb Verb
	// Store is the index of the store concerned; 0 where none is.
	Store int
	// Gate is the index of the gate concerned, for Converge.
	Gate int
	// ID of the key concerned, if any.
	ID string
	// Reason says why, in words for a person.
	Reason string
	// At: not before that instant (a test call that is made again), or for
	// Settled when to look again. Zero: now; for Settled: nothing is planned.
	At time.Time
	// Proven for Destroy: when the key was last seen refused; zero if it was not.
	Proven time.Time
	// While is what a Stop was about to find out or do.
	While Verb
	// Failing for Settled: a due rotation waits only because the last attempts
	// failed.
	Failing bool
	// Waiting for Settled: a due rotation waits, for whatever reason.
	Waiting bool
	// Err for Stop: what is in the way. For Discard and Destroy: what to report
	// when it is done, since the step itself makes nothing good.
	Err error
}
