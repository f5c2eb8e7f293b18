package trail

import "errors"

// ErrUnwritable: the trail cannot be written.
var ErrUnwritable = errors.New("the trail cannot be written")

// UnwritableError says why it cannot. It matches [ErrUnwritable] and its cause.
type UnwritableError struct{ Cause error }

// Error implements error.
func (e *UnwritableError) Error() string { return ErrUnwritable.Error() + ": " + e.Cause.Error() }

// Unwrap makes the error match both.
func (e *UnwritableError) Unwrap() []error { return []error{ErrUnwritable, e.Cause} }

func unwritable(cause error) error { return &UnwritableError{cause} }
