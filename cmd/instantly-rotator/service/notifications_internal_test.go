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
	young := rotator.Outlook{Workspace: "main", Since: now.Add(-24 * time.Hour)}
	old := rotator.Outlook{Workspace: "main", Since: now.Add(-200 * 24 * time.Hour)}
	for _, c := range []struct {
		what   string
		result rotator.Result
		want   []notify.Kind
	}{
		{"nothing happened", rotator.Result{Outlook: young}, nil},
		{"a rotation", rotator.Result{Outlook: young, Rotated: true}, []notify.Kind{notify.Rotated}},
		{"an old key that is not rotated", rotator.Result{Outlook: old}, []notify.Kind{notify.TooOld}},
		{"an old key of which nothing is known", rotator.Result{}, nil},
		{"a lost race", rotator.Result{Outlook: young, Err: fmt.Errorf("x: %w", rotator.ErrLostRace)}, nil},
		{"an outage", rotator.Result{Outlook: young, Err: instantly.ErrUnavailable}, []notify.Kind{notify.Failed}},
		{"something nobody thought of", rotator.Result{Outlook: young, Err: errors.New("x")}, []notify.Kind{notify.Failed}},
		{"a permission that is missing", rotator.Result{Outlook: young, Err: secretstore.ErrDenied}, []notify.Kind{notify.NeedsPerson}},
		{"a rollout that does not end", rotator.Result{Outlook: young, Err: rotator.ErrGateOpen}, []notify.Kind{notify.NeedsPerson}},
		{"a workspace without a plan", rotator.Result{Outlook: young, Err: &rotator.FrozenError{Cause: instantly.ErrPlan}}, []notify.Kind{notify.Unable}},
		{"an old key that cannot be rotated", rotator.Result{Outlook: old, Err: secretstore.ErrCorrupt}, []notify.Kind{notify.TooOld, notify.NeedsPerson}},
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
