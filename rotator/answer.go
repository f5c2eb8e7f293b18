package rotator

import "time"

// An answer is what a rule says. It is one of three: nothing (the next rule is
// asked), a step to take now, or that it waits until an instant, because of something.
// Who waits does not keep the rules below from acting.
type answer struct {
	step *Step
	wait *waiting
}

// waiting is why a rule does nothing now.
type waiting struct {
	until time.Time // zero: until something else changes
	why   string
	// due: a due rotation waits. failing: only because the last attempts failed.
	due, failing bool
	// trouble is what to report when nothing else is left to do: what the rule cannot
	// mend now must not keep a rotation from beginning, which may be what mends it.
	trouble *Step
}

// pass: the rule has nothing to say.
func pass() answer { return answer{} }

// act: the step is to be taken now.
func act(s Step) answer { return answer{step: &s} }

// stop: the run ends here, for something is in the way.
func stop(err error) answer { return act(Step{Verb: Stop, Err: err, Reason: err.Error()}) }

// stopAt is to stop at what was to be found out, or done.
func stopAt(while Verb, err error) answer {
	return act(Step{Verb: Stop, While: while, Err: err, Reason: err.Error()})
}

// wait: not before until; if that is zero, not before something else changes.
func wait(until time.Time, why string) answer {
	return answer{wait: &waiting{until: until, why: why}}
}

// delay is to wait with a rotation that is due.
func delay(until time.Time, why string) answer {
	return answer{wait: &waiting{until: until, why: why, due: true}}
}

// backOff is to delay a rotation only because something has failed.
func backOff(until time.Time, why string) answer {
	return answer{wait: &waiting{until: until, why: why, due: true, failing: true}}
}

// report: what the answer stops for is told when nothing else is left to do.
func (a answer) report() answer {
	if a.step == nil || a.step.Verb != Stop {
		return a
	}
	return answer{wait: &waiting{why: a.step.Reason, trouble: a.step}}
}

func (a answer) passes() bool { return a.step == nil && a.wait == nil }

// settled is the step that ends a run in which the rules only wait: the earliest of the
// instants waited for, and why; and if a due rotation waits, why that does.
func settled(waits []waiting) Step {
	s := Step{Verb: Settled}
	for _, w := range waits {
		if !w.until.IsZero() && (s.At.IsZero() || w.until.Before(s.At)) {
			s.At, s.Reason = w.until, w.why
		}
		if w.due && s.Delay == "" {
			s.Delay = w.why
		}
		s.Waiting, s.Failing = s.Waiting || w.due, s.Failing || w.failing
	}
	if s.At.IsZero() {
		s.Reason = s.Delay
	}
	return s
}
