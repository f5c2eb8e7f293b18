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

func checkStageStores(tr *trial) {
	tr.stage(idA)
	tr.wantHeld(idA, "", "")
	tr.wantValue(idA, valueOf(idA))
	got := tr.describe().Versions[secretstore.Pending]
	want := version(idA)
	want.Created = got.Created
	if diff := diff(want, got); diff != "" {
		tr.Errorf("pending version (-want +got):\n%s", diff)
	}
}

func checkStageTakesOnlyItsOwn(tr *trial) {
	v := version(idA)
	v.Foreign = true
	v.Promoted = promotedAt()
	v.Created = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := tr.store.Stage(tr.Context(), tr.describe(), v, valueOf(idA)); err != nil {
		tr.Fatalf("stage: %v", err)
	}
	got := tr.describe().Versions[secretstore.Pending]
	if got.Foreign || !got.Promoted.IsZero() || got.Created.Equal(v.Created) {
		tr.Errorf("the staged version took over Foreign, Promoted or Created: %+v", got)
	}
}

func checkStageInvisible(tr *trial) {
	tr.rotate(idA, idB)
	before := tr.describe().Versions
	tr.stage(idC)
	tr.wantHeld(idC, idB, idA)
	after := tr.describe().Versions
	if diff := diff(before[secretstore.Current], after[secretstore.Current]); diff != "" {
		tr.Errorf("stage changed the current version (-before +after):\n%s", diff)
	}
	tr.wantValue(idB, valueOf(idB))
	tr.wantValue(idA, valueOf(idA))
}

func checkStageOnEmpty(tr *trial) {
	tr.stage(idA)
	if v, ok := tr.describe().Versions[secretstore.Current]; ok {
		tr.Errorf("version %s is current though nothing was promoted", v.ID)
	}
}

func checkStageClearsIntent(tr *trial) {
	tr.annotate(notesOf(idA))
	tr.stage(idA)
	left := notesOf(idA)
	left.Intent = secretstore.Intent{}
	tr.wantNotes(left)
}

func checkStageReplaces(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	tr.stage(idC)
	tr.wantHeld(idC, idA, "")
	tr.wantNoValue(idB)
	tr.wantValue(idC, valueOf(idC))
}

func checkStageAgain(tr *trial) {
	tr.stage(idA)
	tr.annotate(notesOf(idB))
	before := tr.describe()
	tr.stage(idA)
	tr.wantUnchanged(before)
	tr.wantValue(idA, valueOf(idA))
}

func checkStageOtherValue(tr *trial) {
	tr.stage(idA)
	tr.wantStageConflict(idA, secret.New("another value"))
	tr.wantValue(idA, valueOf(idA))
}

func checkStageCurrent(tr *trial) {
	tr.rotate(idA)
	tr.wantStageConflict(idA, valueOf(idA))
	tr.wantStageConflict(idA, secret.New("another value"))
	tr.wantValue(idA, valueOf(idA))
}

func checkStagePrevious(tr *trial) {
	tr.rotate(idA, idB)
	tr.wantStageConflict(idA, valueOf(idA))
	tr.wantStageConflict(idA, secret.New("another value"))
	tr.wantValue(idA, valueOf(idA))
}

func (tr *trial) wantStageConflict(id string, value secret.Value) {
	tr.Helper()
	before := tr.describe()
	_, err := tr.store.Stage(tr.Context(), before, version(id), value)
	tr.wantError(err, secretstore.ErrConflict)
	tr.wantUnchanged(before)
}
