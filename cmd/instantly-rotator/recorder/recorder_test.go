package recorder_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/recorder"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// full is a log on a disk that is full.
type full struct{}

func (full) Append(trail.Entry, bool) (int64, error) {
	return 0, &trail.UnwritableError{Cause: errors.New("no space left on device")}
}
func (full) Tell(trail.Entry) error { return nil }
func (full) Close() error           { return nil }

// What is not done, whoever asked says, once; what is done all the same, nobody else can.
func TestWhatIsDoneWithoutARecordIsLogged(t *testing.T) {
	core, seen := observer.New(zap.InfoLevel)
	r := recorder.New(recorder.Options{Log: full{}, Now: time.Now, Logger: zap.New(core)})
	if _, err := r.Act(trail.What{Verb: "get"}, ""); !errors.Is(err, rotator.ErrTrail) || err.Error() != rotator.ErrTrail.Error()+": no space left on device" || seen.Len() > 0 {
		t.Errorf("of what is not done it is said: %v, and logged: %v", err, seen.All())
	}
	if _, err := r.Intend(rotator.Effect{Verb: rotator.Issue}); err == nil || seen.Len() > 0 {
		t.Errorf("of what is not done it is said: %v, and logged: %v", err, seen.All())
	}
	if _, err := r.Intend(rotator.Effect{Verb: rotator.Stage, Regardless: true}); err == nil || seen.FilterMessageSnippet("done without a record").Len() != 1 {
		t.Errorf("of what is done all the same it is said: %v, and logged: %v", err, seen.All())
	}
	if text := seen.All()[0].ContextMap()["error"]; text != "no space left on device" || strings.Contains(seen.All()[0].Message, "not done") {
		t.Errorf("it is logged: %+v", seen.All()[0])
	}
}
