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

func checkEmpty(tr *trial) {
	snap := tr.describe()
	if snap.Identity == "" {
		tr.Error("Identity is empty")
	}
	if diff := diff(secretstore.Snapshot{Identity: snap.Identity, Revision: snap.Revision}, snap); diff != "" {
		tr.Errorf("an empty secret holds something (-want +got):\n%s", diff)
	}
}

func checkIdentityStays(tr *trial) {
	want := tr.describe().Identity
	tr.annotate(secretstore.Notes{Intent: intentOf(idA)})
	tr.rotate(idA, idB)
	tr.destroy(idA)
	if got := tr.describeThrough(tr.secret.Open(tr.T)).Identity; got != want {
		tr.Errorf("Identity was %q, is %q", want, got)
	}
}

func checkIdentityUnique(tr *trial) {
	other := tr.harness.Fresh(tr.T).Open(tr.T)
	if a, b := tr.describe().Identity, tr.describeThrough(other).Identity; a == b {
		tr.Errorf("two secrets share the identity %q", a)
	}
}

func checkRevisionChanges(tr *trial) {
	last := tr.describe().Revision
	for _, w := range []write{
		annotateWith("one"), annotateWith("two"),
		stageOf(idA), promoteOf(idA, promotedAt()),
		stageOf(idB), promoteOf(idB, promotedAt()),
		destroyOf(idA), stageOf(idC), destroyOf(idC),
	} {
		if _, err := w.call(tr, tr.store, tr.describe()); err != nil {
			tr.Fatalf("%s: %v", w.name, err)
		}
		now := tr.describe().Revision
		if now == last {
			tr.Errorf("%s left the revision at %q", w.name, now)
		}
		last = now
	}
}

func checkReadsChangeNothing(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	before := tr.describe()
	tr.wantValue(idA, valueOf(idA))
	tr.wantValue(idB, valueOf(idB))
	tr.wantNoValue(idC)
	if diff := diff(before, tr.describe()); diff != "" {
		tr.Errorf("reading changed the secret (-before +after):\n%s", diff)
	}
}

func checkSnapshotIsACopy(tr *trial) {
	tr.rotate(idA)
	notes := func() secretstore.Notes { return notesOf(idB) }
	tr.annotate(notes())
	spoiled := tr.describe()
	delete(spoiled.Versions, secretstore.Current)
	tr.wantNotes(notes())
	if diff := diff(intentOf(idA), tr.describe().Versions[secretstore.Current].Intent); diff != "" {
		tr.Errorf("whoever changes his snapshot changes the current version (-want +got):\n%s", diff)
	}

	held := tr.describe()
	tr.rotate(idB)
	if held.Versions[secretstore.Current].ID != idA || len(held.Versions) != 1 {
		tr.Error("a later write changed a snapshot given before it")
	}
}

func checkOtherHandle(tr *trial) {
	for _, w := range []write{
		annotateWith("one"), stageOf(idA), promoteOf(idA, promotedAt()), stageOf(idB),
		promoteOf(idB, promotedAt().Add(time.Hour)), destroyOf(idA),
	} {
		given, err := w.call(tr, tr.store, tr.describe())
		if err != nil {
			tr.Fatalf("%s: %v", w.name, err)
		}
		if diff := diff(given, tr.describeThrough(tr.secret.Open(tr.T))); diff != "" {
			tr.Errorf("%s: another handle sees (-written +seen):\n%s", w.name, diff)
		}
	}
}
