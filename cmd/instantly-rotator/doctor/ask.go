package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// atOnce is how many things are asked about side by side.
const atOnce = 32

// examiner asks.
type examiner struct {
	Options
	conn *fleet.Connections
	// fleet is the engine over conn, with a target for each of Keys.
	fleet *fleet.Fleet

	mu     sync.Mutex
	rates  map[string]instantly.RateLimit // by workspace, the newest
	clocks map[string]time.Duration       // by whose
}

// A question is about one thing; it puts the answer where it belongs in the facts, if it
// comes in time.
type question struct {
	about, what string
	ask         func(context.Context) (put func())
}

func ask(ctx context.Context, o Options) Facts {
	e := &examiner{Options: o, rates: map[string]instantly.RateLimit{}, clocks: map[string]time.Duration{}}
	if e.Waiting == nil {
		e.Waiting = func(string, string, bool) {}
	}
	if e.Keys == nil {
		e.Keys = o.Config.Keys
	}
	e.ReadOnly, e.Called = true, e.called
	e.conn = fleet.Connect(e.Options.Options)
	defer e.conn.Close()
	f := &Facts{Now: o.Now(), Config: o.Config, Warnings: o.Warnings}
	questions := e.questions(ctx, f)
	e.sideBySide(ctx, questions)
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range f.Workspaces {
		f.Workspaces[i].Rate = e.rates[f.Workspaces[i].Name]
	}
	for of, ahead := range e.clocks {
		f.Clocks = append(f.Clocks, Clock{of, ahead})
	}
	return *f
}

// questions opens everything. Stores that give admin keys get half of the time, so that
// the others are still asked.
func (e *examiner) questions(ctx context.Context, f *Facts) []question {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	all := e.workspaces(ctx, f)
	e.fleet = e.conn.Fleet(ctx, e.Keys)
	e.files(f)
	return slices.Concat(all, e.secrets(ctx, f), e.sinks(f), e.senders(f), e.hooks(ctx, f), e.receivers(ctx, f), e.trail(f))
}

// lateness is how long those are waited for who were told that the time is over.
const lateness = 200 * time.Millisecond

// sideBySide asks and waits no longer than ctx. Who has not answered by then may go on
// in vain: some things hang where no context ends them, such as a disk.
func (e *examiner) sideBySide(ctx context.Context, questions []question) {
	free := make(chan struct{}, atOnce)
	answers := make(chan func(), len(questions))
	for _, q := range questions {
		go func() {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			e.Waiting(q.about, q.what, false)
			put := q.ask(ctx)
			e.Waiting(q.about, q.what, true)
			<-free
			answers <- put
		}()
	}
	over := ctx.Done()
	var end <-chan time.Time
	for range questions {
		select {
		case put := <-answers:
			put()
			continue
		case <-over:
			end, over = time.After(lateness), nil
		case <-end:
			return
		}
		select { // the one that was not waited for
		case put := <-answers:
			put()
		case <-end:
			return
		}
	}
}

// called takes what every answer of Instantly says by the way.
func (e *examiner) called(workspace string, c instantly.Call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.RateLimit.Known {
		e.rates[workspace] = c.RateLimit
	}
	if !c.Date.IsZero() {
		e.clock("Instantly", c.Date, e.Now().Add(-c.Duration/2))
	}
}

// clock takes the smallest difference: what is more came from the way. The caller holds
// mu.
func (e *examiner) clock(of string, theirs, ours time.Time) {
	ahead := theirs.Sub(ours)
	if known, ok := e.clocks[of]; !ok || ahead.Abs() < known.Abs() {
		e.clocks[of] = ahead
	}
}

// workspaces asks about those of the targets.
func (e *examiner) workspaces(ctx context.Context, f *Facts) []question {
	var qs []question
	seen := map[string]bool{}
	for _, k := range e.Keys {
		if seen[k.Workspace] {
			continue
		}
		seen[k.Workspace] = true
		f.Workspaces = append(f.Workspaces, Workspace{Workspace: e.Config.Workspaces[k.Workspace], Owner: e.Config.Owner})
	}
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		w.Listed, w.Organized, w.MayDelete, w.MayCreate, w.Scoped = ErrNotAnswered, ErrNotAnswered, ErrNotAnswered, ErrNotAnswered, ErrNotAnswered
		about := "workspace " + w.Name
		const what = "its admin key"
		e.Waiting(about, what, false)
		client, err := e.conn.Client(ctx, w.Name)
		e.Waiting(about, what, true)
		if err != nil {
			w.Opened = err
			w.Listed, w.Organized, w.MayDelete, w.MayCreate, w.Scoped = ErrNotAsked, ErrNotAsked, ErrNotAsked, ErrNotAsked, ErrNotAsked
			continue
		}
		for what, call := range abilities(client) {
			qs = append(qs, question{about, what, func(ctx context.Context) func() {
				put := call(ctx)
				return func() { put(w) }
			}})
		}
	}
	return qs
}

// abilities are what is asked of a workspace, by what it is.
func abilities(c *instantly.Client) map[string]func(context.Context) func(*Workspace) {
	return map[string]func(context.Context) func(*Workspace){
		"list its keys": func(ctx context.Context) func(*Workspace) {
			keys, err := c.Keys(ctx)
			return func(w *Workspace) { w.Keys, w.Listed = withoutValues(keys), timely(ctx, err) }
		},
		"read the workspace": func(ctx context.Context) func(*Workspace) {
			id, err := c.Organization(ctx)
			return func(w *Workspace) { w.Organization, w.Organized = id, timely(ctx, err) }
		},
		"may the admin key delete?": func(ctx context.Context) func(*Workspace) {
			err := c.CheckDelete(ctx)
			return func(w *Workspace) { w.MayDelete = timely(ctx, err) }
		},
		"may the admin key create?": func(ctx context.Context) func(*Workspace) {
			err := c.CheckCreate(ctx)
			return func(w *Workspace) { w.MayCreate = timely(ctx, err) }
		},
		"what else may the admin key do?": func(ctx context.Context) func(*Workspace) {
			scopes, attested, err := c.AttestedScopes(ctx)
			return func(w *Workspace) { w.Scopes, w.Attested, w.Scoped = scopes, attested, timely(ctx, err) }
		},
	}
}

// withoutValues: a list may carry values, and nobody needs them.
func withoutValues(keys []instantly.Key) []instantly.Key {
	out := make([]instantly.Key, len(keys))
	for i, k := range keys {
		out[i] = instantly.Key{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Organization: k.Organization, Created: k.Created}
	}
	return out
}

// timely says of what failed because the time was over that it is not known.
func timely(ctx context.Context, err error) error {
	if err != nil && (ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, instantly.ErrTooLate)) {
		return fmt.Errorf("%w: %w", ErrNotAnswered, err)
	}
	return err
}

// secrets asks about every secret that the configuration refers to.
func (e *examiner) secrets(ctx context.Context, f *Facts) []question {
	for _, k := range e.Keys {
		for i, ref := range k.Stores {
			f.Secrets = append(f.Secrets, Secret{Ref: ref, Role: Target, For: k.Name, Workspace: k.Workspace, Primary: i == 0})
		}
	}
	for _, w := range f.Workspaces {
		if w.AdminTarget == "" { // else it is a target like others
			f.addSecret(w.AdminKey, AdminKey, w.Name)
		}
	}
	for _, r := range e.Config.Notify {
		f.addSecret(r.URL, Address, r.Name)
	}
	var qs []question
	for i := range f.Secrets {
		s := &f.Secrets[i]
		s.Kind = e.Config.Stores[s.Ref.Store].Kind
		s.Described, s.Read, s.Probed = ErrNotAnswered, ErrNotAnswered, ErrNotAnswered
		store, unasked := e.conn.Store(ctx, s.Ref), *s
		qs = append(qs, question{s.about(), "read it, and ask whether it may be written", func(ctx context.Context) func() {
			asked := e.examined(ctx, store, unasked)
			return func() { *s = asked }
		}})
	}
	return qs
}

func (f *Facts) addSecret(ref config.SecretRef, role Role, of string) {
	if ref.Store != "" {
		f.Secrets = append(f.Secrets, Secret{Ref: config.StoreRef{Store: ref.Store, Secret: ref.Secret}, Role: role, For: of})
	}
}

// examined asks one store about one secret.
func (e *examiner) examined(ctx context.Context, store secretstore.Store, s Secret) Secret {
	s.Snapshot, s.Described = store.Describe(ctx)
	if s.Described != nil {
		s.Described, s.Read, s.Probed = timely(ctx, s.Described), ErrNotAsked, ErrNotAsked
		return s
	}
	s.Lost, s.Read = e.lost(ctx, s), nil
	if cur, held := s.Snapshot.Versions[secretstore.Current]; held {
		value, err := store.Read(ctx, cur.ID)
		s.Read = timely(ctx, err)
		if err == nil && cur.Foreign && s.Role == Target {
			s.Tested = e.fleet.Test(ctx, e.target(s), value)
			s.Tested.Err = timely(ctx, s.Tested.Err)
		}
	}
	if inspector, ok := store.(secretstore.Inspector); ok {
		s.Inspected = timely(ctx, inspector.Inspect(ctx))
	}
	prober, ok := store.(secretstore.Prober)
	if !ok || s.Role != Target {
		s.Probed = ErrNotAsked
		return s
	}
	var err error
	s.Probes = true
	s.Writes, err = prober.ProbeWrites(ctx)
	s.Probed = timely(ctx, err)
	if !s.Writes.Clock.IsZero() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.clock("store "+s.Ref.Store, s.Writes.Clock, s.Writes.Asked)
	}
	return s
}

// lost asks the engine about a primary that holds nothing.
func (e *examiner) lost(ctx context.Context, s Secret) error {
	if !s.Primary || len(s.Snapshot.Versions) > 0 {
		return nil
	}
	return timely(ctx, e.fleet.CheckLost(ctx, e.target(s)))
}

// target is the one that a secret is for.
func (e *examiner) target(s Secret) rotator.Target {
	return e.fleet.Targets[slices.IndexFunc(e.fleet.Targets, func(t rotator.Target) bool { return t.Name == s.For })]
}

// hooks asks about what brings consumers to a new key.
func (e *examiner) hooks(ctx context.Context, f *Facts) []question {
	var gates []rotator.Gate
	for _, k := range e.Keys {
		for _, after := range k.AfterPromote {
			gate := e.conn.Gate(ctx, k, after)
			gates = append(gates, gate)
			f.Hooks = append(f.Hooks, Hook{Target: k.Name, Name: gate.Name(), Found: ErrNotAnswered})
		}
	}
	var qs []question
	for i, gate := range gates {
		h := &f.Hooks[i]
		qs = append(qs, question{h.about(), "would it work?", func(ctx context.Context) func() {
			err := timely(ctx, consumers.Check(ctx, gate))
			return func() { h.Found = err }
		}})
	}
	return qs
}

// receivers asks for the URL of each, and whether it is one.
func (e *examiner) receivers(ctx context.Context, f *Facts) []question {
	for _, r := range e.Config.Notify {
		f.Receivers = append(f.Receivers, Receiver{Name: r.Name, URL: r.URL, Found: ErrNotAnswered})
	}
	var qs []question
	for i, r := range e.Config.Notify {
		bound := e.conn.Receiver(ctx, r)
		qs = append(qs, question{"notify." + r.Name, "its URL", func(ctx context.Context) func() {
			err := timely(ctx, notify.Check(ctx, bound))
			return func() { f.Receivers[i].Found = err }
		}})
	}
	return qs
}

// files looks at those that have a secret in them.
func (e *examiner) files(f *Facts) {
	for _, w := range f.Workspaces {
		f.addFile(w.AdminKey.File, "the admin key of workspace "+w.Name)
	}
	for _, r := range e.Config.Notify {
		f.addFile(r.URL.File, "the URL of notify."+r.Name)
	}
}

func (f *Facts) addFile(path, of string) {
	if path == "" {
		return
	}
	file := File{Path: path, Of: of}
	info, err := os.Stat(path)
	if err == nil {
		file.Mode = uint32(info.Mode().Perm())
	}
	file.Found = err
	f.Files = append(f.Files, file)
}
