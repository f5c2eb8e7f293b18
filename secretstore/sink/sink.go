// Package sink is the contract between the rotation engine and a place that takes a
// key and perhaps never shows it again: a connected account at Composio, a secret of
// GitHub Actions, a program, an address that is written to. Its doc comments are the
// contract, package sinktest checks them, and every kind of sink passes that suite.
//
// A sink is written after the stores, is never the only copy of a key, and never the
// place of state: what it cannot tell of itself, the notes of the target's primary store say.
package sink

import (
	"context"
	"errors"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A Sink is one such place for one target; it is bound to both when it is made.
//
// Errors wrap one of package secretstore's sentinels, or [ErrNotYet] or [ErrUnavailable], say what was
// tried and on what, and never carry a value or what was answered in a body, which may
// repeat one. Sinks do not retry what is not idempotent, do not log, and are safe for
// concurrent use.
type Sink interface {
	// Name is what the sink is called to people, in logs and in receipts: "composio:ca_1".
	// It has neither a secret nor a space, at most 64 bytes, and is the same for good:
	// two sinks of one name are one place, unless they are [Placed] elsewhere.
	Name() string

	// Put has the place use value, which is that of the version. Repeating it is
	// harmless, and it may come after an attempt whose outcome is not known: afterwards
	// the place has this value and, where it can keep one, the mark of this version.
	// The mark is written after the value: it never vouches for a value that is not there.
	// Nil means that the place took it, not that what uses it has moved.
	Put(ctx context.Context, version string, value secret.Value) error
}

// A Holder is a Sink that can tell which version it has, by a mark beside the value.
// The mark shows whether somebody changed that; what was put there, and that it was put as the
// configuration says now, a receipt in the primary's notes tells, and alone for other sinks.
type Holder interface {
	Sink
	// Holds gives the id of the version that was put there last, by its mark; empty if
	// there is no mark, or if the value was changed since by somebody else where that
	// can be seen. It changes nothing.
	Holds(ctx context.Context) (version string, err error)
}

// A Placed is a Sink whose name does not say all of where it leads, or in which form a value is
// put there: the rest, an address, a field or a program, stands in the configuration, where
// somebody may change it.
type Placed interface {
	Sink
	// Where is that rest, without any secret. What was put elsewhere under the same name, or
	// otherwise, was not put there: whatever a mark says.
	Where() string
}

// A Checker is a Sink that can find out whether what uses the value works with it.
type Checker interface {
	Sink
	// Check asks for the version that was just put. Nil: it works. ErrNotYet: it does
	// not, or not yet. It may cost something: it is asked once a key until it says yes.
	Check(ctx context.Context, version string) error
}

// A Prober is a Sink that can find out, without a write, whether something is in the way of
// the next put.
type Prober interface {
	Sink
	// Probe says what is there, in half a sentence; empty if nothing can be known before
	// a put. It changes nothing.
	Probe(ctx context.Context) (found string, err error)
}

// ErrNotYet: nothing is wrong, but the place does not have the value yet, or what uses
// it does not work with it yet. Try again later.
var ErrNotYet = errors.New("not yet")

// ErrUnavailable is [secretstore.ErrUnavailable] in the words for a sink.
var ErrUnavailable error = unavailableError{}

type unavailableError struct{}

// Error implements an interface of the language.
func (unavailableError) Error() string { return "sink unavailable" }

// Unwrap implements an interface of package errors.
func (unavailableError) Unwrap() error { return secretstore.ErrUnavailable }
