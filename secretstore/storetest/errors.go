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
		{"A write struck before its effect changed nothing", checkStruckBefore},
		{"A write struck after its effect happened whole", checkStruckAfter},
	}
}

func checkCancelled(d *desk) {
	d.rotate(idA)
	d.stage(idB)
	seen := d.look()
	ctx, cancel := context.WithCancel(d.Context())
	cancel()
	_, describe := d.store.Describe(ctx)
	_, read := d.store.Read(ctx, idA)
	_, annotate := d.store.Annotate(ctx, seen, secretstore.Notes{})
	_, stage := d.store.Stage(ctx, seen, version(idC), valueOf(idC))
	_, promote := d.store.Promote(ctx, seen, idB, promotedAt())
	_, destroy := d.store.Destroy(ctx, seen, idB)
	for _, err := range []error{describe, read, annotate, stage, promote, destroy} {
		d.wantError(err, secretstore.ErrUnavailable)
	}
}

func checkErrorsShowNoValue(d *desk) {
	value := secret.New(canary)
	d.stageValue(idA, value)
	stale := d.look()
	d.promote(idA)
	d.stageValue(idB, value)
	seen := d.look()
	cancelled, cancel := context.WithCancel(d.Context())
	cancel()

	_, staleStage := d.store.Stage(d.Context(), stale, version(idC), value)
	_, stageCurrent := d.store.Stage(d.Context(), seen, version(idA), value)
	_, otherValue := d.store.Stage(d.Context(), seen, version(idB), secret.New(canary+"!"))
	_, cut := d.store.Stage(cancelled, seen, version(idC), value)
	_, promote := d.store.Promote(d.Context(), seen, idD, promotedAt())
	_, destroy := d.store.Destroy(d.Context(), seen, idA)
	_, read := d.store.Read(d.Context(), idD)
	_, readCut := d.store.Read(cancelled, idA)
	for _, err := range []error{staleStage, stageCurrent, otherValue, cut, promote, destroy, read, readCut} {
		if err == nil {
			d.Error("a call that should fail did not")
		} else if shows(err.Error(), canary) {
			d.Error("an error shows the value")
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

func checkStruckBefore(d *desk) {
	d.requireStrike()
	for _, step := range lifeOfAKey() {
		before := d.look()
		d.secret.Strike(d.T, false)
		_, err := step.call(d, d.store, before)
		d.wantError(err, secretstore.ErrUnavailable)
		d.wantUnchanged(before)
		if _, err := step.call(d, d.store, d.look()); err != nil {
			d.Fatalf("%s after it was struck: %v", step.name, err)
		}
	}
	d.wantHeld("", idB, "")
}

func checkStruckAfter(d *desk) {
	d.requireStrike()
	for _, step := range lifeOfAKey() {
		before := d.look()
		d.secret.Strike(d.T, true)
		_, err := step.call(d, d.store, before)
		d.wantError(err, secretstore.ErrUnavailable)
		if d.look().Revision == before.Revision {
			d.Errorf("%s was struck after its effect but had none", step.name)
		}
		if _, err := step.call(d, d.store, before); !errors.Is(err, secretstore.ErrConflict) {
			d.Errorf("%s on the snapshot from before its lost answer: error %v, want ErrConflict", step.name, err)
		}
	}
	d.wantHeld("", idB, "")
	d.wantValue(idB, valueOf(idB))
}

// lifeOfAKey is a rotation and the end of the old key, as writes.
func lifeOfAKey() []write {
	return []write{
		annotateWith("reserve"), stageOf(idA), promoteOf(idA, promotedAt()),
		stageOf(idB), promoteOf(idB, promotedAt()), destroyOf(idA),
	}
}

func (d *desk) requireStrike() {
	d.Helper()
	if d.secret.Strike == nil {
		skipClaim(d.T, "this backend cannot be struck")
	}
}
