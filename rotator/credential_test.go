package rotator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// adminStory is one of a world whose target is the admin key itself. The judge sees to it
// that no key revokes itself.
func adminStory(t *testing.T, tell func(t *testing.T, w *world)) {
	t.Helper()
	story(t, 1, func(t *testing.T, w *world) {
		w.HoldCredential()
		tell(t, w)
	})
}

func TestAdminKeyIsRevokedByItsSuccessor(t *testing.T) {
	adminStory(t, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		in := w.Start()
		mustSettle(t, in.Run(rotator.Request{}))
		expectSteps(t, in, "reserve issue try stage verify promote assume settled")
		time.Sleep(graceOver)
		later := w.Start()
		if res := mustSettle(t, later.Run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("revoked %v, want the predecessor", res.Revoked)
		}
		expectSteps(t, later, "verify assume revoke prove destroy settled")
		w.JudgeEnd()
	})
}

// A process that has lived since before the rotation acts with the predecessor: it takes
// the successor up before it revokes.
func TestProcessOfBeforeTakesTheSuccessorUpFirst(t *testing.T) {
	adminStory(t, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		old := w.Start()
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		if res := mustSettle(t, old.Run(rotator.Request{})); len(res.Revoked) != 1 {
			t.Errorf("revoked %v, want the predecessor", res.Revoked)
		}
	})
}

func TestCompromisedAdminKeyIsRevokedByItsSuccessorAtOnce(t *testing.T) {
	adminStory(t, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		w.GraceEnded = true
		in := w.Start()
		if res := mustSettle(t, in.Run(rotator.Request{Incident: "INC-1"})); len(res.Revoked) != 1 {
			t.Errorf("revoked %v, want the predecessor", res.Revoked)
		}
		if steps := in.Steps(); !strings.Contains(steps, "promote assume") {
			t.Errorf("steps: %s", steps)
		}
		if res := mustSettle(t, w.Start().Run(rotator.Request{Incident: "INC-1"})); !res.Answered || len(w.Instantly.ListedKeys()) != 2 {
			t.Errorf("the same order once more: %+v", res)
		}
	})
}

// If the new admin key turns out not to be able to revoke, the old one stays.
func TestAdminKeyThatCannotRevokeLeavesItsPredecessorAlive(t *testing.T) {
	adminStory(t, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(graceOver)
		in := w.Start()
		in.Hook = failing("delete", instantly.ErrScope)
		res := in.Run(rotator.Request{})
		if !errors.Is(res.Err, instantly.ErrScope) || rotator.ClassOf(res.Err).Category != rotator.Person || len(w.OldVersions()) != 1 {
			t.Errorf("error %v (%s), %d old versions", res.Err, rotator.ClassOf(res.Err).Category, len(w.OldVersions()))
		}
	})
}

// replacing leaves the admin key's store as an instance does that has begun to replace
// it, and is killed before a call.
func replacing(t *testing.T, before string) (*world, rotator.NamedStore) {
	t.Helper()
	admin := newWorld(t, 1)
	admin.HoldCredential()
	mustSettle(t, admin.Start().Run(rotator.Request{}))
	time.Sleep(due)
	in := admin.Start()
	dead := false
	in.Hook = func(c string, when rotatortest.When) error {
		if dead = dead || c == before && when == rotatortest.Before; dead {
			return rotatortest.ErrInjected
		}
		return nil
	}
	in.Run(rotator.Request{})
	return admin, rotator.NamedStore{Name: "acme-admin-key", Store: admin.stores[0]}
}

// runBeside reconciles a target of a workspace whose admin key is kept in a store.
func (in *instance) runBeside(t *testing.T, st rotator.NamedStore, req rotator.Request) rotator.Result {
	t.Helper()
	target := in.Target()
	target.Awaits = st
	return in.Rotator.Reconcile(t.Context(), target, req)
}

func TestNoRotationBeginsWhileTheAdminKeyIsReplaced(t *testing.T) {
	for _, before := range []string{"create", "promote@0"} {
		story(t, 1, func(t *testing.T, w *world) {
			mustSettle(t, w.Start().Run(rotator.Request{}))
			admin, st := replacing(t, before)
			in := w.Start()
			res := mustSettle(t, in.runBeside(t, st, rotator.Request{}))
			if res.Rotated || !strings.Contains(res.Delay, "acme-admin-key") || time.Until(res.Next) > time.Minute {
				t.Errorf("killed before %s: rotated: %v, waits until %s because %q", before, res.Rotated, res.Next, res.Delay)
			}
			mustSettle(t, admin.Start().Run(rotator.Request{IgnoreBackoff: true}))
			if res := mustSettle(t, w.Start().runBeside(t, st, rotator.Request{})); !res.Rotated {
				t.Errorf("killed before %s: the admin key is replaced, but %q", before, res.Delay)
			}
		})
	}
}

// A rotation that somebody asked for waits a while, and says so then: nobody is to take
// it for done.
func TestRotationThatWasAskedForWaitsForTheAdminKey(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		admin, st := replacing(t, "create")
		now := rotator.Request{RotateSince: time.Now()}
		if res := w.Start().runBeside(t, st, now); !errors.Is(res.Err, rotator.ErrBusy) {
			t.Errorf("error %v", res.Err)
		}
		go func() {
			time.Sleep(10 * time.Second)
			admin.Start().Run(rotator.Request{IgnoreBackoff: true})
		}()
		if res := mustSettle(t, w.Start().runBeside(t, st, now)); !res.Rotated {
			t.Errorf("not rotated: %q", res.Delay)
		}
	})
}

func TestRotationThatHasBegunIsFinishedWhileTheAdminKeyIsReplaced(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		_, st := replacing(t, "create")
		time.Sleep(due)
		in := w.Start()
		in.Hook = failing("promote@0", rotatortest.ErrInjected)
		in.Run(rotator.Request{})
		if res := mustSettle(t, w.Start().runBeside(t, st, rotator.Request{IgnoreBackoff: true})); !res.Rotated {
			t.Errorf("not finished: %q", res.Delay)
		}
	})
}

// A replacement that nobody goes on with, and a store that cannot be read, hold up
// nobody for long.
func TestReplacementThatWasGivenUpIsNotWaitedFor(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		_, st := replacing(t, "create")
		time.Sleep(time.Hour)
		if res := mustSettle(t, w.Start().runBeside(t, st, rotator.Request{})); !res.Rotated {
			t.Errorf("an hour later: %q", res.Delay)
		}
		time.Sleep(due)
		unread := rotatortest.Tap(memstore.New(""), failing("describe", rotatortest.ErrInjected))
		if res := mustSettle(t, w.Start().runBeside(t, rotator.NamedStore{Name: "x", Store: unread}, rotator.Request{})); !res.Rotated {
			t.Errorf("with a store that cannot be read: %q", res.Delay)
		}
	})
}
