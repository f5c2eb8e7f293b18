package gcpsecretmanager

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// updateSecret is the one call that compares and swaps.
const updateSecret = "UpdateSecret"

// A call is one call to the service, for messages.
type call struct {
	method string
	// permission that the call needs, as the reference of IAM permissions has it.
	permission string
	// resource that it is about.
	resource string
}

// failed maps what a call to the service ended with to the sentinels of package
// secretstore, and says what was tried, on what.
//
// A stale etag is FAILED_PRECONDITION by Secret Manager's documents, and ABORTED
// by AIP-154. It says FAILED_PRECONDITION of other things too, such as a version
// that an alias names or a disabled KMS key: only of an UpdateSecret it means a
// lost race.
func (c call) failed(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", c.method, secretstore.ErrUnavailable, err)
	}
	switch status.Code(err) {
	case codes.NotFound:
		return fmt.Errorf("%s of %s: %w: %w", c.method, c.resource, secretstore.ErrNotFound, err)
	case codes.PermissionDenied:
		return fmt.Errorf("%s: %w: needs %s on %s: %w", c.method, secretstore.ErrDenied, c.permission, c.resource, err)
	case codes.Unauthenticated:
		return fmt.Errorf("%s: %w: the credentials were not accepted; check Application Default Credentials: %w",
			c.method, secretstore.ErrDenied, err)
	case codes.AlreadyExists:
		return fmt.Errorf("%s of %s: %w: %w", c.method, c.resource, secretstore.ErrConflict, err)
	case codes.FailedPrecondition, codes.Aborted:
		if c.method == updateSecret {
			return fmt.Errorf("%s of %s: %w: %w", c.method, c.resource, secretstore.ErrConflict, err)
		}
	default:
	}
	return fmt.Errorf("%s of %s: %w: %w", c.method, c.resource, secretstore.ErrUnavailable, err)
}

// refused tells whether the service said for certain that a write had no effect.
func refused(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated,
		codes.FailedPrecondition, codes.AlreadyExists, codes.Unimplemented, codes.OutOfRange:
		return true
	default:
		return false
	}
}
