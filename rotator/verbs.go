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

// action is all that is known of a verb. A new step is a constant above, its case in
// the switch below, the method that performs it, and the rule that names it.
type action struct {
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

// action gives what is known of a verb. It is asked several times a step, so it makes no list.
func (v Verb) action() action {
	switch v {
	case Reserve:
		return action{perform: (*run).reserve, effect: true, worthRun: true, store: true, retried: true}
	case Issue:
		return action{perform: (*run).issue, effect: true, final: true, worthRun: true, retried: true}
	case Try:
		return action{perform: (*run).try, verdict: true, retried: true}
	case Stage:
		return action{perform: (*run).stage, effect: true, worthRun: true, store: true, retried: true}
	case Verify:
		return action{perform: (*run).verify, store: true, verdict: true, retried: true}
	case Promote:
		return action{perform: (*run).promote, effect: true, final: true, worthRun: true, store: true, retried: true}
	case Revoke:
		return action{perform: (*run).revoke, effect: true, final: true, worthRun: true, retried: true}
	case Prove:
		return action{perform: (*run).prove, store: true, verdict: true, retried: true}
	case Destroy:
		return action{perform: (*run).destroy, effect: true, worthRun: true, store: true, retried: true}
	case Sweep:
		return action{perform: (*run).sweep, effect: true, final: true, worthRun: true, retried: true, carried: true}
	case Discard:
		return action{perform: (*run).discard, effect: true, final: true, worthRun: true, store: true, retried: true}
	case Cancel:
		return action{perform: (*run).cancel, effect: true, store: true, retried: true}
	case Repair:
		return action{perform: (*run).repair, effect: true, store: true, retried: true}
	case Clear:
		return action{perform: (*run).clear, effect: true, store: true, retried: true}
	case Declare:
		return action{perform: (*run).declare, effect: true, worthRun: true, store: true, retried: true}
	case Resolve:
		return action{perform: (*run).resolve, effect: true, store: true, retried: true}
	case Waive:
		return action{perform: (*run).waive, effect: true, worthRun: true, store: true, retried: true}
	case Assume:
		return action{perform: (*run).assume, retried: true}
	case Converge:
		return action{perform: (*run).converge, effect: true, worthRun: true, retried: true}
	case AskSinks:
		return action{perform: (*run).askSinks}
	case Supply:
		return action{perform: (*run).supply, effect: true, final: true, worthRun: true, sink: true}
	case CheckSink:
		return action{perform: (*run).checkSink, effect: true, worthRun: true, sink: true}
	case NoteReceipt:
		return action{perform: (*run).noteReceipt, effect: true, store: true, retried: true}
	case Switch:
		return action{perform: (*run).switchSender, effect: true, final: true, worthRun: true, retried: true}
	case SwitchBack:
		return action{perform: (*run).switchBack, effect: true, worthRun: true, retried: true}
	case Confirm:
		return action{perform: (*run).confirm, effect: true, worthRun: true, retried: true}
	case Resume:
		return action{perform: (*run).resume, effect: true, worthRun: true, retried: true}
	case Take:
		return action{perform: (*run).take, effect: true, worthRun: true, retried: true}
	case Compare:
		return action{perform: (*run).compareSenders}
	case Observe:
		return action{perform: (*run).observe}
	case Survey:
		return action{perform: (*run).survey, retried: true}
	case List:
		return action{perform: (*run).listKeys}
	case Check:
		return action{perform: (*run).check, worthRun: true, retried: true}
	default: // what ends a run, and what is no step
		return action{}
	}
}

// Effect tells whether the step changes anything outside of the process.
func (v Verb) Effect() bool { return v.action().effect }
