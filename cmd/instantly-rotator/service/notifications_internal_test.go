package service

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func TestPeopleAreToldWhatConcernsThem(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	young := rotator.TargetStatus{Workspace: "main", Since: now.Add(-24 * time.Hour)}
	old := rotator.TargetStatus{Workspace: "main", Since: now.Add(-200 * 24 * time.Hour)}
	for _, c := range []struct {
		what   string
		result rotator.Result
		want   []notify.Kind
	}{
		{"nothing happened", rotator.Result{Status: young}, nil},
		{"a rotation", rotator.Result{Status: young, Rotated: true}, []notify.Kind{notify.Rotated}},
		{"an old key that is not rotated", rotator.Result{Status: old}, []notify.Kind{notify.TooOld}},
		{"an old key of which nothing is known", rotator.Result{}, nil},
		{"a lost race", rotator.Result{Status: young, Err: fmt.Errorf("x: %w", rotator.ErrLostRace)}, nil},
		{"an outage", rotator.Result{Status: young, Err: instantly.ErrUnavailable}, []notify.Kind{notify.Failed}},
		{"something nobody thought of", rotator.Result{Status: young, Err: errors.New("x")}, []notify.Kind{notify.Failed}},
		{"a permission that is missing", rotator.Result{Status: young, Err: secretstore.ErrDenied}, []notify.Kind{notify.NeedsPerson}},
		{"a rollout that does not end", rotator.Result{Status: young, Err: rotator.ErrGateOpen}, []notify.Kind{notify.NeedsPerson}},
		{"a workspace without a plan", rotator.Result{Status: young, Err: &rotator.CircuitOpenError{Cause: instantly.ErrPlan}}, []notify.Kind{notify.Unable}},
		{"an old key that cannot be rotated", rotator.Result{Status: old, Err: secretstore.ErrCorrupt}, []notify.Kind{notify.TooOld, notify.NeedsPerson}},
	} {
		var got []notify.Kind
		for _, m := range notificationsOf(c.result, 120*24*time.Hour, now) {
			got = append(got, m.Kind)
			if m.Kind == notify.Unable && m.Target != "" {
				t.Errorf("%s: told for one key, though it concerns the workspace", c.what)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}
