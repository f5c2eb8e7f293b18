package status_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// behind is a target whose place in a sink does not take the key.
func behind(target, place string, cause error) status.Target {
	err := fmt.Errorf("sink %s: %w: %w", place, rotator.SinkBehindError{Has: "k0"}, cause)
	return status.Of(rotator.TargetStatus{
		Target: target, Workspace: "main", Current: &secretstore.Version{ID: "k1"},
		Sinks: []rotator.SinkStatus{{Name: place, KeyID: "k0", Err: cause}},
		Next:  rotator.Step{Verb: rotator.Stop, Err: err, Reason: err.Error()},
	}, time.Now())
}

// TestASinkThatFailedIsSaidOnceOfItsTarget: what it has, how it failed, and what tries again.
func TestASinkThatFailedIsSaidOnceOfItsTarget(t *testing.T) {
	o := rotator.TargetStatus{
		Target: "sending", Workspace: "main", Current: &secretstore.Version{ID: "k1"}, Since: time.Now(),
		Sinks:   []rotator.SinkStatus{{Name: "crm:a", KeyID: "k0"}, {Name: "mail:a", KeyID: "k1", Current: true}},
		Failure: secretstore.Failure{Count: 1, Step: string(rotator.Supply), Reason: "sink crm:a: " + rotator.SinkBehindError{Has: "k0"}.Error() + ": the crm is down"},
		Due:     true, Next: rotator.Step{Verb: rotator.Supply, Reason: "every store has the current key, sink crm:a does not"},
	}
	said := status.Of(o, time.Now()).Remarks()
	if len(said) != 1 || strings.Count(said[0], "crm:a") != 1 || !strings.Contains(said[0], "but k0; failed once, last at ") ||
		!strings.Contains(said[0], ": the crm is down; an old key lives on until it has; \"instantly-rotator rotate --due sending\" tries again") {
		t.Errorf("it is said:\n%s", strings.Join(said, "\n"))
	}
	o.Failure.Reason = "the admin key is refused"
	if said := status.Of(o, time.Now()).Remarks(); len(said) != 2 || !strings.Contains(said[0], "the admin key is refused") {
		t.Errorf("of another failure it is said:\n%s", strings.Join(said, "\n"))
	}
}

// TestASinkThatTakesNothingIsToldOnce: of all targets that it keeps from moving; what is of
// one place alone is among what is said of its target.
func TestASinkThatTakesNothingIsToldOnce(t *testing.T) {
	down := errors.New("the crm is down")
	for what, c := range map[string]struct {
		second error
		want   string
	}{
		"the same cause":       {down, "sink crm: it is not known to have the current key: the crm is down"},
		"a cause at one place": {errors.New("no such account"), "sink crm: it is not known to have the current key"},
	} {
		r := status.Report{Targets: []status.Target{behind("a", "crm:a", down), behind("b", "crm:b", c.second), behind("c", "mail:c", down)}}
		all := r.Obstacles()
		if len(all) != 2 || strings.Join(all[0].Targets, " ") != "a b" || all[0].Hint == "" {
			t.Fatalf("%s: told as %+v", what, all)
		}
		if got := all[0].Name() + ": " + all[0].Text; got != c.want {
			t.Errorf("%s: told as %q, want %q", what, got, c.want)
		}
		remarks := strings.Join(r.Targets[1].Remarks(), "\n")
		if !strings.Contains(remarks, "sink crm:b does not have the current key, but k0: "+c.second.Error()) {
			t.Errorf("%s: of b it is said: %s", what, remarks)
		}
	}
}
