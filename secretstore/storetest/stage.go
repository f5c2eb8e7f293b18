package storetest

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func stageClaims() []claim {
	return []claim{
		{"Stage stores a pending version with its intent and account", checkStageStores},
		{"Stage takes no other fact from the caller", checkStageTakesOnlyItsOwn},
		{"Stage is invisible to readers of current", checkStageInvisible},
		{"Stage on an empty secret makes nothing current", checkStageOnEmpty},
		{"Stage clears the intent and keeps the failure", checkStageClearsIntent},
		{"Stage forgets another pending version", checkStageReplaces},
		{"Staging the pending version again changes nothing", checkStageAgain},
		{"Staging the pending version with another value is a conflict", checkStageOtherValue},
		{"Staging the current version is a conflict", checkStageCurrent},
		{"Staging the previous version is a conflict", checkStagePrevious},
	}
}

func checkStageStores(d *desk) {
	d.stage(idA)
	d.wantHeld(idA, "", "")
	d.wantValue(idA, valueOf(idA))
	got := d.look().Versions[secretstore.Pending]
	want := version(idA)
	want.Created = got.Created
	if diff := diff(want, got); diff != "" {
		d.Errorf("pending version (-want +got):\n%s", diff)
	}
}

func checkStageTakesOnlyItsOwn(d *desk) {
	v := version(idA)
	v.Foreign = true
	v.Promoted = promotedAt()
	v.Created = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := d.store.Stage(d.Context(), d.look(), v, valueOf(idA)); err != nil {
		d.Fatalf("stage: %v", err)
	}
	got := d.look().Versions[secretstore.Pending]
	if got.Foreign || !got.Promoted.IsZero() || got.Created.Equal(v.Created) {
		d.Errorf("the staged version took over Foreign, Promoted or Created: %+v", got)
	}
}

func checkStageInvisible(d *desk) {
	d.rotate(idA, idB)
	before := d.look().Versions
	d.stage(idC)
	d.wantHeld(idC, idB, idA)
	after := d.look().Versions
	if diff := diff(before[secretstore.Current], after[secretstore.Current]); diff != "" {
		d.Errorf("stage changed the current version (-before +after):\n%s", diff)
	}
	d.wantValue(idB, valueOf(idB))
	d.wantValue(idA, valueOf(idA))
}

func checkStageOnEmpty(d *desk) {
	d.stage(idA)
	if v, ok := d.look().Versions[secretstore.Current]; ok {
		d.Errorf("version %s is current though nothing was promoted", v.ID)
	}
}

func checkStageClearsIntent(d *desk) {
	d.annotate(notesOf(idA))
	d.stage(idA)
	left := notesOf(idA)
	left.Intent = secretstore.Intent{}
	d.wantNotes(left)
}

func checkStageReplaces(d *desk) {
	d.rotate(idA)
	d.stage(idB)
	d.stage(idC)
	d.wantHeld(idC, idA, "")
	d.wantNoValue(idB)
	d.wantValue(idC, valueOf(idC))
}

func checkStageAgain(d *desk) {
	d.stage(idA)
	d.annotate(notesOf(idB))
	before := d.look()
	d.stage(idA)
	d.wantUnchanged(before)
	d.wantValue(idA, valueOf(idA))
}

func checkStageOtherValue(d *desk) {
	d.stage(idA)
	d.wantStageConflict(idA, secret.New("another value"))
	d.wantValue(idA, valueOf(idA))
}

func checkStageCurrent(d *desk) {
	d.rotate(idA)
	d.wantStageConflict(idA, valueOf(idA))
	d.wantStageConflict(idA, secret.New("another value"))
	d.wantValue(idA, valueOf(idA))
}

func checkStagePrevious(d *desk) {
	d.rotate(idA, idB)
	d.wantStageConflict(idA, valueOf(idA))
	d.wantStageConflict(idA, secret.New("another value"))
	d.wantValue(idA, valueOf(idA))
}

func (d *desk) wantStageConflict(id string, value secret.Value) {
	d.Helper()
	before := d.look()
	_, err := d.store.Stage(d.Context(), before, version(id), value)
	d.wantError(err, secretstore.ErrConflict)
	d.wantUnchanged(before)
}
