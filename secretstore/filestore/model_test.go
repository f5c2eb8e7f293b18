package filestore_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// TestFolderAgreesWithTheReferenceOnAnyCalls makes random calls, sensible or
// not, on a folder and on the store in memory, which were written apart: they
// must give the same answers, errors and values.
func TestFolderAgreesWithTheReferenceOnAnyCalls(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			rt.Fatal(err)
		}
		clock := func() time.Time { return time.Unix(1_600_000_000, 0) }
		folder, err := filestore.Open(filestore.Options{Dir: dir, Identity: base + "/identity.txt", Now: clock})
		if err != nil {
			rt.Fatal(err)
		}
		reference := memstore.New("reference")
		reference.Now = clock
		p := pair{folder: newSide(t, folder), reference: newSide(t, reference)}
		for range rapid.IntRange(1, 12).Draw(rt, "calls") {
			p.call(rt)
		}
	})
}

// side is one of the two stores and the snapshots that it has given.
type side struct {
	t     *testing.T
	store secretstore.Store
	given []secretstore.Snapshot
}

func newSide(t *testing.T, s secretstore.Store) *side {
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &side{t: t, store: s, given: []secretstore.Snapshot{snap}}
}

type pair struct{ folder, reference *side }

// call makes one random write on both sides, now and then on an old snapshot.
func (p pair) call(rt *rapid.T) {
	ids := rapid.SampledFrom([]string{"a", "b", "c", ""})
	id := ids.Draw(rt, "id")
	last := len(p.reference.given) - 1
	seen := last
	if rapid.IntRange(0, 4).Draw(rt, "stale") == 0 {
		seen = rapid.IntRange(0, last).Draw(rt, "seen")
	}
	op := rapid.SampledFrom([]string{"annotate", "stage", "promote", "destroy"}).Draw(rt, "op")
	n := rapid.IntRange(0, 1).Draw(rt, "variant")
	wanted, wantedErr := p.reference.write(op, seen, id, n)
	got, gotErr := p.folder.write(op, seen, id, n)
	if sentinel(wantedErr) != sentinel(gotErr) {
		rt.Fatalf("%s %q: error %v, reference %v", op, id, gotErr, wantedErr)
	}
	ignore := cmpopts.IgnoreFields(secretstore.Snapshot{}, "Identity", "Revision")
	if diff := cmp.Diff(wanted, got, ignore, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%s %q (-reference +folder):\n%s", op, id, diff)
	}
	for _, id := range []string{"a", "b", "c"} {
		p.compareValues(rt, id)
	}
}

func (p pair) compareValues(rt *rapid.T, id string) {
	wanted, wantedErr := p.reference.store.Read(p.reference.t.Context(), id)
	got, gotErr := p.folder.store.Read(p.folder.t.Context(), id)
	if sentinel(wantedErr) != sentinel(gotErr) || !wanted.Equal(got) {
		rt.Fatalf("read %q: error %v, reference %v, or another value", id, gotErr, wantedErr)
	}
}

func (s *side) write(op string, seenAt int, id string, n int) (secretstore.Snapshot, error) {
	ctx, seen := s.t.Context(), s.given[seenAt]
	intent := secretstore.Intent{Nonce: fmt.Sprint("nonce ", n), Spec: "all:read", Grace: time.Hour}
	var next secretstore.Snapshot
	var err error
	switch op {
	case "annotate":
		next, err = s.store.Annotate(ctx, seen, secretstore.Notes{Intent: intent, Failure: secretstore.Failure{Count: n}})
	case "stage":
		v := secretstore.Version{ID: id, Intent: intent, Account: "o"}
		next, err = s.store.Stage(ctx, seen, v, secret.New(fmt.Sprint(id, n)))
	case "promote":
		next, err = s.store.Promote(ctx, seen, id, time.Unix(int64(n), 500))
	case "destroy":
		next, err = s.store.Destroy(ctx, seen, id)
	}
	if err == nil {
		s.given = append(s.given, next)
	}
	return next, err
}

// sentinel is the error of package secretstore that err wraps.
func sentinel(err error) error {
	for _, s := range []error{
		secretstore.ErrNotFound, secretstore.ErrConflict, secretstore.ErrDenied, secretstore.ErrUnavailable, secretstore.ErrCorrupt,
	} {
		if errors.Is(err, s) {
			return s
		}
	}
	return err
}
