package rotatortest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Instance is one process that runs the rotator. Its calls to Instantly and to
// the stores go through one hook.
type Instance struct {
	*World
	Rotator *rotator.Rotator
	// Hook intercepts its outside calls; set it while none is under way. The calls
	// of the store number i are named like "promote@i".
	Hook Hook

	stores   []secretstore.Store
	ledger   *ledger // nil where another trail is told
	acting   string  // the admin key that it acts with, where that is the target: as old a one as can be
	eventsMu sync.Mutex
	events   []rotator.Event
}

// Start starts an instance without faults.
func (w *World) Start() *Instance { return w.StartWith(rotator.Options{}) }

// StartWith starts an instance with options; Observe is its own.
func (w *World) StartWith(o rotator.Options) *Instance {
	in := &Instance{World: w, Hook: func(string, When) error { return nil }, acting: w.acting}
	o.InTurn = true // hooks count calls
	o.Observe = func(e rotator.Event) {
		in.eventsMu.Lock()
		defer in.eventsMu.Unlock()
		in.events = append(in.events, e)
	}
	if o.Trail == nil {
		in.ledger = &ledger{in: in}
		o.Trail = in.ledger
	}
	in.Rotator = rotator.New(o)
	for i, s := range w.secrets {
		in.stores = append(in.stores, s.Open(w.t, func(call string, when When) error {
			return in.intercept(fmt.Sprintf("%s@%d", call, i), when)
		}))
	}
	return in
}

// intercept has the judge check the world after an effect, before the hook is called.
func (in *Instance) intercept(call string, when When) error {
	if when == After {
		in.Judge(call)
	}
	err := in.Hook(call, when)
	if when == Before && err == nil && in.ledger != nil {
		in.ledger.judge(call)
	}
	return err
}

// Target is the world's one target, as the instance reaches it.
func (in *Instance) Target() rotator.Target {
	t := rotator.Target{Name: "sending", Policy: in.Policy, Workspace: rotator.NewWorkspace("acme", in.API(), Organization), Credential: in.Credential != ""}
	for i, s := range in.stores {
		t.Stores = append(t.Stores, rotator.NamedStore{Name: fmt.Sprintf("s%d", i), Store: s})
	}
	t.Sinks = in.sinks()
	return t
}

// Run reconciles the target once.
func (in *Instance) Run(req rotator.Request) rotator.Result {
	res := in.Rotator.Reconcile(context.Background(), in.Target(), req)
	in.Judge("the run")
	return res
}

// Adopt has it found out which key the value is that somebody put into the primary store,
// and taken over. The proposal tells why not, if it is not.
func (in *Instance) Adopt(wish rotator.Wish) (rotator.Proposal, rotator.Result) {
	t := in.Target()
	p := in.Rotator.Propose(context.Background(), []rotator.Target{t}, map[string]rotator.Wish{t.Name: wish})[0]
	if p.Adoption == nil {
		return p, rotator.Result{Err: p.Err}
	}
	in.Instantly.adopted(p.Adoption.Key.ID, rotator.IsRevocable(p.Adoption.How))
	res := in.Rotator.Adopt(context.Background(), t, *p.Adoption)
	in.Judge("the adoption")
	return p, res
}

// Steps gives the verbs of the events, without those that only read.
func (in *Instance) Steps() string {
	in.eventsMu.Lock()
	defer in.eventsMu.Unlock()
	var out []string
	for _, e := range in.events {
		if e.Verb == rotator.List || e.Verb == rotator.Observe || e.Verb == rotator.Check || e.Verb == rotator.AskSinks {
			continue
		}
		s := string(e.Verb)
		if e.Store == "s1" {
			s += "@1"
		}
		if e.Sink != "" {
			s += "@" + e.Sink
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// ErrOf gives the error of the first step with that verb.
func (in *Instance) ErrOf(verb rotator.Verb) error {
	in.eventsMu.Lock()
	defer in.eventsMu.Unlock()
	for _, e := range in.events {
		if e.Verb == verb {
			return e.Err
		}
	}
	return nil
}

// ReasonOf gives the reason of the first step with that verb.
func (in *Instance) ReasonOf(verb rotator.Verb) string {
	in.eventsMu.Lock()
	defer in.eventsMu.Unlock()
	for _, e := range in.events {
		if e.Verb == verb {
			return e.Reason
		}
	}
	return ""
}

// API is the workspace as one instance reaches it.
type API struct{ in *Instance }

// API implements the engine's view of the workspace.
func (in *Instance) API() API { return API{in} }

var _ rotator.Identifier = API{}
var _ rotator.Successor = API{}

// ActWith implements [rotator.Successor].
func (a API) ActWith(value secret.Value) { a.in.actWith(value.Reveal()) }

func (in *Instance) actWith(value string) { in.acting, in.World.acting = value, value }

// authorized refuses calls with an admin key that is dead, after it was read again.
func (in *Instance) authorized() error {
	if in.Credential == "" || in.Instantly.Alive(in.acting) {
		return nil
	}
	if in.actWith(in.secrets[0].Current()); in.Instantly.Alive(in.acting) {
		return nil
	}
	return fmt.Errorf("the admin key: %w", ErrDead)
}

// call makes a call whose effect has the workspace to itself.
func (a API) call(ctx context.Context, op string, effect func(c *Instantly) error) error {
	return Hook(a.in.intercept).around(ctx, op, func() error {
		if err := a.in.authorized(); err != nil && op != "probe" {
			return err
		}
		c := a.in.Instantly
		c.mu.Lock()
		defer c.mu.Unlock()
		return effect(c)
	})
}

// Issue implements [rotator.Issuer].
func (a API) Issue(ctx context.Context, name string, spec secretstore.Spec) (key rotator.Key, err error) {
	err = a.call(ctx, "create", func(c *Instantly) error {
		c.Creates++
		made := c.create(name, spec)
		key = made.Key
		if c.Misnames != nil && c.Misnames(*made) {
			key.ID = "other-" + key.ID
		}
		return nil
	})
	if err != nil {
		return rotator.Key{}, err
	}
	return key, nil
}

// List implements [rotator.Issuer].
func (a API) List(ctx context.Context) (keys []rotator.Key, err error) {
	err = a.call(ctx, "keys", func(c *Instantly) error {
		for _, k := range c.Keys {
			if k.Listed() {
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

// Revoke implements [rotator.Issuer].
func (a API) Revoke(ctx context.Context, id string) error {
	return Hook(a.in.intercept).around(ctx, "delete", func() error {
		if err := a.in.authorized(); err != nil {
			return err
		}
		c := a.in.Instantly
		c.mu.Lock()
		k, ok := c.Keys[id]
		c.mu.Unlock()
		if !ok || !k.Listed() {
			return nil
		}
		a.in.judgeDelete(k)
		a.in.judgeActing(k)
		c.mu.Lock()
		defer c.mu.Unlock()
		k.DeletedAt, k.DeadFrom = time.Now(), time.Now().Add(c.Revocation)
		return nil
	})
}

// Test implements [rotator.Issuer].
func (a API) Test(ctx context.Context, value secret.Value, _ secretstore.Spec) (p rotator.TestCall) {
	err := a.call(ctx, "probe", func(c *Instantly) (err error) {
		p, err = c.test(value.Reveal())
		return err
	})
	if err != nil {
		return rotator.TestCall{Err: err}
	}
	return p
}

// Identify implements [rotator.Identifier].
func (a API) Identify(ctx context.Context, values []secret.Value) (told []rotator.Identity, err error) {
	err = a.call(ctx, "identify", func(c *Instantly) error {
		for _, value := range values {
			told = append(told, c.identify(value.Reveal()))
		}
		return nil
	})
	return told, err
}

// SameSpec implements [rotator.Identifier].
func (a API) SameSpec(x, y secretstore.Spec) bool { return x == y }

// Account implements [rotator.Issuer].
func (a API) Account(ctx context.Context) (org string, err error) {
	err = a.call(ctx, "organization", func(c *Instantly) error {
		org = c.organization()
		return nil
	})
	return org, err
}

// Preflight implements [rotator.Issuer].
func (a API) Preflight(ctx context.Context) error {
	return a.call(ctx, "check", func(*Instantly) error { return nil })
}
