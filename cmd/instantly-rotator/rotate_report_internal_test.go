package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// What every run goes on with need not be asked for again, and a rotation that is due is not
// made a second one by the command that does not wait for it.
func TestTheCommandThatDoesNotWaitGoesOnWithWhatWasBegun(t *testing.T) {
	broken := errors.New("answered 503")
	incident := rotator.TargetStatus{Incident: secretstore.Incident{ID: "INC-1", At: time.Unix(1, 0)}}
	const goesOn = "every later run tries it again; not to wait: instantly-rotator rotate --due --force sending"
	for name, c := range map[string]struct {
		result rotator.Result
		flags  rotateFlags
		want   string
	}{
		"a receiver refuses":              {rotator.Result{Step: rotator.SwitchBack, Err: broken}, rotateFlags{}, goesOn},
		"an incident fails":               {rotator.Result{Step: rotator.List, Err: broken, Status: incident}, rotateFlags{}, goesOn},
		"what is due is in backoff":       {rotator.Result{Failing: true}, rotateFlags{due: true}, "not to wait: instantly-rotator rotate --due --force sending"},
		"what was asked for is":           {rotator.Result{Failing: true}, rotateFlags{}, "not to wait: instantly-rotator rotate --force sending"},
		"what was asked for is cut off":   {rotator.Result{Step: rotator.List, Err: broken}, rotateFlags{}, "this rotation was asked for by hand: no later run repeats it unless it is due; again: instantly-rotator rotate --force sending"},
		"a rotation that is due does not": {rotator.Result{Step: rotator.List, Err: broken}, rotateFlags{due: true}, ""},
	} {
		c.result.Target = "sending"
		want := []string{c.want}
		if c.want == "" {
			want = nil
		}
		if got := followUp(c.result, c.flags); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
