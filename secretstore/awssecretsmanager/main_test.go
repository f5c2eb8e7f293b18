package awssecretsmanager_test

import (
	"os"
	"strings"
	"testing"
)

// TestMain keeps the machine's AWS configuration out of the tests, but for the
// live suite.
func TestMain(m *testing.M) {
	if os.Getenv(liveVariable) != "" {
		os.Exit(m.Run())
	}
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") && name != recordedVariable {
			_ = os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

// recordedVariable names the file with recordings of the real service.
const recordedVariable = "AWS_SECRETSMANAGER_RECORDED"
