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

func checkPromoteMoves(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	tr.promote(idB)
	tr.wantHeld("", idB, idA)
	tr.wantValue(idB, valueOf(idB))
	tr.wantValue(idA, valueOf(idA))
}

func checkPromoteFirst(tr *trial) {
	tr.rotate(idA)
	tr.wantHeld("", idA, "")
}

func checkPromoteTime(tr *trial) {
	tr.stage(idA)
	at := time.Date(2026, 6, 1, 1, 2, 3, 0, time.FixedZone("west", -9*3600))
	tr.promoteAt(idA, at)
	if got := tr.describe().Versions[secretstore.Current].Promoted; !got.Truncate(time.Second).Equal(at) {
		tr.Errorf("Promoted is %v, want %v", got, at)
	}
}

func checkPromoteKeepsRecord(tr *trial) {
	tr.stage(idA)
	want := tr.describe().Versions[secretstore.Pending]
	tr.promote(idA)
	want.Promoted = promotedAt()
	if diff := diff(want, tr.describe().Versions[secretstore.Current]); diff != "" {
		tr.Errorf("current version (-want +got):\n%s", diff)
	}
}

func checkDisplacedKeepsRecord(tr *trial) {
	tr.rotate(idA)
	want := tr.describe().Versions[secretstore.Current]
	tr.stage(idB)
	tr.promoteAt(idB, promotedAt().Add(24*time.Hour))
	if diff := diff(want, tr.describe().Versions[secretstore.Previous]); diff != "" {
		tr.Errorf("previous version (-want +got):\n%s", diff)
	}
}

func checkPromoteKeepsPrevious(tr *trial) {
	tr.rotate(idA, idB)
	previous := tr.describe().Versions[secretstore.Previous]
	tr.rotate(idC)
	tr.wantHeld("", idC, idA)
	if diff := diff(previous, tr.describe().Versions[secretstore.Previous]); diff != "" {
		tr.Errorf("the standing previous version changed (-before +after):\n%s", diff)
	}
	tr.wantValue(idA, valueOf(idA))
	tr.wantNoValue(idB)
	tr.wantValue(idC, valueOf(idC))
}

func checkPromoteLeavesNotes(tr *trial) {
	tr.stage(idA)
	notes := notesOf(idB)
	tr.annotate(notes)
	tr.promote(idA)
	tr.wantNotes(notes)
}

func checkPromoteAgain(tr *trial) {
	tr.rotate(idA, idB)
	before := tr.describe()
	for _, earlier := range []time.Duration{0, -time.Hour} {
		tr.promoteAt(idB, promotedAt().Add(earlier))
		tr.wantUnchanged(before)
	}
}

func checkPromoteLater(tr *trial) {
	tr.rotate(idA, idB)
	want := tr.describe().Versions[secretstore.Current]
	for _, later := range []time.Duration{time.Minute, time.Hour} {
		want.Promoted = promotedAt().Add(later)
		tr.promoteAt(idB, want.Promoted)
		if diff := diff(want, tr.describe().Versions[secretstore.Current]); diff != "" {
			tr.Errorf("current version (-want +got):\n%s", diff)
		}
		tr.wantHeld("", idB, idA)
	}
}

func checkPromoteRepairs(tr *trial) {
	if tr.secret.ForgetPromoted == nil {
		skipClaim(tr.T, "this backend cannot be made to lose a promotion time")
	}
	tr.rotate(idA, idB)
	want := tr.describe().Versions[secretstore.Current]
	tr.secret.ForgetPromoted(tr.T)
	if got := tr.describe().Versions[secretstore.Current].Promoted; !got.IsZero() {
		tr.Fatalf("ForgetPromoted of the harness left %v", got)
	}
	want.Promoted = promotedAt().Add(time.Hour)
	tr.promoteAt(idB, want.Promoted)
	if diff := diff(want, tr.describe().Versions[secretstore.Current]); diff != "" {
		tr.Errorf("current version (-want +got):\n%s", diff)
	}
	tr.wantHeld("", idB, idA)
}

func checkPromoteUnknown(tr *trial) {
	tr.rotate(idA, idB)
	before := tr.describe()
	for _, id := range []string{idA, idC} {
		_, err := tr.store.Promote(tr.Context(), before, id, promotedAt())
		tr.wantError(err, secretstore.ErrNotFound)
	}
	tr.wantUnchanged(before)
	tr.wantValue(idB, valueOf(idB))
}
