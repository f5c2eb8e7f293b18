package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// atOnce is how many things are asked about side by side.
const atOnce = 32

// gatherer asks.
type gatherer struct {
	Options
	conn *fleet.Connections
	free chan struct{} // has room for each thing that may be asked about
}

// gather finds everything out, within the timeout; then it scans, however long that takes.
func gather(ctx context.Context, o Options) (*Facts, error) {
	g := &gatherer{Options: o, free: make(chan struct{}, atOnce)}
	if g.Waiting == nil {
		g.Waiting = func(string, string, bool) {}
	}
	g.ReadOnly = true
	g.conn = fleet.Connect(g.Options.Options)
	defer g.conn.Close()
	f := &Facts{Now: o.Now(), Config: o.Config, Since: o.Since, Probed: o.ProbeWebhooks}
	if f.Since.IsZero() {
		f.Since = f.Now.Add(-lately)
	}
	g.ask(ctx, f)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var values []secret.Value
	for _, v := range f.Values {
		values = append(values, v.Value)
	}
	f.Set = scan.NewSet(values)
	if o.Scan == nil {
		return f, nil
	}
	r, err := scan.Search(ctx, f.Set, g.scanOptions())
	f.Scan = &r
	return f, err
}

// scanOptions leave out the files in which the configuration says that an admin key is.
func (g *gatherer) scanOptions() scan.Options {
	o := *g.Scan
	for _, w := range g.Config.Workspaces {
		if w.AdminKey.File != "" {
			o.Skip = append(o.Skip, w.AdminKey.File)
		}
	}
	return o
}

func (g *gatherer) ask(ctx context.Context, f *Facts) {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	clients := g.clients(ctx, f)
	fl := g.conn.Fleet(ctx, g.Config.Keys)
	var all sync.WaitGroup
	for i := range f.Workspaces {
		if clients[i] != nil {
			all.Go(func() { g.workspace(ctx, &f.Workspaces[i], clients[i], f.Now) })
		}
	}
	var inventories []rotator.Inventory
	all.Go(func() {
		g.Waiting("the targets", "their stores, and the key list", false)
		defer g.Waiting("the targets", "their stores, and the key list", true)
		statuses := fl.Glance(ctx, fl.Targets, rotator.Request{})
		for i, s := range statuses {
			f.Targets = append(f.Targets, Target{g.Config.Keys[i], s})
		}
		inventories = fl.Inventory(ctx, fl.Targets, statuses)
	})
	all.Wait()
	for i := range f.Workspaces {
		sortKeys(&f.Workspaces[i], f.Targets, inventories)
	}
	g.values(ctx, f, fl)
}

// clients opens the workspaces that are judged; nil for one that cannot be. Stores that
// give admin keys have half of the time, so that the others are still asked.
func (g *gatherer) clients(ctx context.Context, f *Facts) []*instantly.Client {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout/2)
	defer cancel()
	var clients []*instantly.Client
	for _, name := range workspacesOf(g.Config, g.Workspace) {
		about := "workspace " + name
		g.Waiting(about, "its admin key", false)
		client, err := g.conn.Client(ctx, name)
		g.Waiting(about, "its admin key", true)
		w := Workspace{Workspace: g.Config.Workspaces[name]}
		if err != nil {
			client = nil
			w.Keys = knownAs[[]Key](nil, err)
		}
		f.Workspaces, clients = append(f.Workspaces, w), append(clients, client)
	}
	return clients
}

// answered asks one thing, and waits no longer than ctx: some things hang where no
// context ends them, such as a disk.
func answered[T any](ctx context.Context, g *gatherer, about, what string, ask func(context.Context) (T, error)) Known[T] {
	got := make(chan Known[T], 1)
	go func() {
		select {
		case g.free <- struct{}{}:
			defer func() { <-g.free }()
		case <-ctx.Done():
			return
		}
		g.Waiting(about, what, false)
		value, err := ask(ctx)
		g.Waiting(about, what, true)
		if err != nil && (ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, instantly.ErrTooLate)) {
			err = fmt.Errorf("%w: %w", ErrNotAnswered, err)
		}
		got <- knownAs(value, err)
	}()
	select {
	case k := <-got:
		return k
	case <-ctx.Done():
	}
	const lateness = 200 * time.Millisecond // for the errors of those who were told that the time is over
	late := time.NewTimer(lateness)
	defer late.Stop()
	select {
	case k := <-got:
		return k
	case <-late.C:
		var none T
		return knownAs(none, ErrNotAnswered)
	}
}

// workspace asks Instantly about one.
func (g *gatherer) workspace(ctx context.Context, w *Workspace, c *instantly.Client, now time.Time) {
	about := "workspace " + w.Name
	var all sync.WaitGroup
	all.Go(func() {
		w.Keys = answered(ctx, g, about, "its keys", func(ctx context.Context) ([]Key, error) {
			listed, err := c.Keys(ctx)
			var keys []Key
			for _, k := range listed {
				k.Secret = secret.Value{} // a list may carry values, and nobody needs them
				keys = append(keys, Key{Key: k})
			}
			return keys, err
		})
	})
	all.Go(func() {
		w.Scopes = answered(ctx, g, about, "what its admin key may do", func(ctx context.Context) (AdminScopes, error) {
			scopes, attested, err := c.AttestedScopes(ctx)
			return AdminScopes{scopes, attested}, err
		})
	})
	all.Go(func() { g.surround(ctx, w, c, now) })
	all.Wait()
}

// sortKeys tells whose each key is.
func sortKeys(w *Workspace, targets []Target, inventories []rotator.Inventory) {
	keys, err := w.Keys.Get()
	if err != nil {
		return
	}
	class := map[string]Class{}
	w.Unsorted = ErrNotAsked
	if !slices.ContainsFunc(targets, func(t Target) bool { return t.Workspace == w.Name }) {
		w.Unsorted = nil // nothing of it is ours
		for _, k := range keys {
			class[k.ID] = Stranger
		}
	}
	for _, inv := range inventories {
		if inv.Workspace != w.Name {
			continue
		}
		w.Unsorted = inv.Err
		for _, k := range inv.Lost {
			class[k.ID] = Lost
		}
		for _, k := range inv.Away { // they are among the lost ones, too
			class[k.ID] = Away
		}
		for _, k := range inv.Strangers {
			class[k.ID] = Stranger
		}
	}
	of := map[string]*Target{}
	for i := range targets {
		t := &targets[i]
		if err := unreadable(t.Status); err != nil && t.Workspace == w.Name {
			w.Unsorted = fmt.Errorf("target %s: %w", t.Name, err)
		}
		for _, id := range t.Status.Orphans {
			class[id], of[id] = Orphan, t
		}
		for _, old := range t.Status.Old { // those that a store has a version of are sorted below
			class[old.ID], of[old.ID] = Orphan, t
		}
		for _, st := range t.Status.Stores {
			for _, v := range st.Versions {
				class[v.ID], of[v.ID] = Managed, t
			}
		}
	}
	slices.SortFunc(keys, func(x, y Key) int { return strings.Compare(x.Name+"\x00"+x.ID, y.Name+"\x00"+y.ID) })
	named := map[string]int{}
	for _, k := range keys {
		named[k.Name]++
	}
	for i := range keys {
		k := &keys[i]
		k.Class, k.Target = class[k.ID], of[k.ID]
		if k.Class == Unsorted && w.Unsorted == nil {
			k.Class = Making
		}
		if w.Unsorted != nil && k.Class != Managed {
			k.Class = Unsorted
		}
		k.Current = k.Target != nil && k.Target.Status.Current != nil && k.Target.Status.Current.ID == k.ID
		k.subject = "key " + k.Name
		if named[k.Name] > 1 {
			k.subject += " (" + k.ID + ")"
		}
	}
}

// unreadable is why the versions of a target are not all known.
func unreadable(s rotator.TargetStatus) error {
	for _, st := range s.Stores {
		if st.Err != nil {
			return fmt.Errorf("store %s: %w", st.Name, st.Err)
		}
	}
	return nil
}

// values reads what is managed, and what manages: of previous and pending ones only where
// they are searched for.
func (g *gatherer) values(ctx context.Context, f *Facts, fl *fleet.Fleet) {
	var mu sync.Mutex
	var all sync.WaitGroup
	read := func(s Stored, ask func(context.Context) (secret.Value, error)) {
		all.Go(func() {
			k := answered(ctx, g, s.Of, "its value", ask)
			value, err := k.Get()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				f.Unread = append(f.Unread, Unread{s.Of, s.Workspace, err})
				return
			}
			s.Value = value
			f.Values = append(f.Values, s)
		})
	}
	for i, t := range f.Targets {
		for j, st := range t.Status.Stores {
			s := Stored{Of: "target " + t.Name, Workspace: t.Workspace, Target: t.Name, Store: t.Stores[j].Store, Secret: t.Stores[j].Secret}
			if st.Err != nil {
				mu.Lock()
				f.Unread = append(f.Unread, Unread{s.Of, s.Workspace, fmt.Errorf("store %s: %w", st.Name, st.Err)})
				mu.Unlock()
				continue
			}
			store := fl.Targets[i].Stores[j].Store
			for stage, v := range st.Versions {
				if g.Scan == nil && stage != secretstore.Current {
					continue
				}
				s.Stage, s.KeyID = stage, v.ID
				if v.Foreign {
					s.KeyID = ""
				}
				read(s, func(ctx context.Context) (secret.Value, error) { return store.Read(ctx, v.ID) })
			}
		}
	}
	all.Wait()
	g.adminValues(ctx, read)
	all.Wait()
	slices.SortFunc(f.Values, compareStored)
	slices.SortFunc(f.Unread, func(x, y Unread) int { return strings.Compare(x.Of, y.Of) })
}

// adminValues reads the admin keys that are no targets, each once.
func (g *gatherer) adminValues(ctx context.Context, read func(Stored, func(context.Context) (secret.Value, error))) {
	seen := map[config.SecretRef]bool{}
	for _, name := range workspacesOf(g.Config, "") {
		w := g.Config.Workspaces[name]
		if w.AdminTarget != "" || seen[w.AdminKey] {
			continue
		}
		seen[w.AdminKey] = true
		s := Stored{Of: "the admin key of workspace " + name, Workspace: name, Store: w.AdminKey.Store, Secret: w.AdminKey.Secret, Stage: secretstore.Current}
		value, err := g.conn.Secret(ctx, w.AdminKey) // connections are for one goroutine
		read(s, func(context.Context) (secret.Value, error) { return value, err })
	}
}

func compareStored(x, y Stored) int {
	return strings.Compare(x.Of+"\x00"+x.Store+"\x00"+string(x.Stage), y.Of+"\x00"+y.Store+"\x00"+string(y.Stage))
}
