package notify_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// TestMain does what the binary does when it starts.
func TestMain(m *testing.M) {
	notify.LimitHTTP(http.DefaultClient)
	goleak.VerifyTestMain(m)
}
