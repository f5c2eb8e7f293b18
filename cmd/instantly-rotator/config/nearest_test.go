package config_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func TestTheNameThatIsMeantIsFound(t *testing.T) {
	known := []string{"grace_period", "max_age", "schedule", "stores", "sinks", "activation_timeout"}
	for typed, want := range map[string]string{
		"shedule": "schedule", "store": "stores", "grace": "grace_period", "activation": "activation_timeout",
		"s": "", "zebra": "", "colour": "",
	} {
		if got, _ := config.Nearest(typed, known); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
	if got, ok := config.Nearest("web-", []string{"web-one-long-name", "web-two-long-name"}); ok {
		t.Errorf("of two that begin so, %s is meant", got)
	}
}
