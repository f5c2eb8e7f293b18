package storetest

import "github.com/instantly-rotator/instantly-rotator/secretstore"

func destroyClaims() []claim {
	return []claim{
		{"Destroy forgets the pending version", checkDestroyPending},
		{"Destroy forgets the previous version", checkDestroyPrevious},
		{"Destroy of a version that is not held changes nothing", checkDestroyUnknown},
		{"Destroy of the current version is a conflict", checkDestroyCurrent},
		{"Destroy leaves the notes and the other versions alone", checkDestroyLeavesOthers},
	}
}

func checkDestroyPending(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	tr.destroy(idB)
	tr.wantHeld("", idA, "")
	tr.wantNoValue(idB)
}

func checkDestroyPrevious(tr *trial) {
	tr.rotate(idA, idB)
	tr.destroy(idA)
	tr.wantHeld("", idB, "")
	tr.wantNoValue(idA)
}

func checkDestroyUnknown(tr *trial) {
	empty := tr.describe()
	tr.destroy(idA)
	tr.wantUnchanged(empty)
	tr.rotate(idA, idB)
	tr.destroy(idA)
	before := tr.describe()
	tr.destroy(idA)
	tr.destroy(idC)
	tr.wantUnchanged(before)
}

func checkDestroyCurrent(tr *trial) {
	tr.rotate(idA, idB)
	before := tr.describe()
	_, err := tr.store.Destroy(tr.Context(), before, idB)
	tr.wantError(err, secretstore.ErrConflict)
	tr.wantUnchanged(before)
	tr.wantValue(idB, valueOf(idB))
}

func checkDestroyLeavesOthers(tr *trial) {
	tr.rotate(idA, idB)
	tr.stage(idC)
	notes := besidePending()
	tr.annotate(notes)
	want := tr.describe().Versions
	delete(want, secretstore.Previous)
	tr.destroy(idA)
	if diff := diff(want, tr.describe().Versions); diff != "" {
		tr.Errorf("the other versions (-want +got):\n%s", diff)
	}
	tr.wantNotes(notes)
	tr.wantValue(idB, valueOf(idB))
	tr.wantValue(idC, valueOf(idC))
}
