package rotator

import (
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// What can be in the way of a target, to be matched with errors.Is. Errors of
// the stores and of package instantly come through as they are.
var (
	// ErrLostRace: another instance is rotating this target. This one stood
	// back; nothing is wrong.
	ErrLostRace = errors.New("another instance is rotating this target")
	// ErrInGrace: a rotation was asked for while the old key's grace period runs.
	ErrInGrace = errors.New("the old one is still in its grace period")
	// ErrHeld: somebody set a hold: the key is to be left as it is.
	ErrHeld = errors.New("on hold")
	// ErrBusy: another instance has begun this rotation a moment ago.
	ErrBusy = errors.New("another instance has begun this rotation")
	// ErrCircuitOpen: something has just failed that would fail again; nothing is tried
	// before one probe succeeds.
	ErrCircuitOpen = errors.New("circuit open after failures")
	// ErrGateOpen: consumers have not moved to the new key yet; the old one lives.
	ErrGateOpen = errors.New("consumers have not moved yet")
	// ErrStoreLost: the primary store holds nothing, but keys were issued for the
	// target: it is not where it was. Nothing is issued.
	ErrStoreLost = errors.New("the store holds nothing, but it must have held a key: it is lost, or not mounted")
	// ErrGateUnknown: it cannot be told whether consumers have moved; the old key lives.
	ErrGateUnknown = errors.New("it is not known whether consumers have moved")
	// ErrOrganization: the admin key, or a key, belongs to another organization
	// than expected. Nothing is touched.
	ErrOrganization = errors.New("wrong organization")
	// ErrNeverValid: a fresh key did not become valid in the time allowed.
	ErrNeverValid = errors.New("it never became valid")
	// ErrUnlisted: the key list does not have a new key under the id that it was issued
	// with. It is not promoted, and what was issued is revoked.
	ErrUnlisted = errors.New("the key list does not have the new key under this id")
	// ErrNoKey: what a store gives can never be a key, or the secret of webhooks: a
	// placeholder, bytes, an object.
	ErrNoKey = errors.New("the stored value can never work")
	// ErrIndeterminate: a test call said nothing about the key. Both keys live.
	ErrIndeterminate = errors.New("the test call was inconclusive")
	// ErrStillAlive: a key that should be gone is not proven dead. Its version is
	// kept until it is.
	ErrStillAlive = errors.New("the old key is not proven dead")
	// ErrByHand: somebody changed the secret by hand in a way the rotator must
	// not decide about.
	ErrByHand = errors.New("changed by hand")
	// ErrUntaken: somebody set what a sender sends, and it was not taken over. It is ErrByHand
	// too.
	ErrUntaken error = untakenError{}
	// ErrScopes: Instantly granted other scopes than were asked for.
	ErrScopes = errors.New("granted scopes differ from those asked for")
	// ErrReceiverRefuses: a receiver refuses the new secret; the sender sends the one before.
	ErrReceiverRefuses = errors.New("a receiver refuses the secret")
	// ErrHidden: what a sender sends is not shown, so it can be neither compared nor written back.
	ErrHidden = errors.New("what it sends is not shown")
	// ErrNoSender: nothing that is to send the secret is there.
	ErrNoSender = errors.New("there is nothing that sends the secret")
	// ErrPanic: a bug in the code of a store or of the API client.
	ErrPanic = errors.New("internal error")
	// ErrTooManySteps: a run took more steps than any rotation needs.
	ErrTooManySteps = errors.New("more steps than a rotation needs")
)

// untakenError does not say that anything was changed: a sender that is looked at for the
// first time was not.
type untakenError struct{}

func (untakenError) Error() string { return "it sends a value that the store does not have" }

// Unwrap makes the error match ErrByHand.
func (untakenError) Unwrap() error { return ErrByHand }

// GraceError says until when a rotation has to wait. It matches ErrInGrace.
type GraceError struct {
	KeyID   string    // the old key
	Foreign bool      // KeyID is the store's name for a version that is not ours
	Sent    bool      // it is the secret of webhooks
	Until   time.Time // when its grace period is over; zero if not yet known
}

// Error gives the sentence that the command line shows.
func (e *GraceError) Error() string {
	noun := "key"
	if e.Sent {
		noun = "secret"
	}
	what := noun
	if e.Foreign {
		what = "version"
	}
	text := fmt.Sprintf("the old %s is still in its grace period: %s %s", noun, what, e.KeyID)
	if !e.Until.IsZero() {
		text += ", until " + e.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// Unwrap makes the error match ErrInGrace.
func (e *GraceError) Unwrap() error { return ErrInGrace }

// HoldError says what hold is in the way. It matches ErrHeld.
type HoldError struct{ secretstore.Hold }

// Error gives the sentence that the command line shows.
func (e *HoldError) Error() string {
	text := fmt.Sprintf("%v since %s", ErrHeld, e.Since.UTC().Format(time.RFC3339))
	if !e.Until.IsZero() {
		text += ", until " + e.Until.UTC().Format(time.RFC3339)
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Unwrap makes the error match ErrHeld.
func (e *HoldError) Unwrap() error { return ErrHeld }

// BusyError says who has begun, and until when the rotation is left to it. It
// matches ErrBusy.
type BusyError struct {
	Holder string
	Until  time.Time
}

// Error gives the sentence that the command line shows.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%v: it is left to %s until %s", ErrBusy, e.Holder, e.Until.UTC().Format(time.RFC3339))
}

// Unwrap makes the error match ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// CircuitOpenError says what nothing is begun in, until when, and why. It matches
// ErrCircuitOpen and its cause.
type CircuitOpenError struct {
	Where string // "workspace NAME", or "all workspaces"
	Until time.Time
	Cause error
}

// Error gives the sentence that the command line shows.
func (e *CircuitOpenError) Error() string {
	return fmt.Sprintf("%s %v, tried again at %s: %v", e.Where, ErrCircuitOpen, e.Until.UTC().Format(time.RFC3339), e.Cause)
}

// Unwrap makes the error match both.
func (e *CircuitOpenError) Unwrap() []error { return []error{ErrCircuitOpen, e.Cause} }
