package rotator_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	grace    = 24 * time.Hour
	interval = 90 * 24 * time.Hour
	// late is by how much a promotion is written down later than it begins: the
	// longest that it can take.
	late  = 30 * time.Second
	orgID = "org-acme"
	owner = "instantly-rotator"
)

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// world is everything outside of the engine: Instantly, the stores, the clock,
// and a judge who checks the rules after every effect from the outside.
type world struct {
	t      testing.TB
	cloud  *cloud
	stores []*memstore.Store
	policy rotator.Policy

	mu         sync.Mutex
	violations []string
	current    []string             // per store: the value consumers read now
	displaced  map[string]time.Time // value → when it was last current anywhere
	graceEnded bool                 // somebody ended the grace period on purpose
}

func newWorld(t testing.TB, stores int) *world {
	w := &world{t: t, displaced: map[string]time.Time{}, current: make([]string, stores)}
	w.cloud = &cloud{keys: map[string]*cloudKey{}, judge: w}
	for i := range stores {
		w.stores = append(w.stores, memstore.New(fmt.Sprintf("store-%d", i)))
	}
	w.policy = rotator.Policy{
		Owner: owner, Scopes: []string{"campaigns:read", "leads:update"}, Schedule: every(interval),
		Grace: grace, Activation: time.Minute, Revocation: time.Minute,
	}
	return w
}

// instance is one process that runs the rotator: its calls go through a hook
// that may fail them.
type instance struct {
	*world
	rotator *rotator.Rotator
	hook    func(op string, when memstore.When) error
	events  []rotator.Event
	mu2     sync.Mutex
}

func (w *world) start() *instance {
	in := &instance{world: w, hook: func(string, memstore.When) error { return nil }}
	in.rotator = rotator.New(rotator.Options{Observe: in.observe})
	return in
}

func (in *instance) observe(e rotator.Event) {
	in.mu2.Lock()
	defer in.mu2.Unlock()
	in.events = append(in.events, e)
}

// call runs an outside call between the two ends of the hook, and lets the judge
// look after it.
func (in *instance) call(ctx context.Context, op string, effect func() error) error {
	if err := in.hook(op, memstore.Before); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := effect()
	in.judge(op)
	if err != nil {
		return err
	}
	return in.hook(op, memstore.After)
}

func (in *instance) target() rotator.Target {
	t := rotator.Target{Name: "sending", Policy: in.policy, Workspace: rotator.NewWorkspace("acme", tappedAPI{in}, orgID)}
	for i, st := range in.stores {
		t.Stores = append(t.Stores, rotator.NamedStore{Name: fmt.Sprintf("s%d", i), Store: tappedStore{st, in, i}})
	}
	return t
}

func (in *instance) run(req rotator.Request) rotator.Result {
	return in.rotator.Reconcile(context.Background(), in.target(), req)
}

// steps gives the verbs of the events, for stories.
func (in *instance) steps() string {
	in.mu2.Lock()
	defer in.mu2.Unlock()
	var out []string
	for _, e := range in.events {
		if e.Verb == rotator.List || e.Verb == rotator.Look || e.Verb == rotator.Check {
			continue
		}
		s := string(e.Verb)
		if e.Store == "s1" {
			s += "@1"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// reasonOf gives the reason of the first step with that verb.
func (in *instance) reasonOf(verb rotator.Verb) string {
	in.mu2.Lock()
	defer in.mu2.Unlock()
	for _, e := range in.events {
		if e.Verb == verb {
			return e.Reason
		}
	}
	return ""
}

// failure gives the failure on record in the primary store.
func (w *world) failure(t *testing.T) secretstore.Failure {
	t.Helper()
	snap, err := w.stores[0].Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap.Notes.Failure
}

// judge checks the rules from the outside, after every effect.
func (w *world) judge(op string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for i, st := range w.stores {
		value := currentValue(st)
		if was := w.current[i]; was != value && was != "" {
			w.displaced[was] = now
		}
		w.current[i] = value
		if value != "" && !w.cloud.alive(value) && !w.cloud.revokedByHand(value) {
			w.violate("rule 1: after %s store %d gives its consumers a dead key", op, i)
		}
	}
}

func (w *world) violate(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

func currentValue(st *memstore.Store) string {
	for _, h := range st.Contents() {
		if h.Stage == secretstore.Current {
			return h.Value.Reveal()
		}
	}
	return ""
}

// judgeDelete checks the rules about revoking, at the moment of a delete.
func (w *world) judgeDelete(k *cloudKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if k.foreign {
		w.violate("rule 4: the foreign key %s was revoked", k.ID)
	}
	if slices.Contains(w.current, k.value) {
		w.violate("rule 3: key %s was revoked while current in a store", k.ID)
	}
	for i, st := range w.stores {
		for _, h := range st.Contents() {
			if h.Stage == secretstore.Pending && h.Value.Reveal() == k.value {
				w.violate("rule 1: key %s was revoked while store %d may still promote it", k.ID, i)
			}
		}
	}
	at, wasCurrent := w.displaced[k.value]
	if wasCurrent && !w.graceEnded && now.Before(at.Add(grace)) {
		w.violate("rule 3: key %s was revoked %s before its grace was over", k.ID, at.Add(grace).Sub(now))
	}
	for i, value := range w.current {
		if wasCurrent && value != "" && now.Sub(w.cloud.provenAt(value)) > time.Minute {
			w.violate("rule 3: key %s was revoked, but the current key of store %d was not verified just before", k.ID, i)
		}
	}
}

// settle runs until nothing is left to do, over all grace periods, with nothing
// going wrong any more.
func (w *world) settle() {
	w.t.Helper()
	in := w.start()
	for range 20 {
		res := in.run(rotator.Request{IgnoreBackoff: true})
		if res.Err != nil {
			w.t.Fatalf("does not settle: %v\nsteps: %s", res.Err, in.steps())
		}
		if len(w.oldVersions()) == 0 {
			w.judgeEnd()
			return
		}
		time.Sleep(max(time.Until(res.Next), time.Second))
	}
	w.t.Fatalf("does not settle in 20 runs; steps: %s", in.steps())
}

func (w *world) oldVersions() (ids []string) {
	for _, st := range w.stores {
		for _, h := range st.Contents() {
			if h.Stage != secretstore.Current && !h.Version.Foreign {
				ids = append(ids, h.Version.ID)
			}
		}
	}
	return ids
}

// judgeEnd checks what must be true of a settled world.
func (w *world) judgeEnd() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, value := range w.current {
		if value == "" || !w.cloud.alive(value) {
			w.violate("settled, but store %d has no living key", i)
		}
		if value != w.current[0] {
			w.violate("settled, but store %d has another key than the primary", i)
		}
	}
	for _, k := range w.cloud.all() {
		if !k.foreign && k.listed() && k.value != w.current[0] {
			w.violate("rule 2: settled, but key %s (%s) lives and nothing refers to it", k.ID, k.Name)
		}
	}
}

func (w *world) check(story string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.violations) > 0 {
		w.t.Fatalf("%s:\n  %s", story, strings.Join(w.violations, "\n  "))
	}
}

// tappedAPI is the workspace as one instance reaches it.
type tappedAPI struct{ in *instance }

func (a tappedAPI) CreateKey(ctx context.Context, name string, scopes []string) (key instantly.Key, err error) {
	c := a.in.cloud
	err = a.in.call(ctx, "create", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.creates++
		key = c.create(name, scopes).Key
		return nil
	})
	if err != nil {
		return instantly.Key{}, err
	}
	return key, nil
}

func (a tappedAPI) Keys(ctx context.Context) (keys []instantly.Key, err error) {
	c := a.in.cloud
	err = a.in.call(ctx, "keys", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, k := range c.keys {
			if k.listed() {
				keys = append(keys, k.Key)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

func (a tappedAPI) DeleteKey(ctx context.Context, id string) error {
	c := a.in.cloud
	return a.in.call(ctx, "delete", func() error {
		c.mu.Lock()
		k, ok := c.keys[id]
		c.mu.Unlock()
		if !ok || !k.listed() {
			return nil
		}
		a.in.judgeDelete(k)
		c.mu.Lock()
		defer c.mu.Unlock()
		k.deletedAt, k.deadFrom = time.Now(), time.Now().Add(c.revocation)
		return nil
	})
}

func (a tappedAPI) Probe(ctx context.Context, value secret.Value, _ []string) (p instantly.Probe) {
	c := a.in.cloud
	err := a.in.call(ctx, "probe", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.probeErr != nil {
			return c.probeErr
		}
		k := c.find(value.Reveal())
		if k == nil || !k.live(time.Now()) {
			p = instantly.Probe{Verdict: instantly.Invalid, Err: errDead}
			return nil
		}
		if c.probes == nil {
			c.probes = map[string]time.Time{}
		}
		c.probes[k.value] = time.Now()
		p = instantly.Probe{Verdict: instantly.Valid}
		return nil
	})
	if err != nil {
		return instantly.Probe{Err: err}
	}
	return p
}

func (a tappedAPI) Organization(ctx context.Context) (org string, err error) {
	err = a.in.call(ctx, "organization", func() error {
		org = a.in.cloud.organization()
		return nil
	})
	return org, err
}

func (a tappedAPI) CheckDelete(ctx context.Context) error {
	return a.in.call(ctx, "check", func() error { return nil })
}

// tappedStore is a store as one instance reaches it.
type tappedStore struct {
	secretstore.Store
	in *instance
	i  int
}

func (s tappedStore) name(op string) string { return fmt.Sprintf("%s@%d", op, s.i) }

func (s tappedStore) Describe(ctx context.Context) (snap secretstore.Snapshot, err error) {
	err = s.in.call(ctx, s.name("describe"), func() error { snap, err = s.Store.Describe(ctx); return err })
	return snap, err
}

func (s tappedStore) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (snap secretstore.Snapshot, err error) {
	err = s.in.call(ctx, s.name("annotate"), func() error { snap, err = s.Store.Annotate(ctx, seen, n); return err })
	return snap, err
}

func (s tappedStore) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (snap secretstore.Snapshot, err error) {
	err = s.in.call(ctx, s.name("stage"), func() error { snap, err = s.Store.Stage(ctx, seen, v, value); return err })
	return snap, err
}

func (s tappedStore) Read(ctx context.Context, id string) (value secret.Value, err error) {
	err = s.in.call(ctx, s.name("read"), func() error { value, err = s.Store.Read(ctx, id); return err })
	return value, err
}

func (s tappedStore) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (snap secretstore.Snapshot, err error) {
	err = s.in.call(ctx, s.name("promote"), func() error { snap, err = s.Store.Promote(ctx, seen, id, at); return err })
	return snap, err
}

func (s tappedStore) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (snap secretstore.Snapshot, err error) {
	err = s.in.call(ctx, s.name("destroy"), func() error { snap, err = s.Store.Destroy(ctx, seen, id); return err })
	return snap, err
}
