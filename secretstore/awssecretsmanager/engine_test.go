package awssecretsmanager_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	grace    = 24 * time.Hour
	interval = 90 * 24 * time.Hour
	// late is by how much a promotion is written down later than it begins.
	late = 30 * time.Second
	// prompt is what a promotion may take and count from its beginning.
	prompt = 10 * time.Second
)

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// world is Instantly and AWS, and a judge who looks at both after every effect.
type world struct {
	*bench
	policy rotator.Policy

	mu         sync.Mutex
	keys       map[string]*issued
	violations []string
	current    string               // what readers of AWSCURRENT get
	promoted   bool                 // and not only because it was the first value
	displaced  map[string]time.Time // value → when it was last current
}

// issued is a key at Instantly.
type issued struct {
	instantly.Key
	value   string
	foreign bool
	dead    bool
}

func newWorld(t testing.TB) *world {
	return &world{
		bench: newBench(t), keys: map[string]*issued{}, displaced: map[string]time.Time{},
		policy: rotator.Policy{
			Owner: owner, Scopes: []string{"campaigns:read", "leads:update"}, Schedule: every(interval),
			Grace: grace, Activation: time.Minute, Revocation: time.Minute,
		},
	}
}

// instance is one process that runs the rotator. Its calls to both services go
// through one hook.
type instance struct {
	*world
	store secretstore.Store
	hook  func(call string, when awstest.When) error
	steps []string
	mu2   sync.Mutex
}

func (w *world) start(hook func(string, awstest.When) error) *instance {
	in := &instance{world: w, hook: hook}
	in.store = w.openVia(func(c awstest.Call, when awstest.When) error {
		if when == awstest.After {
			w.judge(c.Action)
		}
		return in.strike(c.Action, when)
	})
	return in
}

func (in *instance) strike(call string, when awstest.When) error {
	if in.hook == nil {
		return nil
	}
	return in.hook(call, when)
}

func (in *instance) run(req rotator.Request) rotator.Result {
	r := rotator.New(rotator.Options{Observe: func(e rotator.Event) {
		in.mu2.Lock()
		defer in.mu2.Unlock()
		in.steps = append(in.steps, string(e.Verb))
	}})
	return r.Reconcile(context.Background(), rotator.Target{
		Name: "sending", Policy: in.policy, Workspace: rotator.NewWorkspace("acme", api{in}, organization),
		Stores: []rotator.NamedStore{{Name: "aws", Store: in.store}},
	}, req)
}

func (w *world) violate(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// judge: whoever reads AWSCURRENT gets a living key.
func (w *world) judge(after string) {
	value, _ := w.server.Value(w.name, "AWSCURRENT")
	promoted := w.isPromoted()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current != value && w.promoted {
		w.displaced[w.current] = time.Now()
	}
	w.current, w.promoted = value, promoted
	if k := w.byValue(value); promoted && (k == nil || k.dead) {
		w.violate("after %s AWSCURRENT is a dead key", after)
	}
}

// isPromoted tells whether a rotator has made a version current.
func (w *world) isPromoted() bool {
	labels, _, _ := w.server.Look(w.name)
	for _, on := range labels {
		if slices.Contains(on, "AWSCURRENT") {
			return !slices.ContainsFunc(on, isMarkOf("first"))
		}
	}
	return false
}

func (w *world) byValue(value string) *issued {
	for _, k := range w.keys {
		if k.value == value {
			return k
		}
	}
	return nil
}

// add makes a key; the caller holds the lock.
func (w *world) add(name string, scopes []string) *issued {
	n := len(w.keys) + 1
	k := &issued{value: fmt.Sprintf("canary-%d-5f0c", n)}
	k.Key = instantly.Key{
		ID: fmt.Sprintf("0193a7c2-5a10-7c3e-9b1f-%012d", n), Name: name, Scopes: scopes,
		Organization: organization, Secret: secret.New(k.value),
	}
	w.keys[k.ID] = k
	return k
}

// settle runs undisturbed until nothing is left to do.
func (w *world) settle(story string) {
	w.Helper()
	for range 20 {
		in := w.start(nil)
		res := in.run(rotator.Request{IgnoreBackoff: true})
		if res.Err != nil {
			w.Fatalf("%s: does not settle: %v\nsteps: %v", story, res.Err, in.steps)
		}
		if versions := look(w, w.open()).Versions; len(versions) == 1 {
			w.judgeEnd(story)
			return
		}
		time.Sleep(max(time.Until(res.Next), time.Second))
	}
	w.Fatalf("%s: does not settle", story)
}

func (w *world) judgeEnd(story string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.keys {
		if !k.foreign && !k.dead && k.value != w.current {
			w.violate("settled, but key %s lives and nothing refers to it", k.ID)
		}
		if k.foreign && k.dead {
			w.violate("somebody else's key was revoked")
		}
	}
	if len(w.violations) > 0 {
		w.Fatalf("%s:\n  %s", story, strings.Join(w.violations, "\n  "))
	}
}

// api is the workspace as one instance reaches it.
type api struct{ in *instance }

func (a api) do(call string, effect func()) error {
	if err := a.in.strike(call, awstest.Before); err != nil {
		return err
	}
	a.in.mu.Lock()
	effect()
	a.in.mu.Unlock()
	return a.in.strike(call, awstest.After)
}

func (a api) CreateKey(_ context.Context, name string, scopes []string) (key instantly.Key, err error) {
	err = a.do("create", func() { key = a.in.add(name, scopes).Key })
	return key, err
}

func (a api) Keys(context.Context) (keys []instantly.Key, err error) {
	err = a.do("keys", func() {
		for _, k := range a.in.keys {
			if !k.dead {
				keys = append(keys, k.Key)
			}
		}
	})
	return keys, err
}

func (a api) DeleteKey(_ context.Context, id string) error {
	return a.do("delete", func() {
		k := a.in.keys[id]
		if k == nil || k.dead {
			return
		}
		at, was := a.in.displaced[k.value]
		switch {
		case k.value == a.in.current && a.in.promoted:
			a.in.violate("key %s was revoked while current", id)
		case was && time.Now().Before(at.Add(grace-prompt)):
			a.in.violate("key %s was revoked %s before its grace was over", id, time.Until(at.Add(grace)))
		}
		k.dead = true
	})
}

var errDead = errors.New("invalid API key")

func (a api) Probe(_ context.Context, value secret.Value, _ []string) (p instantly.Probe) {
	err := a.do("probe", func() {
		p = instantly.Probe{Verdict: instantly.Valid}
		if k := a.in.byValue(value.Reveal()); k == nil || k.dead {
			p = instantly.Probe{Verdict: instantly.Invalid, Err: errDead}
		}
	})
	if err != nil {
		return instantly.Probe{Err: err}
	}
	return p
}

func (a api) Organization(context.Context) (org string, err error) {
	return organization, a.do("organization", func() {})
}

func (a api) CheckDelete(context.Context) error { return a.do("check", func() {}) }

// A blow is what strikes one call of either service.
type blow struct {
	call  int // counted from 1
	after bool
	crash bool
}

// striker deals blows to the calls of instances that follow one another. A
// crash is the death of one: no later call of it has any effect.
type striker struct {
	blows []blow
	calls int
	dead  bool
	log   []string
}

func (s *striker) hook(call string, when awstest.When) error {
	if s.dead {
		return awstest.ErrTorn
	}
	if when == awstest.Before {
		s.calls++
		s.log = append(s.log, call)
	}
	if slices.ContainsFunc(s.blows, func(b blow) bool { return b.call == s.calls && b.after == (when == awstest.After) }) {
		for _, b := range s.blows {
			s.dead = s.dead || b.call == s.calls && b.crash
		}
		return awstest.ErrTorn
	}
	return nil
}

// lifetime is a first key, one rotation, and the end of the old key.
func (w *world) lifetime(s *striker) {
	for range 2 + len(s.blows) {
		s.dead = false
		w.start(s.hook).run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(time.Minute)
	}
	time.Sleep(interval + late)
	for range 2 + len(s.blows) {
		s.dead = false
		w.start(s.hook).run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(grace + late)
	}
}
