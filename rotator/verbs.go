package rotator

import "context"

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
	// Discard gives up a key that never became valid, or whose intent another instance
	// superseded: destroys its pending version, if it has one, and revokes it.
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

	// Waive notes down that the consumers of the current key are not waited for.
	Waive Verb = "waive"

	// Assume has the issuer act with the current key: see [Successor].
	Assume Verb = "assume"

	// Converge brings consumers to the current key and asks whether they moved.
	Converge Verb = "converge"

	// AskSinks reads which key the sinks have, Supply gives the current one to a sink, and
	// CheckSink finds out whether what uses it works with that. NoteReceipt writes down which sinks
	// have it.
	AskSinks    Verb = "ask-sinks"
	Supply      Verb = "supply"
	CheckSink   Verb = "check-sink"
	NoteReceipt Verb = "note-receipt"

	// Switch has a sender send the current value, SwitchBack the one before; Confirm
	// finds out whether its deliveries are accepted, Resume has it deliver again. Take
	// takes its value over, and Compare reads what the senders send. See [Senders].
	Switch     Verb = "switch"
	SwitchBack Verb = "switch-back"
	Confirm    Verb = "confirm"
	Resume     Verb = "resume"
	Take       Verb = "take"
	Compare    Verb = "compare"

	// Observe reads the stores again.
	Observe Verb = "observe"
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

// action is all that is known of a verb. A new step is a constant above, its line in
// the table below, the method that performs it, and the rule that names it.
type action struct {
	verb Verb
	// perform does the step, and keeps the run's State true to what is known after it;
	// nil for what ends a run.
	perform func(*run, context.Context, Step) error
	// effect: it changes something outside of the process, so it is not interrupted.
	effect bool
	// worthRun: plan tells of it as something to run for, and not as tidying of notes.
	worthRun bool
	// store: it concerns one store.
	store bool
	// final: it cannot be taken back, or what follows from it cannot, so that the trail must
	// be on the disk before.
	final bool
	// sink: it concerns one sink.
	sink bool
	// verdict: what it brings is the answer to a test call.
	verdict bool
	// retried: a failure of it counts for backoff, and is kept beside the secret. What
	// could not be read costs nothing to try again, and shows at every run.
	retried bool
	// carried: a failure of it does not end the run, which fails with it at its end: it
	// must not keep the target from what is more urgent.
	carried bool
}

// actions lists the verbs.
func actions() []action {
	return []action{
		{verb: Reserve, perform: (*run).reserve, effect: true, worthRun: true, store: true, retried: true},
		{verb: Issue, perform: (*run).issue, effect: true, final: true, worthRun: true, retried: true},
		{verb: Try, perform: (*run).try, verdict: true, retried: true},
		{verb: Stage, perform: (*run).stage, effect: true, worthRun: true, store: true, retried: true},
		{verb: Verify, perform: (*run).verify, store: true, verdict: true, retried: true},
		{verb: Promote, perform: (*run).promote, effect: true, final: true, worthRun: true, store: true, retried: true},
		{verb: Revoke, perform: (*run).revoke, effect: true, final: true, worthRun: true, retried: true},
		{verb: Prove, perform: (*run).prove, store: true, verdict: true, retried: true},
		{verb: Destroy, perform: (*run).destroy, effect: true, worthRun: true, store: true, retried: true},
		{verb: Sweep, perform: (*run).sweep, effect: true, final: true, worthRun: true, retried: true, carried: true},
		{verb: Discard, perform: (*run).discard, effect: true, final: true, worthRun: true, store: true, retried: true},
		{verb: Cancel, perform: (*run).cancel, effect: true, store: true, retried: true},
		{verb: Repair, perform: (*run).repair, effect: true, store: true, retried: true},
		{verb: Clear, perform: (*run).clear, effect: true, store: true, retried: true},
		{verb: Declare, perform: (*run).declare, effect: true, worthRun: true, store: true, retried: true},
		{verb: Resolve, perform: (*run).resolve, effect: true, store: true, retried: true},
		{verb: Waive, perform: (*run).waive, effect: true, worthRun: true, store: true, retried: true},
		{verb: Assume, perform: (*run).assume, retried: true},
		{verb: Converge, perform: (*run).converge, effect: true, worthRun: true, retried: true},
		{verb: AskSinks, perform: (*run).askSinks},
		{verb: Supply, perform: (*run).supply, effect: true, final: true, worthRun: true, sink: true},
		{verb: CheckSink, perform: (*run).checkSink, effect: true, worthRun: true, sink: true},
		{verb: NoteReceipt, perform: (*run).noteReceipt, effect: true, store: true, retried: true},
		{verb: Switch, perform: (*run).switchSender, effect: true, final: true, worthRun: true, retried: true},
		{verb: SwitchBack, perform: (*run).switchBack, effect: true, worthRun: true, retried: true},
		{verb: Confirm, perform: (*run).confirm, effect: true, worthRun: true, retried: true},
		{verb: Resume, perform: (*run).resume, effect: true, worthRun: true, retried: true},
		{verb: Take, perform: (*run).take, effect: true, worthRun: true, retried: true},
		{verb: Compare, perform: (*run).compareSenders},
		{verb: Observe, perform: (*run).observe},
		{verb: Survey, perform: (*run).survey, retried: true},
		{verb: List, perform: (*run).listKeys},
		{verb: Check, perform: (*run).check, worthRun: true, retried: true},
		{verb: Settled},
		{verb: Stop},
	}
}

// action gives what is known of a verb; all of them are in the table.
func (v Verb) action() action {
	for _, a := range actions() {
		if a.verb == v {
			return a
		}
	}
	return action{verb: v}
}

// Effect tells whether the step changes anything outside of the process.
func (v Verb) Effect() bool { return v.action().effect }
