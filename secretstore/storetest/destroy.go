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

func checkDestroyPending(d *desk) {
	d.rotate(idA)
	d.stage(idB)
	d.destroy(idB)
	d.wantHeld("", idA, "")
	d.wantNoValue(idB)
}

func checkDestroyPrevious(d *desk) {
	d.rotate(idA, idB)
	d.destroy(idA)
	d.wantHeld("", idB, "")
	d.wantNoValue(idA)
}

func checkDestroyUnknown(d *desk) {
	empty := d.look()
	d.destroy(idA)
	d.wantUnchanged(empty)
	d.rotate(idA, idB)
	d.destroy(idA)
	before := d.look()
	d.destroy(idA)
	d.destroy(idC)
	d.wantUnchanged(before)
}

func checkDestroyCurrent(d *desk) {
	d.rotate(idA, idB)
	before := d.look()
	_, err := d.store.Destroy(d.Context(), before, idB)
	d.wantError(err, secretstore.ErrConflict)
	d.wantUnchanged(before)
	d.wantValue(idB, valueOf(idB))
}

func checkDestroyLeavesOthers(d *desk) {
	d.rotate(idA, idB)
	d.stage(idC)
	notes := notesOf(idD)
	d.annotate(notes)
	want := d.look().Versions
	delete(want, secretstore.Previous)
	d.destroy(idA)
	if diff := diff(want, d.look().Versions); diff != "" {
		d.Errorf("the other versions (-want +got):\n%s", diff)
	}
	d.wantNotes(notes)
	d.wantValue(idB, valueOf(idB))
	d.wantValue(idC, valueOf(idC))
}
