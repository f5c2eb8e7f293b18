package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
)

// A plan says what site to make.
type plan struct {
	targets, perSpace int
	// requests a second are what a workspace allows, and what the rotator is told
	// to keep to. 0: it allows any number, and the rotator makes 100.
	requests int
	latency  time.Duration // of Instantly
	// age of the keys: 100 days and more are due.
	age time.Duration
	// concurrency of the targets of a workspace; 0 for what the configuration
	// leaves to the rotator.
	concurrency int
	// memory is where the stores are, instead of on the disk.
	memory bool
	// trail: what is done is recorded.
	trail bool
}

// overdue is an age at which every key is due.
const overdue = 100 * 24 * time.Hour

// across counts the workspaces.
func (p plan) across() int { return (p.targets + p.perSpace - 1) / p.perSpace }

// allowed is the rate that the rotator is told.
func (p plan) allowed() int {
	if p.requests == 0 {
		return 100
	}
	return p.requests
}

// A site is what a rotator is run on.
type site struct {
	plan
	dir    string
	box    *sandbox.Server
	meter  *meter
	server *http.Server
	url    string
	held   []string // the key that each target had at first
}

func (s *site) close() {
	_ = s.server.Close()
	if s.memory {
		_ = os.RemoveAll(s.dir)
	}
}

// prepare makes workspaces, keys and stores such as a rotator leaves them, and the
// configuration.
func (b *bench) prepare(ctx context.Context, p plan) (*site, error) {
	dir, err := b.folder(p.memory)
	if err != nil {
		return nil, err
	}
	o := sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}}
	if p.requests > 0 {
		o.RateLimit.PerSecond = p.requests
	}
	for i := range p.across() {
		o.Workspaces = append(o.Workspaces, sandbox.Workspace{ID: fmt.Sprintf("0193a7c2-0000-7000-8000-%012d", i), Name: fmt.Sprint("space ", i)})
	}
	s := &site{plan: p, dir: dir, box: sandbox.New(o), held: make([]string, p.targets)}
	s.box.SetFaults(sandbox.Faults{Latency: p.latency})
	s.meter = newMeter(s.box, p.across())
	if err := s.serve(ctx); err != nil {
		return nil, err
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	return s, s.eachTarget(func(i int) error { return s.stock(ctx, i, o.Workspaces[i/p.perSpace].ID) })
}

func (s *site) serve(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s.meter, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "bench: sandbox:", err)
		}
	}()
	return nil
}

// eachTarget does something for all of them, several at once: they wait for the
// disk.
func (s *site) eachTarget(do func(i int) error) error {
	const atOnce = 32
	errs := make([]error, atOnce)
	var hands sync.WaitGroup
	for hand := range atOnce {
		hands.Go(func() {
			for i := hand; i < s.targets && errs[hand] == nil; i += atOnce {
				errs[hand] = do(i)
			}
		})
	}
	hands.Wait()
	return errors.Join(errs...)
}

// store opens a target's store.
func (s *site) store(i int) (*filestore.Store, error) {
	return filestore.Open(filestore.Options{
		Dir: filepath.Join(s.dir, "store", fmt.Sprint("key-", i)), Identity: filepath.Join(s.dir, "store", "identity"),
	})
}

// stock puts a key into a target's store, as the engine does.
func (s *site) stock(ctx context.Context, i int, workspace string) error {
	scopes := []string{"campaigns:read"}
	key, err := s.box.AddKey(workspace, fmt.Sprintf("instantly-rotator/key-%d/made/before", i), scopes...)
	if err != nil {
		return err
	}
	s.held[i] = key.ID
	store, err := s.store(i)
	if err != nil {
		return err
	}
	seen, err := store.Describe(ctx)
	if err != nil {
		return err
	}
	at := time.Now().Add(-s.age)
	version := secretstore.Version{ID: key.ID, Account: workspace, Intent: secretstore.Intent{
		Nonce: "before", At: at, Spec: secretstore.Spec(strings.Join(scopes, ",")), Grace: 24 * time.Hour,
	}}
	if seen, err = store.Stage(ctx, seen, version, key.Value); err != nil {
		return err
	}
	_, err = store.Promote(ctx, seen, key.ID, at)
	return err
}

// configure writes the configuration and the admin keys.
func (s *site) configure() error {
	var b strings.Builder
	fmt.Fprintf(&b, "stores: {local: {kind: file, path: ./store}}\n")
	if s.concurrency > 0 {
		fmt.Fprintf(&b, "concurrency: %d\n", s.concurrency)
	}
	if s.trail {
		fmt.Fprintf(&b, "trail: {dir: ./trail}\n")
	}
	b.WriteString("workspaces:\n")
	for i := range s.across() {
		fmt.Fprintf(&b, "  space-%d: {admin_key: {env: ADMIN_%d}, base_url: %q, requests_per_second: %d}\n", i, i, s.url+place(i), s.allowed())
	}
	b.WriteString("keys:\n")
	for i := range s.targets {
		fmt.Fprintf(&b, "  - {name: key-%d, workspace: space-%d, scopes: [campaigns:read], stores: [{store: local}], schedule: \"@every 90d\"}\n", i, i/s.perSpace)
	}
	return os.WriteFile(filepath.Join(s.dir, "config.yaml"), []byte(b.String()), 0o600)
}

// environment has the admin keys.
func (s *site) environment() []string {
	env := os.Environ()
	for i, w := range s.box.Workspaces() {
		env = append(env, fmt.Sprintf("ADMIN_%d=%s", i, w.AdminKey.Reveal()))
	}
	return env
}

// rotated counts the targets of the workspaces whose stores have a new current
// key, by the stores.
func (s *site) rotated(ctx context.Context) ([]int, error) {
	var mu sync.Mutex
	counts := make([]int, s.across())
	err := s.eachTarget(func(i int) error {
		store, err := s.store(i)
		if err != nil {
			return err
		}
		seen, err := store.Describe(ctx)
		if err != nil {
			return err
		}
		if cur, ok := seen.Versions[secretstore.Current]; ok && cur.ID != s.held[i] {
			mu.Lock()
			defer mu.Unlock()
			counts[i/s.perSpace]++
		}
		return nil
	})
	return counts, err
}
