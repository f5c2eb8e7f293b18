package storetest

import (
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func byHandClaims() []claim {
	return []claim{
		{"A value put by hand is current and foreign", checkByHandIsForeign},
		{"A value put by hand makes snapshots stale", checkByHandIsAChange},
		{"Promote displaces a value put by hand to previous", checkByHandDisplaced},
		{"A version displaced by hand keeps its record", checkByHandKeepsRecord},
		{"A value put by hand can be taken over under an id of its own", checkByHandTakenOver},
	}
}

func (tr *trial) putByHand(value secret.Value) secretstore.Version {
	tr.Helper()
	if tr.secret.PutByHand == nil {
		skipClaim(tr.T, "this backend has no way to put a value by hand")
	}
	tr.secret.PutByHand(tr.T, value)
	current, ok := tr.describe().Versions[secretstore.Current]
	if !ok {
		tr.Fatal("a value put by hand is not current")
	}
	return current
}

func checkByHandIsForeign(tr *trial) {
	value := secret.New("made by hand")
	got := tr.putByHand(value)
	want := secretstore.Version{ID: got.ID, Foreign: true, Created: got.Created}
	if diff := diff(want, got); diff != "" || got.ID == "" {
		tr.Errorf("the version put by hand (-want +got):\n%s", diff)
	}
	tr.wantValue(got.ID, value)
}

func checkByHandIsAChange(tr *trial) {
	tr.rotate(idA)
	stale := tr.describe()
	tr.putByHand(secret.New("made by hand"))
	before := tr.describe()
	_, err := tr.store.Stage(tr.Context(), stale, version(idB), valueOf(idB))
	tr.wantError(err, secretstore.ErrConflict)
	tr.wantUnchanged(before)
}

func checkByHandDisplaced(tr *trial) {
	value := secret.New("made by hand")
	foreign := tr.putByHand(value)
	tr.rotate(idA)
	tr.wantHeld("", idA, foreign.ID)
	tr.wantValue(foreign.ID, value)
	if !tr.describe().Versions[secretstore.Previous].Foreign {
		tr.Error("the displaced version is no longer foreign")
	}
	tr.destroy(foreign.ID)
	tr.wantHeld("", idA, "")
}

func checkByHandKeepsRecord(tr *trial) {
	tr.rotate(idA)
	want := tr.describe().Versions[secretstore.Current]
	tr.putByHand(secret.New("made by hand"))
	got, _, ok := tr.describe().Find(idA)
	if !ok {
		return // The contract does not say that a hand-made value displaces to previous.
	}
	if diff := diff(want, got); diff != "" {
		tr.Errorf("the displaced version (-want +got):\n%s", diff)
	}
}

// checkByHandTakenOver stages the value that is there once more: readers get it all the
// time, whichever version it is, and its record says how it came there.
func checkByHandTakenOver(tr *trial) {
	value := secret.New("made by hand")
	tr.rotate(idB)
	foreign := tr.putByHand(value)
	if _, _, stands := tr.describe().Find(idB); stands {
		tr.destroy(idB)
	}
	taken := version(idA)
	taken.Intent.Adopted = "scopes"
	if _, err := tr.store.Stage(tr.Context(), tr.describe(), taken, value); err != nil {
		tr.Fatalf("stage: %v", err)
	}
	tr.wantHeld(idA, foreign.ID, "")
	tr.wantValue(foreign.ID, value)
	tr.promote(idA)
	tr.wantHeld("", idA, foreign.ID)
	tr.destroy(foreign.ID)
	tr.wantHeld("", idA, "")
	tr.wantValue(idA, value)
	if got := tr.describe().Versions[secretstore.Current].Intent; got.Adopted != taken.Intent.Adopted || !got.At.Equal(taken.Intent.At) {
		tr.Errorf("the version that was taken over has the intent %+v, want %+v", got, taken.Intent)
	}
}
