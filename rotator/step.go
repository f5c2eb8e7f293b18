package rotator

import "time"

// Step is one thing to do, and why.
type Step struct {
	Verb Verb
	// Store is the index of the store concerned; 0 where none is.
	Store int
	// Gate is the index of the gate concerned, for Converge.
	Gate int
	// Sender is the index of the sender concerned, for Switch and what follows it.
	Sender int
	// Sink is the index of the sink concerned, for Supply and CheckSink.
	Sink int
	// ID of the key concerned, if any.
	ID string
	// Reason says why, in words for a person.
	Reason string
	// At: not before that instant (a test call that is made again), or for
	// Settled when to run again. Zero: now; for Settled: nothing is planned.
	At time.Time
	// Since is when what is tried again was first tried, and Until when that ends; zero
	// for a step that is not, or has no end of its own.
	Since, Until time.Time
	// Proven for Destroy: when the key was last seen refused; zero if it was not.
	Proven time.Time
	// While is what a Stop was about to find out or do.
	While Verb
	// Failing for Settled: a due rotation waits only because the last attempts
	// failed.
	Failing bool
	// Waiting for Settled: a due rotation waits, for whatever reason; Delay says which.
	Waiting bool
	Delay   string
	// Err for Stop: what is in the way. For Discard and Destroy: what to report
	// when it is done, since the step itself makes nothing good.
	Err error
}
