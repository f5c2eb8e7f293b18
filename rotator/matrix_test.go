package rotator_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

func TestEveryCallFails(t *testing.T) {
	for stores, name := range map[int]string{1: "memory", 2: "memory, 2 stores", 3: "memory, 3 stores"} {
		t.Run(name, func(t *testing.T) { rotatortest.Matrix(t, inMemory(name, stores)) })
	}
}

func TestNothingIsDoneWithoutAnIntentOnTheTrail(t *testing.T) {
	for stores, name := range map[int]string{1: "memory", 2: "memory, 2 stores"} {
		t.Run(name, func(t *testing.T) { rotatortest.TrailMatrix(t, inMemory(name, stores)) })
	}
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 0
	if testing.Short() {
		draws = 1000
	}
	rotatortest.Pairs(t, inMemory("memory", 1), draws)
}

func TestAnIncidentDeclaredInTheMiddleOfAnotherInstancesRun(t *testing.T) {
	for stores := 1; stores <= 2; stores++ {
		rotatortest.Interleave(t, inMemory("memory", stores), rotatortest.Meetings{Incident: "INC-4711", OneOf: stores})
	}
}

// Two people find a leak at the same time, and each gives it a name.
func TestTwoIncidentsOfOneTargetDoNotBothStandBack(t *testing.T) {
	for stores := 1; stores <= 2; stores++ {
		rotatortest.Interleave(t, inMemory("memory", stores), rotatortest.Meetings{Incident: "INC-1", Other: "INC-2", OneOf: 5 * stores})
	}
}

func TestTwoInstancesInterleaved(t *testing.T) {
	for _, m := range []struct {
		stores int
		how    rotatortest.Meetings
	}{
		{1, rotatortest.Meetings{}},
		{2, rotatortest.Meetings{}},
		{2, rotatortest.Meetings{OneDies: true}},
		{2, rotatortest.Meetings{Lag: 3 * time.Second}},
		{1, rotatortest.Meetings{Misnamed: true}},
		{2, rotatortest.Meetings{Misnamed: true}},
	} {
		rotatortest.Interleave(t, inMemory("memory", m.stores), m.how)
	}
}

// TestATornReadIsNoReasonToMoveAStoreBack: one instance has read one store when
// another one rotates and delivers, and reads the other store after that.
func TestATornReadIsNoReasonToMoveAStoreBack(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		w.Begin("rotation")
		in, other := w.Start(), w.Start()
		in.Hook = meanwhile("describe", 2, func() { mustSettle(t, other.Run(rotator.Request{})) })
		in.Run(rotator.Request{})
		if currentValue(w.stores[0]) != currentValue(w.stores[1]) {
			t.Errorf("it moved back a store that another instance had brought up to date: %s", in.Steps())
		}
	})
}
