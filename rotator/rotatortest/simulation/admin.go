package simulation

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// adminKey has the first workspace's admin key kept fresh beside the others in one of six
// worlds. The others are what their seeds stood for before there was that.
func adminKey(p *Plan, backends []Backend) {
	if p.Seed%6 != 3 {
		return
	}
	random := rand.New(rand.NewPCG(p.Seed, 4)) //nolint:gosec // the same world every time
	t := TargetPlan{Admin: true, Interval: p.Targets[0].Interval, Grace: pick(random, time.Hour, day, 3*day)}
	for range pick(random, 1, 1, 2) {
		t.Backends = append(t.Backends, backendFor(random, backends))
	}
	p.Targets = append(p.Targets, t)
}

// adminScopes are those of an admin key.
func adminScopes() []string { return []string{"api_keys:all", "workspaces:read"} }

// spec is what the target's keys are issued for.
func (p TargetPlan) spec() secretstore.Spec {
	if p.Admin {
		return secretstore.Spec(strings.Join(adminScopes(), ","))
	}
	return "campaigns:read,leads:update"
}

// edited is what they are after somebody's edit.
func (p TargetPlan) edited(pick int) secretstore.Spec {
	scope := []string{"campaigns:read", "leads:read", "accounts:read"}[pick%3]
	if p.Admin {
		return secretstore.Spec("api_keys:all," + scope + ",workspaces:read")
	}
	return secretstore.Spec(scope)
}

// madeByHand is a key that somebody makes for a target.
func (w *world) madeByHand(at *target) *key {
	if at == w.admin {
		return w.foreignWith(at.workspace, "made by hand", adminScopes()...)
	}
	return w.foreign(at.workspace, "made by hand")
}

// isMadeWith tells whether the target's keys are made with the admin key that is kept fresh.
func (w *world) isMadeWith(t *target) bool {
	return w.admin != nil && t != w.admin && t.workspace == w.admin.workspace
}

// isOnlyAdminKey tells whether a store gives the key as the admin key: nobody but a person
// can go on after that was revoked by hand.
func (w *world) isOnlyAdminKey(at *target, k *key) bool {
	for _, s := range at.stores {
		if at == w.admin && (s.value == k.value || s.latest == k.value) {
			return true
		}
	}
	return false
}

// isLockedOutByHand tells whether nobody but a person can go on in the target's workspace: what
// stores give as the admin key was made current by hand while it was being revoked.
func (w *world) isLockedOutByHand(t *target) bool {
	if w.admin == nil || t.workspace != w.admin.workspace {
		return false
	}
	return !slices.ContainsFunc(w.admin.stores, func(s *store) bool {
		k := w.keys.of(s.value)
		return k == nil || k.deleted.IsZero() || !k.byHand
	})
}

// credential is the admin key that a process begins with, and reads again when it is
// refused: what the store gives, or as long as that gives none, the one made by hand.
func (w *world) credential(workspace int) *instantly.Credential {
	byHand := w.box.Workspaces()[workspace].AdminKey
	if w.admin == nil || workspace != w.admin.workspace {
		return instantly.NewCredential(byHand, nil)
	}
	read := func(ctx context.Context) (secret.Value, error) {
		st := w.admin.stores[0].observer
		snap, err := st.Describe(ctx)
		cur, ok := snap.Versions[secretstore.Current]
		if err != nil || !ok {
			return byHand, err
		}
		return st.Read(ctx, cur.ID)
	}
	value, err := read(w.t.Context())
	for range 360 { // AWS's store asks to be read again while two rotations are reserved at once
		if !errors.Is(err, secretstore.ErrUnavailable) {
			break
		}
		time.Sleep(10 * time.Second)
		value, err = read(w.t.Context())
	}
	if err != nil {
		w.t.Fatalf("read the admin key: %v", err)
	}
	return instantly.NewCredential(value, read)
}

// judgeLockedOut: what some store gives as the admin key can list keys and revoke them.
func (w *world) judgeLockedOut(call string) {
	if w.admin == nil || w.admin.tainted {
		return
	}
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: w.box.Workspaces()[w.admin.workspace].AdminKey,
		Transport: sandbox.Transport(w.box), Pacer: instantly.NewPacer(math.Inf(1)), RetryBudget: -1,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	given := false
	for _, s := range w.admin.stores {
		if given = given || s.value != ""; s.value != "" && client.CheckAdmin(w.t.Context(), secret.New(s.value)) == nil {
			return
		}
	}
	if given {
		w.violate("locked out: after %s no store gives an admin key that can list and revoke", call)
	}
}

// judgeActing: an admin key that consumers may have is revoked by one that came after it.
func (w *world) judgeActing(by, k *key) {
	switch {
	case w.admin == nil || k.target != w.admin.name || k.displaced.IsZero() || w.admin.tainted:
	case by == k:
		w.violate("rule 3: admin key %d revoked itself", k.number)
	case by == nil || by.target != k.target || by.number < k.number:
		w.violate("rule 3: admin key %d was revoked by one that is not its successor", k.number)
	}
}

// A swap is a replacement of the admin key that was begun and not finished, with what its
// record says; without a nonce there is none.
type swap struct {
	nonce      string
	since      time.Time // when it was first there
	begun, end time.Time // as written down
}

// noteSwap looks at the admin key's primary store.
func (w *world) noteSwap() {
	now := w.swapNow()
	if now.nonce == "" || now.nonce != w.swap.nonce {
		w.swap = now
	}
}

func (w *world) swapNow() swap {
	snap, err := w.admin.stores[0].observer.Describe(w.t.Context())
	if err != nil {
		return swap{}
	}
	in := snap.Notes.Intent
	if ver, ok := snap.Versions[secretstore.Pending]; ok {
		in = ver.Intent
	}
	cur, failed := snap.Versions[secretstore.Current], snap.Notes.Failure
	if in.IsZero() || in.Until.IsZero() || in.At.Before(cur.Promoted) || failed.Count > 0 && !failed.At.Before(in.At) {
		return swap{}
	}
	return swap{nonce: in.Nonce, since: time.Now(), begun: in.At, end: in.Until}
}

// surveyed is a run over a target: when it began, and whether it could not be told if the
// admin key is being replaced.
type surveyed struct {
	from   time.Time
	failed bool
}

func (in *instance) began(i int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.runs[i] = surveyed{from: time.Now()}
}

// surveying makes the calls by which a target sees whether its admin key is being replaced
// pending ones.
func (in *instance) surveying(i int) rotatortest.Hook {
	failed := func(err error) error {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.runs[i].failed = in.runs[i].failed || err != nil
		return err
	}
	return func(call string, when rotatortest.When) error {
		if when == rotatortest.Before {
			return failed(in.ask(in.world.targets[i].name+" sees the admin key: "+call, false).refused)
		}
		return failed(in.answered(in.granted))
	}
}

// judgeBegun: no key is issued in a run that began while the admin key was being replaced,
// which still goes on, by every clock that the process has had.
func (w *world) judgeBegun(by *instance, k *key) {
	t := w.targetOf(k)
	if k.foreign || !w.isMadeWith(t) || w.admin.tainted {
		return
	}
	by.mu.Lock()
	run := by.runs[w.index(t)]
	by.mu.Unlock()
	now := w.swapNow()
	seen := now.nonce != "" && now.nonce == w.swap.nonce && w.swap.since.Before(run.from)
	goesOn := !run.from.Add(by.slowest).Before(now.begun) && time.Now().Add(by.fastest).Before(now.end)
	if seen && goesOn && !run.failed {
		w.violate("key %d was issued for %s while the admin key is being replaced", k.number, t.name)
	}
}
