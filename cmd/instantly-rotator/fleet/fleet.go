// Package fleet makes, out of one configuration, what is run: the engine, and
// targets bound to their stores, workspaces and consumers. The commands and the
// daemon get theirs here and nowhere else.
package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
)

// Fleet is the engine with the targets that it is to run over. It is closed when it
// is no longer needed.
type Fleet struct {
	*rotator.Rotator
	*Connections
	Targets []rotator.Target

	actsWith sync.Map // admin key's target → id of the key that is acted with
}

// Named makes the engine and the named targets, in the order of the names; all of
// the configuration if no name is given. A name that is not in the configuration
// is an [UnknownTargetError].
func Named(ctx context.Context, o Options, names []string) (*Fleet, error) {
	keys, err := Chosen(o.Config, names)
	if err != nil {
		return nil, err
	}
	return Connect(o).Fleet(ctx, keys), nil
}

// All makes the engine and all targets of the configuration.
func All(ctx context.Context, o Options) *Fleet { return Connect(o).Fleet(ctx, o.Config.Keys) }

// Fleet makes the engine and the targets of those keys, over these connections.
func (c *Connections) Fleet(ctx context.Context, keys []config.Key) *Fleet {
	o := c.Options
	f := &Fleet{Connections: c, Rotator: rotator.New(rotator.Options{
		Now: o.Now, Concurrency: o.Config.Concurrency, Instance: instance(), Gone: gone, Lease: o.Config.Lease, Trail: c.trail(), Observe: tellSteps(o.Log, o.Observe), Doing: o.Doing,
	})}
	for _, k := range keys {
		f.Targets = append(f.Targets, f.target(ctx, k))
	}
	f.keepApart(ctx)
	for i := range f.Targets {
		f.awaitAdminKey(ctx, &f.Targets[i], keys[i])
	}
	return f
}

// awaitAdminKey tells a target which other one is the admin key that it is rotated with.
func (f *Fleet) awaitAdminKey(ctx context.Context, t *rotator.Target, k config.Key) {
	name := f.Config.Workspaces[k.Workspace].AdminTarget
	if k.Admin || name == "" || k.Webhooks != nil {
		return
	}
	for i := range f.Config.Keys {
		if admin := &f.Config.Keys[i]; admin.Name == name {
			t.Awaits = rotator.NamedStore{Name: name, Store: f.Store(ctx, admin.Stores[0])}
			return
		}
	}
}

func (f *Fleet) target(ctx context.Context, k config.Key) rotator.Target {
	t := rotator.Target{Name: k.Name, Policy: PolicyOf(f.Config, k), Group: k.Group, Credential: k.Admin}
	if k.Webhooks != nil {
		t.Senders, t.Workspace = f.webhooks(ctx, k)
	} else {
		t.Workspace = f.home(ctx, k)
	}
	for _, ref := range k.Stores {
		t.Stores = append(t.Stores, rotator.NamedStore{Name: ref.Store, Store: f.Store(ctx, ref)})
	}
	for _, ref := range k.Sinks {
		t.Sinks = append(t.Sinks, f.Sink(ctx, k.Name, ref))
	}
	for _, after := range k.AfterPromote {
		t.Gates = append(t.Gates, f.Gate(ctx, k, after))
	}
	return t
}

// PolicyOf gives how a key is kept fresh.
func PolicyOf(cfg *config.Config, k config.Key) rotator.Policy {
	p := rotator.Policy{
		Owner: cfg.Owner, Spec: apikeys.SpecOf(k.Scopes), Schedule: k.Schedule, MaxAge: k.MaxAge,
		Jitter: k.Jitter, Apart: k.Apart,
		Grace: k.Grace, Activation: k.ActivationTimeout, Revocation: k.RevocationTimeout,
	}
	if config.Never(k.Schedule) {
		p.MaxAge = 0 // it is told of, and nothing more
	}
	if k.Webhooks != nil {
		p.Spec, p.Settle = webhooksecret.Spec, k.Webhooks.Settle
	}
	if k.Freeze != nil { // a nil pointer in an interface would not be nil
		p.Freeze = *k.Freeze
	}
	return p
}

// keepApart tells each target of a group which others are in it. The whole
// configuration counts, not only the keys that were named.
func (f *Fleet) keepApart(ctx context.Context) {
	for i := range f.Targets {
		t := &f.Targets[i]
		if t.Group == "" {
			continue
		}
		for _, k := range f.Config.Keys {
			if k.Group == t.Group && k.Name != t.Name {
				t.Peers = append(t.Peers, rotator.NamedStore{Name: k.Name, Store: f.Store(ctx, k.Stores[0])})
			}
		}
	}
}

// UnknownTargetError says that a name is not in the configuration, and which was
// likely meant, or which there are.
type UnknownTargetError struct {
	Name string
	hint string
}

// Error implements error.
func (e *UnknownTargetError) Error() string {
	return fmt.Sprintf("no target named %q in the configuration; %s", e.Name, e.hint)
}

// Chosen picks targets by name, in the order of the names and each once.
func Chosen(cfg *config.Config, names []string) ([]config.Key, error) {
	if len(names) == 0 {
		return cfg.Keys, nil
	}
	var out []config.Key
	for _, name := range names {
		named := func(k config.Key) bool { return k.Name == name }
		i := slices.IndexFunc(cfg.Keys, named)
		if i < 0 {
			return nil, &UnknownTargetError{name, whichTarget(cfg, name)}
		}
		if !slices.ContainsFunc(out, named) {
			out = append(out, cfg.Keys[i])
		}
	}
	return out, nil
}

// whichTarget says which target was likely meant, or which there are, as many as
// one can read.
func whichTarget(cfg *config.Config, name string) string {
	if admin := cfg.Workspaces[name].AdminTarget; admin != "" {
		return fmt.Sprintf("it is a workspace, whose admin key is the target %q; in wrong hands, rotate --compromised --admin %s takes it", admin, name)
	}
	const most = 10
	var known []string
	for _, k := range cfg.Keys {
		known = append(known, k.Name)
	}
	if near, ok := config.Nearest(name, known); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) > most {
		return fmt.Sprintf("it has %s and %d more", strings.Join(known[:most], ", "), len(known)-most)
	}
	return "it has " + strings.Join(known, ", ")
}
