package setup_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/setup"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// TestNobodyWaitsForWhatDoesNotAnswer: kinds are asked side by side, and one whose SDK
// heeds no deadline costs seconds, not hours.
func TestNobodyWaitsForWhatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after := func(d time.Duration, err error) func(context.Context) (storekind.Discovery, error) {
			return func(context.Context) (storekind.Discovery, error) {
				time.Sleep(d)
				return storekind.Discovery{As: d.String()}, err
			}
		}
		began := time.Now()
		found := setup.Surroundings(t.Context(), []storekind.Kind{
			{Name: "b", Discover: after(2*time.Second, nil)},
			{Name: "deaf", Discover: after(time.Hour, nil)},
			{Name: "none", Discover: after(0, errors.New("no credentials"))},
			{Name: "a", Discover: after(2*time.Second, nil)},
			{Name: "nothing to find"},
		})
		want := []setup.Surrounding{{"a", storekind.Discovery{As: "2s"}}, {"b", storekind.Discovery{As: "2s"}}}
		if d := cmp.Diff(want, found); d != "" {
			t.Error(d)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		time.Sleep(time.Hour) // the deaf one ends
	})
}

func TestWhatAnswersAtOnceIsNotWaitedForEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		setup.Surroundings(t.Context(), []storekind.Kind{{Name: "a", Discover: func(context.Context) (storekind.Discovery, error) { return storekind.Discovery{}, nil }}})
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %s", took)
		}
	})
}
