package storetest

import (
	"errors"
	"fmt"
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

// desk is what a claim works at: one secret, one store bound to it, and steps
// that end the claim when they fail.
type desk struct {
	*testing.T
	harness Harness
	secret  Secret
	store   secretstore.Store
}

func newDesk(t *testing.T, h Harness) *desk {
	t.Helper()
	s := h.Fresh(t)
	return &desk{T: t, harness: h, secret: s, store: s.Open(t)}
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
	return secretstore.Notes{Intent: intentOf(id), Failure: failure(), Hold: hold(), Incident: incident()}
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
	return secretstore.Incident{ID: "INC-4711", At: time.Date(2026, 3, 4, 7, 0, 2, 0, time.UTC)}
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

func (d *desk) look() secretstore.Snapshot {
	d.Helper()
	return d.lookThrough(d.store)
}

func (d *desk) lookThrough(s secretstore.Store) secretstore.Snapshot {
	d.Helper()
	snap, err := s.Describe(d.Context())
	if err != nil {
		d.Fatalf("describe: %v", err)
	}
	return snap
}

func (d *desk) annotate(n secretstore.Notes) secretstore.Snapshot {
	d.Helper()
	snap, err := d.store.Annotate(d.Context(), d.look(), n)
	if err != nil {
		d.Fatalf("annotate: %v", err)
	}
	return snap
}

func (d *desk) stage(id string) secretstore.Snapshot {
	d.Helper()
	return d.stageValue(id, valueOf(id))
}

func (d *desk) stageValue(id string, value secret.Value) secretstore.Snapshot {
	d.Helper()
	snap, err := d.store.Stage(d.Context(), d.look(), version(id), value)
	if err != nil {
		d.Fatalf("stage %s: %v", id, err)
	}
	return snap
}

func (d *desk) promote(id string) secretstore.Snapshot {
	d.Helper()
	return d.promoteAt(id, promotedAt())
}

func (d *desk) promoteAt(id string, at time.Time) secretstore.Snapshot {
	d.Helper()
	snap, err := d.store.Promote(d.Context(), d.look(), id, at)
	if err != nil {
		d.Fatalf("promote %s: %v", id, err)
	}
	return snap
}

func (d *desk) destroy(id string) secretstore.Snapshot {
	d.Helper()
	snap, err := d.store.Destroy(d.Context(), d.look(), id)
	if err != nil {
		d.Fatalf("destroy %s: %v", id, err)
	}
	return snap
}

// rotate stages and promotes each id in turn.
func (d *desk) rotate(ids ...string) {
	d.Helper()
	for _, id := range ids {
		d.stage(id)
		d.promote(id)
	}
}

// wantHeld checks which version is on which stage; "" stands for none.
func (d *desk) wantHeld(pending, current, previous string) {
	d.Helper()
	got := map[secretstore.Stage]string{}
	for stage, v := range d.look().Versions {
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
		d.Errorf("versions by stage (-want +got):\n%s", diff)
	}
}

func (d *desk) wantValue(id string, want secret.Value) {
	d.Helper()
	got, err := d.store.Read(d.Context(), id)
	if err != nil {
		d.Errorf("read %s: %v", id, err)
		return
	}
	if !got.Equal(want) {
		d.Errorf("read %s gives another value than was stored", id)
	}
}

func (d *desk) wantNoValue(id string) {
	d.Helper()
	if _, err := d.store.Read(d.Context(), id); !errors.Is(err, secretstore.ErrNotFound) {
		d.Errorf("read %s gives error %v, want ErrNotFound", id, err)
	}
}

func (d *desk) wantError(err, want error) {
	d.Helper()
	if !errors.Is(err, want) {
		d.Errorf("error is %v, want one that wraps %q", err, want)
	}
}

// wantUnchanged checks that the secret holds what it held at before. Revision
// is left out: a backend may change it without need.
func (d *desk) wantUnchanged(before secretstore.Snapshot) {
	d.Helper()
	if diff := diff(before, d.look(), cmpopts.IgnoreFields(secretstore.Snapshot{}, "Revision")); diff != "" {
		d.Errorf("the secret changed (-before +now):\n%s", diff)
	}
}

func (d *desk) wantNotes(want secretstore.Notes) {
	d.Helper()
	if diff := diff(want, d.look().Notes); diff != "" {
		d.Errorf("notes (-want +got):\n%s", diff)
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
	call func(d *desk, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error)
}

// annotateWith, stageOf, promoteOf and destroyOf make writes.
func annotateWith(reason string) write {
	return write{"annotate " + reason, func(d *desk, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		f := failure()
		f.Reason = reason
		return s.Annotate(d.Context(), seen, secretstore.Notes{Failure: f})
	}}
}

func stageOf(id string) write {
	return write{"stage " + id, func(d *desk, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(d.Context(), seen, version(id), valueOf(id))
	}}
}

func promoteOf(id string, at time.Time) write {
	return write{fmt.Sprintf("promote %s at %s", id, at), func(d *desk, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(d.Context(), seen, id, at)
	}}
}

func destroyOf(id string) write {
	return write{"destroy " + id, func(d *desk, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(d.Context(), seen, id)
	}}
}
