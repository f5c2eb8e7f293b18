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
func staleCheck(late write) func(*desk) {
	return func(d *desk) {
		d.rotate(idA, idB)
		d.stage(idC)
		other := d.secret.Open(d.T)
		for _, meanwhile := range []write{
			annotateWith("meanwhile"), annotateWith("meanwhile, again"),
			destroyOf(idC), stageOf(idC),
		} {
			stale := d.look()
			if _, err := meanwhile.call(d, other, d.lookThrough(other)); err != nil {
				d.Fatalf("%s: %v", meanwhile.name, err)
			}
			before := d.look()
			_, err := late.call(d, d.store, stale)
			d.wantError(err, secretstore.ErrConflict)
			d.wantUnchanged(before)
			if d.Failed() {
				d.Fatalf("after %s", meanwhile.name)
			}
		}
		for _, id := range []string{idA, idB, idC} {
			d.wantValue(id, valueOf(id))
		}
	}
}

func checkStaleWithoutEffect(d *desk) {
	d.rotate(idA)
	d.stage(idB)
	stale := d.look()
	d.annotate(secretstore.Notes{Failure: failure()})
	for _, w := range []write{stageOf(idB), promoteOf(idA, promotedAt()), destroyOf(idC)} {
		if _, err := w.call(d, d.store, stale); err == nil {
			d.Errorf("%s on a stale snapshot succeeded", w.name)
		} else {
			d.wantError(err, secretstore.ErrConflict)
		}
	}
}

func checkReturnedSnapshot(d *desk) {
	for _, w := range []write{
		annotateWith("one"), stageOf(idA), stageOf(idA), promoteOf(idA, promotedAt()), promoteOf(idA, promotedAt()),
		stageOf(idB), promoteOf(idB, promotedAt().Add(time.Hour)), destroyOf(idA), destroyOf(idA),
		stageOf(idC), destroyOf(idC),
	} {
		given, err := w.call(d, d.store, d.look())
		if err != nil {
			d.Fatalf("%s: %v", w.name, err)
		}
		if diff := diff(d.look(), given); diff != "" {
			d.Errorf("%s (-described +returned):\n%s", w.name, diff)
		}
	}
}

func checkChainedWrites(d *desk) {
	seen := d.look()
	for _, w := range []write{
		annotateWith("one"), stageOf(idA), promoteOf(idA, promotedAt()), stageOf(idB),
		promoteOf(idB, promotedAt().Add(time.Hour)), destroyOf(idA), annotateWith("two"),
	} {
		next, err := w.call(d, d.store, seen)
		if err != nil {
			d.Fatalf("%s on the snapshot that the last write returned: %v", w.name, err)
		}
		seen = next
	}
	d.wantHeld("", idB, "")
}
