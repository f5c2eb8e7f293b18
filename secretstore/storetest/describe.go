package storetest

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func describeClaims() []claim {
	return []claim{
		{"Describe of an empty secret gives no versions and no notes", checkEmpty},
		{"Identity is the same from every handle and after every write", checkIdentityStays},
		{"Identity belongs to one secret only", checkIdentityUnique},
		{"Revision changes with every change", checkRevisionChanges},
		{"Reads change nothing", checkReadsChangeNothing},
		{"A snapshot once given never changes", checkSnapshotIsACopy},
		{"Another handle sees every write", checkOtherHandle},
	}
}

func checkEmpty(d *desk) {
	snap := d.look()
	if snap.Identity == "" {
		d.Error("Identity is empty")
	}
	if diff := diff(secretstore.Snapshot{Identity: snap.Identity, Revision: snap.Revision}, snap); diff != "" {
		d.Errorf("an empty secret holds something (-want +got):\n%s", diff)
	}
}

func checkIdentityStays(d *desk) {
	want := d.look().Identity
	d.annotate(secretstore.Notes{Intent: intentOf(idA)})
	d.rotate(idA, idB)
	d.destroy(idA)
	if got := d.lookThrough(d.secret.Open(d.T)).Identity; got != want {
		d.Errorf("Identity was %q, is %q", want, got)
	}
}

func checkIdentityUnique(d *desk) {
	other := d.harness.Fresh(d.T).Open(d.T)
	if a, b := d.look().Identity, d.lookThrough(other).Identity; a == b {
		d.Errorf("two secrets share the identity %q", a)
	}
}

func checkRevisionChanges(d *desk) {
	last := d.look().Revision
	for _, w := range []write{
		annotateWith("one"), annotateWith("two"),
		stageOf(idA), promoteOf(idA, promotedAt()),
		stageOf(idB), promoteOf(idB, promotedAt()),
		destroyOf(idA), stageOf(idC), destroyOf(idC),
	} {
		if _, err := w.call(d, d.store, d.look()); err != nil {
			d.Fatalf("%s: %v", w.name, err)
		}
		now := d.look().Revision
		if now == last {
			d.Errorf("%s left the revision at %q", w.name, now)
		}
		last = now
	}
}

func checkReadsChangeNothing(d *desk) {
	d.rotate(idA)
	d.stage(idB)
	before := d.look()
	d.wantValue(idA, valueOf(idA))
	d.wantValue(idB, valueOf(idB))
	d.wantNoValue(idC)
	if diff := diff(before, d.look()); diff != "" {
		d.Errorf("reading changed the secret (-before +after):\n%s", diff)
	}
}

func checkSnapshotIsACopy(d *desk) {
	d.rotate(idA)
	notes := func() secretstore.Notes { return notesOf(idB) }
	d.annotate(notes())
	spoiled := d.look()
	delete(spoiled.Versions, secretstore.Current)
	d.wantNotes(notes())
	if diff := diff(intentOf(idA), d.look().Versions[secretstore.Current].Intent); diff != "" {
		d.Errorf("whoever changes his snapshot changes the current version (-want +got):\n%s", diff)
	}

	held := d.look()
	d.rotate(idB)
	if held.Versions[secretstore.Current].ID != idA || len(held.Versions) != 1 {
		d.Error("a later write changed a snapshot given before it")
	}
}

func checkOtherHandle(d *desk) {
	for _, w := range []write{
		annotateWith("one"), stageOf(idA), promoteOf(idA, promotedAt()), stageOf(idB),
		promoteOf(idB, promotedAt().Add(time.Hour)), destroyOf(idA),
	} {
		given, err := w.call(d, d.store, d.look())
		if err != nil {
			d.Fatalf("%s: %v", w.name, err)
		}
		if diff := diff(given, d.lookThrough(d.secret.Open(d.T))); diff != "" {
			d.Errorf("%s: another handle sees (-written +seen):\n%s", w.name, diff)
		}
	}
}
