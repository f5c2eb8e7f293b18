package filestore

import (
	"errors"
	"syscall"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func TestAPermissionThatIsDeniedIsSaidOnce(t *testing.T) {
	err := failed("write in store", syscall.EACCES)
	if got, want := err.Error(), "write in store: permission denied"; got != want || !errors.Is(err, secretstore.ErrDenied) {
		t.Errorf("%q, denied: %v; want %q", got, errors.Is(err, secretstore.ErrDenied), want)
	}
}
