package storetest

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func promoteClaims() []claim {
	return []claim{
		{"Promote moves pending to current and current to previous", checkPromoteMoves},
		{"Promote of the first version leaves no previous", checkPromoteFirst},
		{"Promote records its time", checkPromoteTime},
		{"Promote keeps the record of the version it makes current", checkPromoteKeepsRecord},
		{"A displaced version keeps its record", checkDisplacedKeepsRecord},
		{"Promote keeps a standing previous version and forgets the displaced", checkPromoteKeepsPrevious},
		{"Promote leaves the notes alone", checkPromoteLeavesNotes},
		{"Promote of the current version changes nothing", checkPromoteAgain},
		{"Promote of the current version records a time that was not known", checkPromoteRepairs},
		{"Promote of the current version records a later time", checkPromoteLater},
		{"Promote of a version neither pending nor current is not found", checkPromoteUnknown},
	}
}

func checkPromoteMoves(d *desk) {
	d.rotate(idA)
	d.stage(idB)
	d.promote(idB)
	d.wantHeld("", idB, idA)
	d.wantValue(idB, valueOf(idB))
	d.wantValue(idA, valueOf(idA))
}

func checkPromoteFirst(d *desk) {
	d.rotate(idA)
	d.wantHeld("", idA, "")
}

func checkPromoteTime(d *desk) {
	d.stage(idA)
	at := time.Date(2026, 6, 1, 1, 2, 3, 0, time.FixedZone("west", -9*3600))
	d.promoteAt(idA, at)
	if got := d.look().Versions[secretstore.Current].Promoted; !got.Truncate(time.Second).Equal(at) {
		d.Errorf("Promoted is %v, want %v", got, at)
	}
}

func checkPromoteKeepsRecord(d *desk) {
	d.stage(idA)
	want := d.look().Versions[secretstore.Pending]
	d.promote(idA)
	want.Promoted = promotedAt()
	if diff := diff(want, d.look().Versions[secretstore.Current]); diff != "" {
		d.Errorf("current version (-want +got):\n%s", diff)
	}
}

func checkDisplacedKeepsRecord(d *desk) {
	d.rotate(idA)
	want := d.look().Versions[secretstore.Current]
	d.stage(idB)
	d.promoteAt(idB, promotedAt().Add(24*time.Hour))
	if diff := diff(want, d.look().Versions[secretstore.Previous]); diff != "" {
		d.Errorf("previous version (-want +got):\n%s", diff)
	}
}

func checkPromoteKeepsPrevious(d *desk) {
	d.rotate(idA, idB)
	previous := d.look().Versions[secretstore.Previous]
	d.rotate(idC)
	d.wantHeld("", idC, idA)
	if diff := diff(previous, d.look().Versions[secretstore.Previous]); diff != "" {
		d.Errorf("the standing previous version changed (-before +after):\n%s", diff)
	}
	d.wantValue(idA, valueOf(idA))
	d.wantNoValue(idB)
	d.wantValue(idC, valueOf(idC))
}

func checkPromoteLeavesNotes(d *desk) {
	d.stage(idA)
	notes := notesOf(idB)
	d.annotate(notes)
	d.promote(idA)
	d.wantNotes(notes)
}

func checkPromoteAgain(d *desk) {
	d.rotate(idA, idB)
	before := d.look()
	for _, earlier := range []time.Duration{0, -time.Hour} {
		d.promoteAt(idB, promotedAt().Add(earlier))
		d.wantUnchanged(before)
	}
}

func checkPromoteLater(d *desk) {
	d.rotate(idA, idB)
	want := d.look().Versions[secretstore.Current]
	for _, later := range []time.Duration{time.Minute, time.Hour} {
		want.Promoted = promotedAt().Add(later)
		d.promoteAt(idB, want.Promoted)
		if diff := diff(want, d.look().Versions[secretstore.Current]); diff != "" {
			d.Errorf("current version (-want +got):\n%s", diff)
		}
		d.wantHeld("", idB, idA)
	}
}

func checkPromoteRepairs(d *desk) {
	if d.secret.ForgetPromoted == nil {
		skipClaim(d.T, "this backend cannot be made to lose a promotion time")
	}
	d.rotate(idA, idB)
	want := d.look().Versions[secretstore.Current]
	d.secret.ForgetPromoted(d.T)
	if got := d.look().Versions[secretstore.Current].Promoted; !got.IsZero() {
		d.Fatalf("ForgetPromoted of the harness left %v", got)
	}
	want.Promoted = promotedAt().Add(time.Hour)
	d.promoteAt(idB, want.Promoted)
	if diff := diff(want, d.look().Versions[secretstore.Current]); diff != "" {
		d.Errorf("current version (-want +got):\n%s", diff)
	}
	d.wantHeld("", idB, idA)
}

func checkPromoteUnknown(d *desk) {
	d.rotate(idA, idB)
	before := d.look()
	for _, id := range []string{idA, idC} {
		_, err := d.store.Promote(d.Context(), before, id, promotedAt())
		d.wantError(err, secretstore.ErrNotFound)
	}
	d.wantUnchanged(before)
	d.wantValue(idB, valueOf(idB))
}
