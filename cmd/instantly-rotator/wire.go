package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// errNoConfig: there is no configuration to read.
var errNoConfig = errors.New("no configuration")

// errNoAdminKey: a workspace's admin key is not where the configuration says.
var errNoAdminKey = errors.New("no admin key")

// errNoKeyYet: a store has no current version.
var errNoKeyYet = errors.New("the store has no key yet")

// load reads the configuration and passes its warnings on.
func (a *app) load() (*config.Config, error) {
	cfg, warnings, err := config.Load(a.configPath)
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return nil, usageError{fmt.Errorf("%w: %w", errNoConfig, err)}
	}
	return cfg, err
}

// A deployment is the engine with the targets it is to run over. It is closed
// when it is no longer needed.
type deployment struct {
	*rotator.Rotator
	*wiring
	targets []rotator.Target
}

// deploy opens what the named keys need, or all of them if no name is given. A
// store or an admin key that cannot be had fails the targets that need it, when
// they are run, and no other. To look is to change nothing, and to be told soon.
func (a *app) deploy(ctx context.Context, names []string, look bool) (deployment, error) {
	log, err := a.logger()
	if err != nil {
		return deployment{}, err
	}
	cfg, err := a.load()
	if err != nil {
		return deployment{}, err
	}
	keys, err := chosen(cfg, names)
	if err != nil {
		return deployment{}, err
	}
	return a.deployment(ctx, a.wire(cfg, log, look), keys, logSteps(log)), nil
}

// deployment makes the engine, and targets out of keys.
func (a *app) deployment(ctx context.Context, w *wiring, keys []config.Key, observe func(rotator.Event)) deployment {
	d := deployment{wiring: w, Rotator: rotator.New(rotator.Options{
		Now: a.now, Concurrency: w.cfg.Concurrency, Instance: instance(), Lease: w.cfg.Lease, Observe: observe,
	})}
	for _, k := range keys {
		d.targets = append(d.targets, d.target(ctx, k))
	}
	d.keepApart(ctx)
	return d
}

// instance names this process in what it writes: where it runs, and which it is.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	process := fmt.Sprintf("/%d", os.Getpid())
	return host[:min(len(host), secretstore.MaxHolder-len(process))] + process
}

// keepApart tells each target of a group which others are in it. The whole
// configuration counts, not only the keys that were named.
func (d *deployment) keepApart(ctx context.Context) {
	for i := range d.targets {
		t := &d.targets[i]
		if t.Group == "" {
			continue
		}
		for _, k := range d.cfg.Keys {
			if k.Group == t.Group && k.Name != t.Name {
				ref := k.Stores[0]
				t.Mates = append(t.Mates, rotator.NamedStore{Name: k.Name, Store: d.store(ctx, ref)})
			}
		}
	}
}

// chosen picks keys by name, in the order of the names.
func chosen(cfg *config.Config, names []string) ([]config.Key, error) {
	if len(names) == 0 {
		return cfg.Keys, nil
	}
	var out []config.Key
	for _, name := range names {
		i := slices.IndexFunc(cfg.Keys, func(k config.Key) bool { return k.Name == name })
		if i < 0 {
			return nil, noSuchKey(cfg, name)
		}
		if !slices.ContainsFunc(out, func(k config.Key) bool { return k.Name == name }) {
			out = append(out, cfg.Keys[i])
		}
	}
	return out, nil
}

// noSuchKey says which key was likely meant, or which there are.
func noSuchKey(cfg *config.Config, name string) error {
	var known []string
	for _, k := range cfg.Keys {
		known = append(known, k.Name)
	}
	if near, ok := config.Nearest(name, known); ok {
		return usageError{fmt.Errorf("no key named %q in the configuration; did you mean %q?", name, near)}
	}
	return usageError{fmt.Errorf("no key named %q in the configuration; it has %s", name, keyNames(cfg))}
}

// keyNames lists the configuration's keys, as many as one can read.
func keyNames(cfg *config.Config) string {
	const most = 10
	var names []string
	for _, k := range cfg.Keys {
		names = append(names, k.Name)
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// wiring makes the engine's parts out of a configuration.
type wiring struct {
	app        *app
	look       bool // nothing may be changed, not even made
	cfg        *config.Config
	log        *zap.Logger
	workspaces map[string]*rotator.Workspace
	env        *storekind.Environment
	stores     map[config.StoreRef]secretstore.Store // opened, by place
	called     func(workspace string, c instantly.Call)
}

func (a *app) wire(cfg *config.Config, log *zap.Logger, look bool) *wiring {
	return &wiring{
		app: a, look: look, cfg: cfg, log: log,
		workspaces: map[string]*rotator.Workspace{}, env: &storekind.Environment{Owner: cfg.Owner, Now: a.now, ReadOnly: look},
		stores: map[config.StoreRef]secretstore.Store{}, called: func(string, instantly.Call) {},
	}
}

// close ends the connections of the stores. They fail from then on.
func (w *wiring) close() {
	_ = w.env.Close() // nothing is lost by it
}

func (w *wiring) target(ctx context.Context, k config.Key) rotator.Target {
	t := rotator.Target{
		Name:      k.Name,
		Workspace: w.workspace(ctx, k.Workspace),
		Policy: rotator.Policy{
			Owner: w.cfg.Owner, Scopes: k.Scopes, Schedule: k.Schedule, MaxAge: k.MaxAge,
			Jitter: k.Jitter, Apart: k.Apart,
			Grace: k.Grace, Activation: k.ActivationTimeout, Revocation: k.RevocationTimeout,
		},
		Group: k.Group,
	}
	if k.Freeze != nil {
		t.Policy.Freeze = *k.Freeze
	}
	for _, ref := range k.Stores {
		t.Stores = append(t.Stores, rotator.NamedStore{Name: ref.Store, Store: w.store(ctx, ref)})
	}
	for _, after := range k.AfterPromote {
		t.Gates = append(t.Gates, w.gate(k.Name, after))
	}
	return t
}

// store opens one secret in one of the configured stores.
func (w *wiring) store(ctx context.Context, ref config.StoreRef) secretstore.Store {
	if store, ok := w.stores[ref]; ok {
		return store
	}
	store, err := w.cfg.Stores[ref.Store].Settings.Open(ctx, w.env, ref.Secret)
	if err != nil {
		store = unopened{err}
	}
	w.stores[ref] = store
	return store
}

// workspace binds a workspace once, so that its targets share the key list and
// the limiter.
func (w *wiring) workspace(ctx context.Context, name string) *rotator.Workspace {
	if ws, ok := w.workspaces[name]; ok {
		return ws
	}
	cfg := w.cfg.Workspaces[name]
	var api rotator.API
	client, err := w.client(ctx, cfg)
	if api = client; err != nil {
		api = unreachable{err}
	}
	ws := rotator.NewWorkspace(name, api, cfg.OrganizationID)
	w.workspaces[name] = ws
	return ws
}

func (w *wiring) client(ctx context.Context, cfg config.Workspace) (*instantly.Client, error) {
	key, err := w.adminKey(ctx, cfg.AdminKey)
	if err != nil {
		return nil, err
	}
	retries := time.Duration(0) // the client's default
	if w.look {
		retries = 5 * time.Second // a person waits for the answer
	}
	return instantly.NewClient(instantly.Options{
		BaseURL: cfg.BaseURL, AdminKey: key, AsWorkspace: cfg.AsWorkspace, RetryBudget: retries,
		Pacer: instantly.NewPacer(cfg.RequestsPerSecond),
		Observe: func(c instantly.Call) {
			w.called(cfg.Name, c)
			w.log.Debug("api call", zap.String("workspace", cfg.Name), zap.String("method", c.Method),
				zap.String("route", c.Route), zap.Int("status", c.Status), zap.Duration("took", c.Duration))
		},
	})
}

// adminKey reads the key from where the configuration refers to.
func (w *wiring) adminKey(ctx context.Context, ref config.SecretRef) (secret.Value, error) {
	value, err := w.secret(ctx, ref)
	if err != nil {
		return value, fmt.Errorf("%w: %w", errNoAdminKey, err)
	}
	return value, nil
}

// secret reads what the configuration refers to. White space around it is not
// part of it: files end in a newline.
func (w *wiring) secret(ctx context.Context, ref config.SecretRef) (secret.Value, error) {
	var value secret.Value
	var from string
	switch {
	case ref.Env != "":
		value, from = secret.New(strings.TrimSpace(w.app.getenv(ref.Env))), "environment variable "+ref.Env
	case ref.File != "":
		data, err := os.ReadFile(ref.File)
		if err != nil {
			return value, err
		}
		value, from = secret.New(strings.TrimSpace(string(data))), "file "+ref.File
	default:
		return storedSecret(ctx, ref, w.store(ctx, config.StoreRef{Store: ref.Store, Secret: ref.Secret}))
	}
	if value.IsZero() {
		return value, fmt.Errorf("%s is empty or not set", from)
	}
	return value, nil
}

// storedSecret reads what is the current version of a secret.
func storedSecret(ctx context.Context, ref config.SecretRef, st secretstore.Store) (secret.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	value, err := currentValue(ctx, st)
	if err != nil {
		return value, fmt.Errorf("store %s, secret %s: %w", ref.Store, ref.Secret, err)
	}
	return value, nil
}

// currentValue reads what consumers of a store read.
func currentValue(ctx context.Context, st secretstore.Store) (secret.Value, error) {
	snap, err := st.Describe(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	cur, ok := snap.Versions[secretstore.Current]
	if !ok {
		return secret.Value{}, errNoKeyYet
	}
	return st.Read(ctx, cur.ID)
}
