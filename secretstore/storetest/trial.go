package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// The ids are UUIDs, as issuers use them, and long enough for
// AWS, which takes 32 to 64 characters.
const (
	idA = "0193a7c2-5a10-7c3e-9b1f-00000000000a"
	idB = "0193a7c2-5a10-7c3e-9b1f-00000000000b"
	idC = "0193a7c2-5a10-7c3e-9b1f-00000000000c"
	idD = "0193a7c2-5a10-7c3e-9b1f-00000000000d"

	account = "0193a7c2-0000-7000-8000-0000000000ff"
)

// trial is what a claim works at: one secret, one store bound to it, and steps
// that end the claim when they fail.
type trial struct {
	*testing.T
	harness Harness
	secret  Secret
	store   secretstore.Store
}

func newTrial(t *testing.T, h Harness) *trial {
	t.Helper()
	s := h.Fresh(t)
	return &trial{T: t, harness: h, secret: s, store: s.Open(t)}
}

// valueOf is the value that the claims store for the version id.
func valueOf(id string) secret.Value { return secret.New("value of " + id) }

// version is what the claims stage under id.
func version(id string) secretstore.Version {
	return secretstore.Version{ID: id, Intent: intentOf(id), Account: account}
}

func intentOf(id string) secretstore.Intent {
	return secretstore.Intent{
		Nonce:  "nonce-" + id[len(id)-1:],
		At:     time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Spec:   "campaigns:read,leads:all",
		Grace:  36*time.Hour + 15*time.Minute + 30*time.Second,
		Holder: "rotator-7d9f8c/1",
		Until:  time.Date(2026, 3, 4, 5, 8, 9, 0, time.UTC),
	}
}

// notesOf are notes with every field set, the intent of id among them.
func notesOf(id string) secretstore.Notes {
	return secretstore.Notes{Intent: intentOf(id), Failure: failure(), Hold: hold(), Incident: incident(), Waiver: waiver(), Receipt: receipt()}
}

// besidePending has every fact that there can be beside a pending version: nobody
// reserves while there is one, and a store need have no room for it.
func besidePending() secretstore.Notes {
	n := notesOf(idD)
	n.Intent = secretstore.Intent{}
	return n
}

// hold is a Hold with every field set.
func hold() secretstore.Hold {
	return secretstore.Hold{
		Since:  time.Date(2026, 3, 4, 6, 0, 1, 0, time.UTC),
		Until:  time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
		Reason: "the big campaign goes out",
	}
}

// incident is an Incident with every field set.
func incident() secretstore.Incident {
	return secretstore.Incident{
		ID: "INC-4711", At: time.Date(2026, 3, 4, 7, 0, 2, 0, time.UTC), Resolved: time.Date(2026, 3, 4, 7, 0, 9, 0, time.UTC), Unrevoked: true,
		Soft: true,
	}
}

// waiver is a Waiver with every field set.
func waiver() secretstore.Waiver {
	return secretstore.Waiver{KeyID: idA, At: time.Date(2026, 3, 4, 8, 0, 3, 0, time.UTC), Reason: "the hook is gone for good"}
}

// receipt is a Receipt of the greatest length.
func receipt() secretstore.Receipt {
	const sinks = "aZ0-_9.Bq3xY7:"
	return secretstore.Receipt{
		KeyID: idA, At: time.Date(2026, 3, 4, 9, 0, 4, 0, time.UTC), Sinks: strings.Repeat(sinks, secretstore.MaxReceipt/len(sinks)),
	}
}

// failure is a Failure with every field set.
func failure() secretstore.Failure {
	return secretstore.Failure{
		Count:  3,
		At:     time.Date(2026, 3, 4, 5, 10, 11, 0, time.UTC),
		Step:   "verify",
		Reason: "the API did not answer in time",
	}
}

// promotedAt is when the claims promote; not a round number in any unit.
func promotedAt() time.Time { return time.Date(2026, 3, 5, 6, 7, 8, 0, time.UTC) }

func (tr *trial) describe() secretstore.Snapshot {
	tr.Helper()
	return tr.describeThrough(tr.store)
}

func (tr *trial) describeThrough(s secretstore.Store) secretstore.Snapshot {
	tr.Helper()
	snap, err := s.Describe(tr.Context())
	if err != nil {
		tr.Fatalf("describe: %v", err)
	}
	return snap
}

func (tr *trial) annotate(n secretstore.Notes) secretstore.Snapshot {
	tr.Helper()
	snap, err := tr.store.Annotate(tr.Context(), tr.describe(), n)
	if err != nil {
		tr.Fatalf("annotate: %v", err)
	}
	return snap
}

func (tr *trial) stage(id string) secretstore.Snapshot {
	tr.Helper()
	return tr.stageValue(id, valueOf(id))
}

func (tr *trial) stageValue(id string, value secret.Value) secretstore.Snapshot {
	tr.Helper()
	snap, err := tr.store.Stage(tr.Context(), tr.describe(), version(id), value)
	if err != nil {
		tr.Fatalf("stage %s: %v", id, err)
	}
	return snap
}

func (tr *trial) promote(id string) secretstore.Snapshot {
	tr.Helper()
	return tr.promoteAt(id, promotedAt())
}

func (tr *trial) promoteAt(id string, at time.Time) secretstore.Snapshot {
	tr.Helper()
	snap, err := tr.store.Promote(tr.Context(), tr.describe(), id, at)
	if err != nil {
		tr.Fatalf("promote %s: %v", id, err)
	}
	return snap
}

func (tr *trial) destroy(id string) secretstore.Snapshot {
	tr.Helper()
	snap, err := tr.store.Destroy(tr.Context(), tr.describe(), id)
	if err != nil {
		tr.Fatalf("destroy %s: %v", id, err)
	}
	return snap
}

// rotate stages and promotes each id in turn.
func (tr *trial) rotate(ids ...string) {
	tr.Helper()
	for _, id := range ids {
		tr.stage(id)
		tr.promote(id)
	}
}

// wantHeld checks which version is on which stage; "" stands for none.
func (tr *trial) wantHeld(pending, current, previous string) {
	tr.Helper()
	got := map[secretstore.Stage]string{}
	for stage, v := range tr.describe().Versions {
		got[stage] = v.ID
	}
	want := map[secretstore.Stage]string{
		secretstore.Pending: pending, secretstore.Current: current, secretstore.Previous: previous,
	}
	for stage, id := range want {
		if id == "" {
			delete(want, stage)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tr.Errorf("versions by stage (-want +got):\n%s", diff)
	}
}

func (tr *trial) wantValue(id string, want secret.Value) {
	tr.Helper()
	got, err := tr.store.Read(tr.Context(), id)
	if err != nil {
		tr.Errorf("read %s: %v", id, err)
		return
	}
	if !got.Equal(want) {
		tr.Errorf("read %s gives another value than was stored", id)
	}
}

func (tr *trial) wantNoValue(id string) {
	tr.Helper()
	if _, err := tr.store.Read(tr.Context(), id); !errors.Is(err, secretstore.ErrNotFound) {
		tr.Errorf("read %s gives error %v, want ErrNotFound", id, err)
	}
}

func (tr *trial) wantError(err, want error) {
	tr.Helper()
	if !errors.Is(err, want) {
		tr.Errorf("error is %v, want one that wraps %q", err, want)
	}
}

// wantUnchanged checks that the secret holds what it held at before. Revision
// is left out: a backend may change it without need.
func (tr *trial) wantUnchanged(before secretstore.Snapshot) {
	tr.Helper()
	if diff := diff(before, tr.describe(), cmpopts.IgnoreFields(secretstore.Snapshot{}, "Revision")); diff != "" {
		tr.Errorf("the secret changed (-before +now):\n%s", diff)
	}
}

func (tr *trial) wantNotes(want secretstore.Notes) {
	tr.Helper()
	if diff := diff(want, tr.describe().Notes); diff != "" {
		tr.Errorf("notes (-want +got):\n%s", diff)
	}
}

// diff compares times to the second and takes no slice for an empty one.
func diff(a, b any, more ...cmp.Option) string {
	sameSecond := cmp.Comparer(func(x, y time.Time) bool {
		return x.Truncate(time.Second).Equal(y.Truncate(time.Second))
	})
	return cmp.Diff(a, b, append(more, sameSecond, cmpopts.EquateEmpty())...)
}

// A write is one of the four methods that write, with everything but the
// snapshot filled in.
type write struct {
	name string
	call func(tr *trial, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error)
}

// annotateWith, stageOf, promoteOf and destroyOf make writes.
func annotateWith(reason string) write {
	return write{"annotate " + reason, func(tr *trial, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		f := failure()
		f.Reason = reason
		return s.Annotate(tr.Context(), seen, secretstore.Notes{Failure: f})
	}}
}

func stageOf(id string) write {
	return write{"stage " + id, func(tr *trial, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(tr.Context(), seen, version(id), valueOf(id))
	}}
}

func promoteOf(id string, at time.Time) write {
	return write{fmt.Sprintf("promote %s at %s", id, at), func(tr *trial, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(tr.Context(), seen, id, at)
	}}
}

func destroyOf(id string) write {
	return write{"destroy " + id, func(tr *trial, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(tr.Context(), seen, id)
	}}
}
