package gcpsecretmanager_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if a client that was closed leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
