package remedy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// The order decides where an error is of several classes.
func TestHintIsThatOfTheMostTellingClass(t *testing.T) {
	for name, c := range map[string]struct{ err, as error }{
		"inconclusive for want of a plan": {fmt.Errorf("%w: %w", rotator.ErrIndeterminate, instantly.ErrPlan), instantly.ErrPlan},
		"never valid":                     {fmt.Errorf("%w: %w", rotator.ErrNeverValid, instantly.ErrUnauthorized), rotator.ErrNeverValid},
		"admin key in a store":            {fmt.Errorf("%w: %w", fleet.ErrNoAdminKey, secretstore.ErrDenied), fleet.ErrNoAdminKey},
		"lost race":                       {fmt.Errorf("%w: %w", rotator.ErrLostRace, secretstore.ErrConflict), rotator.ErrLostRace},
		"create broke off":                {fmt.Errorf("%w: %w", instantly.ErrOutcomeUnknown, instantly.ErrUnavailable), instantly.ErrUnavailable},
	} {
		if got, want := For(c.err, "sending"), For(c.as, "sending"); got != want || got == "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCommandsInHintsAreForTheConfigurationThatWasNamed(t *testing.T) {
	for _, c := range []struct{ text, file, want string }{
		{"run: instantly-rotator rotate x", "", "run: instantly-rotator rotate x"},
		{"run: instantly-rotator rotate x", "team/a b.yaml", "run: instantly-rotator -c 'team/a b.yaml' rotate x"},
		{"run: instantly-rotator -c c.yaml put", "c.yaml", "run: instantly-rotator -c c.yaml put"},
	} {
		if got := Pasted(c.text, c.file); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Hints are sentences for people: they begin in lower case, as what follows
// "hint: " does, and end without a full stop.
func TestHintsReadWell(t *testing.T) {
	for _, h := range hints() {
		if first := h.say[:1]; first != strings.ToLower(first) && !strings.HasPrefix(h.say, "Instantly") {
			t.Errorf("begins in upper case: %s", h.say)
		}
		if strings.HasSuffix(h.say, ".") {
			t.Errorf("ends in a full stop: %s", h.say)
		}
	}
}
