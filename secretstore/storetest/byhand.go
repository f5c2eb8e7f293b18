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
	}
}

func (d *desk) putByHand(value secret.Value) secretstore.Version {
	d.Helper()
	if d.secret.PutByHand == nil {
		skipClaim(d.T, "this backend has no way to put a value by hand")
	}
	d.secret.PutByHand(d.T, value)
	current, ok := d.look().Versions[secretstore.Current]
	if !ok {
		d.Fatal("a value put by hand is not current")
	}
	return current
}

func checkByHandIsForeign(d *desk) {
	value := secret.New("made by hand")
	got := d.putByHand(value)
	want := secretstore.Version{ID: got.ID, Foreign: true, Created: got.Created}
	if diff := diff(want, got); diff != "" || got.ID == "" {
		d.Errorf("the version put by hand (-want +got):\n%s", diff)
	}
	d.wantValue(got.ID, value)
}

func checkByHandIsAChange(d *desk) {
	d.rotate(idA)
	stale := d.look()
	d.putByHand(secret.New("made by hand"))
	before := d.look()
	_, err := d.store.Stage(d.Context(), stale, version(idB), valueOf(idB))
	d.wantError(err, secretstore.ErrConflict)
	d.wantUnchanged(before)
}

func checkByHandDisplaced(d *desk) {
	value := secret.New("made by hand")
	foreign := d.putByHand(value)
	d.rotate(idA)
	d.wantHeld("", idA, foreign.ID)
	d.wantValue(foreign.ID, value)
	if !d.look().Versions[secretstore.Previous].Foreign {
		d.Error("the displaced version is no longer foreign")
	}
	d.destroy(foreign.ID)
	d.wantHeld("", idA, "")
}

func checkByHandKeepsRecord(d *desk) {
	d.rotate(idA)
	want := d.look().Versions[secretstore.Current]
	d.putByHand(secret.New("made by hand"))
	got, _, ok := d.look().Find(idA)
	if !ok {
		return // The contract does not say that a hand-made value displaces to previous.
	}
	if diff := diff(want, got); diff != "" {
		d.Errorf("the displaced version (-want +got):\n%s", diff)
	}
}
