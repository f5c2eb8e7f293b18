package status_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// TestAReloadForgetsTargetsForGood: the last run of a target that was taken out
// of the configuration does not bring it back.
func TestAReloadForgetsTargetsForGood(t *testing.T) {
	b := status.NewBoard()
	b.Keep([]string{"gone", "stays"})
	put := func(name string) {
		b.Put(rotator.Result{Target: name, Status: rotator.TargetStatus{Target: name}}, time.Now())
	}
	put("gone")
	put("stays")
	b.Keep([]string{"stays"})
	put("gone")
	if e := b.Targets(time.Now()); len(e) != 1 || e[0].Target != "stays" {
		t.Errorf("the board shows %d targets: %+v", len(e), e)
	}
}

// TestAFailedRunIsToldWithWhatWasSeenBefore: what cannot be read now is not
// forgotten, and not taken for good either.
func TestAFailedRunIsToldWithWhatWasSeenBefore(t *testing.T) {
	b, now := status.NewBoard(), time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	b.Keep([]string{"sending"})
	seen := rotator.TargetStatus{Target: "sending", Current: &secretstore.Version{ID: "k1"}}
	b.Put(rotator.Result{Target: "sending", Status: seen}, now)
	outage := errors.New("no answer")
	b.Put(rotator.Result{Target: "sending", Err: outage, Status: rotator.TargetStatus{Target: "sending", Err: outage}}, now.Add(time.Hour))
	got := b.Targets(now.Add(time.Hour))[0]
	if got.KeyID != "k1" || got.State != status.Blocked || got.Error != "no answer" || !got.SettledAt.Equal(now) || !got.AsOf.Equal(now.Add(time.Hour)) {
		t.Errorf("shown as %+v", got)
	}
	if !errors.Is(b.Err(), outage) {
		t.Errorf("every target failed, and the board says %v", b.Err())
	}
}

func TestWhatConcernsConsumersMostIsToldFirst(t *testing.T) {
	foreign := secretstore.Version{ID: "v7", Foreign: true}
	ours := secretstore.Version{ID: "k1"}
	hold := secretstore.Hold{Since: time.Now()}
	for want, o := range map[status.State]rotator.TargetStatus{
		status.OK:          {Current: &ours},
		status.NoKey:       {},
		status.Quarantined: {Current: &foreign},
		status.Due:         {Current: &foreign, Due: true},
		status.InGrace:     {Current: &ours, Old: []rotator.OldKey{{ID: "k0"}}},
		status.Rotating:    {Current: &ours, Rotation: &rotator.Rotation{By: "other/7", UnderWay: true}},
		status.Interrupted: {Current: &ours, Due: true, Rotation: &rotator.Rotation{By: "other/7"}},
		status.KeyMissing:  {Due: true, Stores: []rotator.StoreState{{}, {Snapshot: secretstore.Snapshot{Versions: map[secretstore.Stage]secretstore.Version{secretstore.Current: ours}}}}},
		status.Waiting:     {Current: &ours, Due: true, Old: []rotator.OldKey{{ID: "k0", Until: time.Now().Add(-time.Hour)}}, Gates: []string{"restart of deployment/web"}},
		status.Failing:     {Current: &ours, Due: true, Failure: secretstore.Failure{Count: 2}},
		status.OnHold:      {Current: &ours, Hold: hold, Failure: secretstore.Failure{Count: 2}},
		status.InIncident:  {Current: &ours, Hold: hold, Incident: secretstore.Incident{ID: "INC-1", At: time.Now()}},
		status.DeadKey:     {Current: &ours, Dead: true, Hold: hold},
		status.Blocked:     {Current: &ours, Dead: true, Next: rotator.Step{Verb: rotator.Stop, Err: errors.New("no")}},
	} {
		if got := status.Of(o, time.Now()).State; got != want {
			t.Errorf("state %s, want %s", got, want)
		}
		if !slices.Contains(status.States(), want) {
			t.Errorf("%s is not among the states", want)
		}
	}
}

func TestAnUnknownStateIsTrouble(t *testing.T) {
	if status.State("").Severity() != status.Trouble || status.OK.Severity() != status.Fine {
		t.Error("what is not known must not look good")
	}
}

func TestStatusAndPlanTellWhatAStoreAdvises(t *testing.T) {
	o := rotator.TargetStatus{Target: "sending", Stores: []rotator.StoreState{
		{Name: "local"}, {Name: "aws", Snapshot: secretstore.Snapshot{Advice: []string{"look at version 1"}}},
	}}
	for what, said := range map[string][]string{"status": status.Of(o, time.Now()).Hints, "plan": status.Planned(o).Advice} {
		if !slices.Contains(said, "store aws: look at version 1") {
			t.Errorf("%s says %q", what, said)
		}
	}
}
