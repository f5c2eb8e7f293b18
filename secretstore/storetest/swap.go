package storetest

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func swapClaims() []claim {
	return []claim{
		{"Annotate on a stale snapshot is a conflict", staleCheck(annotateWith("late"))},
		{"Stage on a stale snapshot is a conflict", staleCheck(stageOf(idD))},
		{"Promote on a stale snapshot is a conflict", staleCheck(promoteOf(idC, promotedAt()))},
		{"Destroy on a stale snapshot is a conflict", staleCheck(destroyOf(idA))},
		{"A stale snapshot is a conflict also where nothing would change", checkStaleWithoutEffect},
		{"A write returns the snapshot that Describe gives", checkReturnedSnapshot},
		{"A write goes on from the snapshot that the last one returned", checkChainedWrites},
	}
}

// staleCheck brings the secret to pending C, current B, previous A, has another
// handle change it in each of the ways in which a secret can change, and wants
// late to be refused on the snapshot taken before.
func staleCheck(late write) func(*trial) {
	return func(tr *trial) {
		tr.rotate(idA, idB)
		tr.stage(idC)
		other := tr.secret.Open(tr.T)
		for _, meanwhile := range []write{
			annotateWith("meanwhile"), annotateWith("meanwhile, again"),
			destroyOf(idC), stageOf(idC),
		} {
			stale := tr.describe()
			if _, err := meanwhile.call(tr, other, tr.describeThrough(other)); err != nil {
				tr.Fatalf("%s: %v", meanwhile.name, err)
			}
			before := tr.describe()
			_, err := late.call(tr, tr.store, stale)
			tr.wantError(err, secretstore.ErrConflict)
			tr.wantUnchanged(before)
			if tr.Failed() {
				tr.Fatalf("after %s", meanwhile.name)
			}
		}
		for _, id := range []string{idA, idB, idC} {
			tr.wantValue(id, valueOf(id))
		}
	}
}

func checkStaleWithoutEffect(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	stale := tr.describe()
	tr.annotate(secretstore.Notes{Failure: failure()})
	for _, w := range []write{stageOf(idB), promoteOf(idA, promotedAt()), destroyOf(idC)} {
		if _, err := w.call(tr, tr.store, stale); err == nil {
			tr.Errorf("%s on a stale snapshot succeeded", w.name)
		} else {
			tr.wantError(err, secretstore.ErrConflict)
		}
	}
}

func checkReturnedSnapshot(tr *trial) {
	for _, w := range []write{
		annotateWith("one"), stageOf(idA), stageOf(idA), promoteOf(idA, promotedAt()), promoteOf(idA, promotedAt()),
		stageOf(idB), promoteOf(idB, promotedAt().Add(time.Hour)), destroyOf(idA), destroyOf(idA),
		stageOf(idC), destroyOf(idC),
	} {
		given, err := w.call(tr, tr.store, tr.describe())
		if err != nil {
			tr.Fatalf("%s: %v", w.name, err)
		}
		if diff := diff(tr.describe(), given); diff != "" {
			tr.Errorf("%s (-described +returned):\n%s", w.name, diff)
		}
	}
}

func checkChainedWrites(tr *trial) {
	seen := tr.describe()
	for _, w := range []write{
		annotateWith("one"), stageOf(idA), promoteOf(idA, promotedAt()), stageOf(idB),
		promoteOf(idB, promotedAt().Add(time.Hour)), destroyOf(idA), annotateWith("two"),
	} {
		next, err := w.call(tr, tr.store, seen)
		if err != nil {
			tr.Fatalf("%s on the snapshot that the last write returned: %v", w.name, err)
		}
		seen = next
	}
	tr.wantHeld("", idB, "")
}
