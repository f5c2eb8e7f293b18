package daemon_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	hour = time.Hour
	day  = 24 * hour
	// slack is by how much an instant may be later than it should be: instants
	// are rounded up to seconds, and calls take no time in a world.
	slack = 2 * time.Second
	// hot is more runs at one instant than any world has targets.
	hot = 500
)

// A world is what outlives the daemon: one Instantly workspace, the stores, and
// a diary of what happened when. It lives in a bubble of testing/synctest.
type world struct {
	t testing.TB
	// intercept is called before every call to Instantly, "create", "keys", "delete"
	// or "probe", with the name of the key to be created; its error is the answer.
	// Set it while nothing runs.
	intercept func(call, key string) error
	made      int // keys

	mu      sync.Mutex
	stores  map[string]secretstore.Store
	keys    map[string]rotator.Key // by id: those that live
	calls   map[string]int
	runs    map[string]int         // by target
	rotated map[string][]time.Time // by target
	created []attempt              // create calls
	instant time.Time
	atOnce  int // runs that ended at instant
}

func newWorld(t testing.TB) *world {
	return &world{
		t: t, intercept: func(string, string) error { return nil },
		stores: map[string]secretstore.Store{}, keys: map[string]rotator.Key{},
		calls: map[string]int{}, runs: map[string]int{}, rotated: map[string][]time.Time{},
	}
}

// An attempt is a create call.
type attempt struct {
	at  time.Time
	key string // its name
}

// store gives the one store of a target.
func (w *world) store(target string) secretstore.Store {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stores[target] == nil {
		w.stores[target] = memstore.New(target)
	}
	return w.stores[target]
}

// A wish is a target in a configuration.
type wish struct {
	name   string
	policy rotator.Policy
	group  string
}

// scheduled is a target with a schedule as a configuration has it.
func scheduled(t testing.TB, name, spec, zone string) wish {
	t.Helper()
	location, err := config.ParseTimezone(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := config.ParseSchedule(spec, location)
	if err != nil {
		t.Fatal(err)
	}
	return wish{name: name, policy: rotator.Policy{
		Owner: "instantly-rotator", Spec: "campaigns:read", Schedule: s,
		Grace: day, Activation: time.Minute, Revocation: time.Minute,
	}}
}

const resync = 6 * hour

// fleet is what a process makes of a configuration.
func (w *world) fleet(wishes ...wish) *daemon.Fleet {
	f := &daemon.Fleet{Resync: resync, Engine: rotator.New(rotator.Options{Observe: w.observe})}
	acme := rotator.NewWorkspace("acme", w, "")
	for _, wish := range wishes {
		target := rotator.Target{
			Name: wish.name, Workspace: acme, Policy: wish.policy, Group: wish.group,
			Stores: []rotator.NamedStore{{Name: "memory", Store: w.store(wish.name)}},
		}
		for _, other := range wishes {
			if wish.group != "" && other.group == wish.group && other.name != wish.name {
				target.Peers = append(target.Peers, rotator.NamedStore{Name: other.name, Store: w.store(other.name)})
			}
		}
		f.Targets = append(f.Targets, target)
	}
	return f
}

// A process is a daemon that runs.
type process struct {
	*daemon.Daemon
	end  context.CancelFunc
	done chan struct{}
}

// start starts a daemon; sleep lets the world's time pass beside it.
func (w *world) start(f *daemon.Fleet) *process {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{
		Daemon: daemon.New(daemon.Options{Ended: w.ended, Pulse: hour}),
		end:    cancel, done: make(chan struct{}),
	}
	go func() {
		defer close(p.done)
		p.Run(ctx, f)
	}()
	return p
}

// stop ends a daemon as SIGTERM does.
func (p *process) stop() {
	p.end()
	<-p.done
}

// replace reloads a daemon's configuration.
func (p *process) replace(f *daemon.Fleet) { p.Replace(context.Background(), f) }

func (w *world) observe(e rotator.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Verb == rotator.Promote && e.Err == nil {
		w.rotated[e.Target] = append(w.rotated[e.Target], e.At)
	}
}

// ended counts runs, and gives up on a loop that runs hot: in a world whose
// calls take no time it would never come to an end.
func (w *world) ended(r rotator.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs[r.Target]++
	if now := time.Now(); !now.Equal(w.instant) {
		w.instant, w.atOnce = now, 0
	}
	if w.atOnce++; w.atOnce > hot {
		panic(fmt.Sprintf("%d runs at %s: the loop runs hot", w.atOnce, w.instant))
	}
}

// rotations gives when a target got its keys, the very first left out.
func (w *world) rotations(target string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rotated[target]) == 0 {
		w.t.Fatalf("%s never got a key", target)
	}
	return w.rotated[target][1:]
}

// count gives how often a call was made, or a target run.
func (w *world) count(in map[string]int, of string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return in[of]
}

// wantServed wants every target's consumers to hold a living key, and no key
// alive that no store refers to.
func (w *world) wantServed() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	referred := map[string]bool{}
	for target, st := range w.stores {
		snap, err := st.Describe(context.Background())
		if err != nil {
			continue // one that is broken on purpose
		}
		for _, v := range snap.Versions {
			referred[v.ID] = true
		}
		if _, lives := w.keys[snap.Versions[secretstore.Current].ID]; !lives {
			w.t.Errorf("the consumers of %s hold a dead key", target)
		}
	}
	for id, k := range w.keys {
		if !referred[id] {
			w.t.Errorf("key %s (%s) lives, and no store refers to it", id, k.Name)
		}
	}
}

// call counts a call to Instantly and lets intercept have its way.
func (w *world) call(ctx context.Context, name, key string) error {
	w.mu.Lock()
	w.calls[name]++
	w.mu.Unlock()
	if err := w.intercept(name, key); err != nil {
		return err
	}
	return ctx.Err()
}

// Issue implements [rotator.Issuer].
func (w *world) Issue(ctx context.Context, name string, spec secretstore.Spec) (rotator.Key, error) {
	w.mu.Lock()
	w.created = append(w.created, attempt{time.Now(), name})
	w.mu.Unlock()
	if err := w.call(ctx, "create", name); err != nil {
		return rotator.Key{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	id := fmt.Sprintf("0193a7c2-5a10-7c3e-9b1f-%012d", w.made)
	k := rotator.Key{ID: id, Name: name, Spec: spec, Account: "acme", Value: secret.New("value of " + id), Created: time.Now()}
	w.keys[id] = k
	return k, nil
}

// List implements [rotator.Issuer].
func (w *world) List(ctx context.Context) ([]rotator.Key, error) {
	if err := w.call(ctx, "keys", ""); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []rotator.Key
	for _, k := range w.keys {
		all = append(all, k)
	}
	return all, nil
}

// Revoke implements [rotator.Issuer].
func (w *world) Revoke(ctx context.Context, id string) error {
	if err := w.call(ctx, "delete", ""); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.keys, id)
	return nil
}

// Test implements [rotator.Issuer].
func (w *world) Test(ctx context.Context, value secret.Value, _ secretstore.Spec) rotator.TestCall {
	if err := w.call(ctx, "probe", ""); err != nil {
		return rotator.TestCall{Err: err}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.keys {
		if k.Value.Equal(value) {
			return rotator.TestCall{Verdict: rotator.Valid}
		}
	}
	return rotator.TestCall{Verdict: rotator.Invalid, Err: instantly.ErrUnauthorized}
}

// Account implements [rotator.Issuer].
func (w *world) Account(ctx context.Context) (string, error) { return "acme", ctx.Err() }

// Preflight implements [rotator.Issuer].
func (w *world) Preflight(ctx context.Context) error { return ctx.Err() }
