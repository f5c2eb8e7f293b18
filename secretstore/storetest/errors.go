package storetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// canary is a value that must not be seen in any error.
const canary = "canary-7d1f3a9b52c8e604"

func errorClaims() []claim {
	return []claim{
		{"A call under a cancelled context is unavailable", checkCancelled},
		{"No error shows a value", checkErrorsShowNoValue},
		{"A write that failed before its effect changed nothing", checkFailedBefore},
		{"A write that failed after its effect happened whole", checkFailedAfter},
	}
}

func checkCancelled(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	seen := tr.describe()
	ctx, cancel := context.WithCancel(tr.Context())
	cancel()
	_, describe := tr.store.Describe(ctx)
	_, read := tr.store.Read(ctx, idA)
	_, annotate := tr.store.Annotate(ctx, seen, secretstore.Notes{})
	_, stage := tr.store.Stage(ctx, seen, version(idC), valueOf(idC))
	_, promote := tr.store.Promote(ctx, seen, idB, promotedAt())
	_, destroy := tr.store.Destroy(ctx, seen, idB)
	for _, err := range []error{describe, read, annotate, stage, promote, destroy} {
		tr.wantError(err, secretstore.ErrUnavailable)
	}
}

func checkErrorsShowNoValue(tr *trial) {
	value := secret.New(canary)
	tr.stageValue(idA, value)
	stale := tr.describe()
	tr.promote(idA)
	tr.stageValue(idB, value)
	seen := tr.describe()
	cancelled, cancel := context.WithCancel(tr.Context())
	cancel()

	_, staleStage := tr.store.Stage(tr.Context(), stale, version(idC), value)
	_, stageCurrent := tr.store.Stage(tr.Context(), seen, version(idA), value)
	_, otherValue := tr.store.Stage(tr.Context(), seen, version(idB), secret.New(canary+"!"))
	_, cut := tr.store.Stage(cancelled, seen, version(idC), value)
	_, promote := tr.store.Promote(tr.Context(), seen, idD, promotedAt())
	_, destroy := tr.store.Destroy(tr.Context(), seen, idA)
	_, read := tr.store.Read(tr.Context(), idD)
	_, readCut := tr.store.Read(cancelled, idA)
	for _, err := range []error{staleStage, stageCurrent, otherValue, cut, promote, destroy, read, readCut} {
		if err == nil {
			tr.Error("a call that should fail did not")
		} else if shows(err.Error(), canary) {
			tr.Error("an error shows the value")
		}
	}
}

// shows tells whether text has the value in it, in clear or in one of the
// encodings that a wire format may give it.
func shows(text, value string) bool {
	for _, form := range []string{value, hex.EncodeToString([]byte(value)), base64.RawStdEncoding.EncodeToString([]byte(value))} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func checkFailedBefore(tr *trial) {
	tr.requireFaults()
	for _, step := range lifeOfAKey() {
		before := tr.describe()
		tr.secret.FailNextWrite(tr.T, false)
		_, err := step.call(tr, tr.store, before)
		tr.wantError(err, secretstore.ErrUnavailable)
		tr.wantUnchanged(before)
		if _, err := step.call(tr, tr.store, tr.describe()); err != nil {
			tr.Fatalf("%s after it failed: %v", step.name, err)
		}
	}
	tr.wantHeld("", idB, "")
}

func checkFailedAfter(tr *trial) {
	tr.requireFaults()
	for _, step := range lifeOfAKey() {
		before := tr.describe()
		tr.secret.FailNextWrite(tr.T, true)
		_, err := step.call(tr, tr.store, before)
		tr.wantError(err, secretstore.ErrUnavailable)
		if tr.describe().Revision == before.Revision {
			tr.Errorf("%s failed after its effect but had none", step.name)
		}
		if _, err := step.call(tr, tr.store, before); !errors.Is(err, secretstore.ErrConflict) {
			tr.Errorf("%s on the snapshot from before its lost answer: error %v, want ErrConflict", step.name, err)
		}
	}
	tr.wantHeld("", idB, "")
	tr.wantValue(idB, valueOf(idB))
}

// lifeOfAKey is a rotation and the end of the old key, as writes.
func lifeOfAKey() []write {
	return []write{
		annotateWith("reserve"), stageOf(idA), promoteOf(idA, promotedAt()),
		stageOf(idB), promoteOf(idB, promotedAt()), destroyOf(idA),
	}
}

func (tr *trial) requireFaults() {
	tr.Helper()
	if tr.secret.FailNextWrite == nil {
		skipClaim(tr.T, "no write of this backend can be made to fail")
	}
}
