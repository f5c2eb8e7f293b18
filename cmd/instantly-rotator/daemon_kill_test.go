package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	instantlysandbox "github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// A site is where a daemon is killed: twenty targets in some workspaces, which
// rotate every few seconds, and a consumer of each who reads and uses its key all
// the time. Instantly and the consumers are in the test's process.
type site struct {
	*testing.T
	box     *instantlysandbox.Server
	url     string
	dir     string
	stores  []secretstore.Store
	foreign map[string]bool // ids of keys that are nobody's of ours
	spaces  int
	// vault is where everything is kept, as YAML; adminSchedule is when the admin keys are
	// rotated, which are kept there too, behind the targets in stores; empty if they are in
	// the environment.
	vault, adminSchedule string
	env                  []string

	used, slow, failed atomic.Int64 // uses of a key by consumers
	complaints         sync.Map
}

const (
	siteTargets = 20
	siteGrace   = time.Second
)

// localVault is the store in a folder of the site's.
const localVault = "{kind: file, path: ./store}"

func newSite(t *testing.T, spaces int, vault string) *site {
	t.Helper()
	o := instantlysandbox.Options{RateLimit: instantlysandbox.RateLimit{PerSecond: -1, PerMinute: -1}}
	for i := range spaces {
		o.Workspaces = append(o.Workspaces, instantlysandbox.Workspace{ID: fmt.Sprintf("0193a7c2-0000-7000-8000-%012d", i), Name: fmt.Sprint("space ", i)})
	}
	s := &site{T: t, box: instantlysandbox.New(o), dir: t.TempDir(), foreign: map[string]bool{}, spaces: spaces, vault: vault}
	s.box.SetFaults(instantlysandbox.Faults{Latency: 30 * time.Millisecond}) // a rotation takes a while to kill it in
	s.url = newLoopbackServer(t, s.guarded(s.box))
	for _, w := range s.box.Workspaces() {
		k, err := s.box.AddKey(w.ID, "somebody else's", "leads:read")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range append(s.box.Keys(w.ID), k) {
			s.foreign[k.ID] = true
		}
	}
	s.configure("@every 1s")
	return s
}

// open opens the secrets of that many targets, whose names begin so, as their consumers
// do.
func (s *site) open(name string, n int) {
	s.Helper()
	cfg, _, err := config.Load(filepath.Join(s.dir, "config.yaml"))
	if err != nil {
		s.Fatal(err)
	}
	env := &storekind.Environment{Owner: cfg.Owner, Now: time.Now, ReadOnly: true}
	s.Cleanup(func() { _ = env.Close() })
	for i := range n {
		st, err := cfg.Stores["vault"].Settings.Open(s.Context(), env, fmt.Sprint(name, i))
		if err != nil {
			s.Fatal(err)
		}
		s.stores = append(s.stores, st)
	}
}

// configure writes the configuration.
func (s *site) configure(schedule string) {
	s.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "resync: 1s\nlease: 0s\nstores: {vault: %s}\nworkspaces:\n", s.vault)
	for i := range s.spaces {
		fmt.Fprintf(&b, "  space-%d: {admin_key: %s, base_url: %q, requests_per_second: 100}\n", i, s.adminKey(i, schedule), s.url)
	}
	b.WriteString("keys:\n")
	for i := range siteTargets {
		fmt.Fprintf(&b, "  - {name: key-%d, workspace: space-%d, scopes: [campaigns:read], schedule: %q, grace_period: %s, max_age: 200d, stores: [{store: vault}]}\n",
			i, i%s.spaces, schedule, siteGrace)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "config.yaml"), []byte(b.String()), 0o600); err != nil {
		s.Fatal(err)
	}
}

// adminKey says where a workspace's admin key is.
func (s *site) adminKey(i int, schedule string) string {
	if s.adminSchedule == "" {
		return fmt.Sprintf("{env: ADMIN_%d}", i)
	}
	if schedule != "@yearly" {
		schedule = s.adminSchedule
	}
	return fmt.Sprintf("{store: vault, secret: admin-%d, rotate: {schedule: %q, grace_period: %s, max_age: 200d}}", i, schedule, siteGrace)
}

// guarded stands before Instantly: no key may revoke itself.
func (s *site) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/api/v2/api-keys/"); ok && r.Method == http.MethodDelete {
			for _, space := range s.box.Workspaces() {
				for _, k := range s.box.Keys(space.ID) {
					if k.ID == id && r.Header.Get("Authorization") == "Bearer "+k.Value.Reveal() {
						s.complaints.Store("key "+id+" revoked itself", true)
					}
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// daemon starts the daemon.
func (s *site) daemon() *daemonProcess {
	s.Helper()
	l := &lab{T: s.T, dir: s.dir, box: &sandboxProcess{}, env: s.env}
	d := &daemonProcess{lab: l, log: &diagnosis{}, command: l.command("daemon", "--listen", "")}
	d.Stderr = d.log
	for i, w := range s.box.Workspaces() {
		d.Env = append(d.Env, fmt.Sprintf("ADMIN_%d=%s", i, w.AdminKey.Reveal()))
	}
	if err := d.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(d.kill)
	return d
}

// value is what the consumers of a target read now.
func (s *site) value(i int) (secret.Value, error) {
	snap, err := s.stores[i].Describe(s.Context())
	if err != nil {
		return secret.Value{}, err
	}
	return s.stores[i].Read(s.Context(), snap.Versions[secretstore.Current].ID)
}

// consume reads and uses a target's key until ctx ends. One that was held up for
// as long as the grace period, between its reading and its use, proves nothing.
func (s *site) consume(ctx context.Context, i int) {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		begun := time.Now()
		value, err := s.value(i)
		status := 0
		if err == nil {
			status, err = s.use(i, value)
		}
		switch {
		case ctx.Err() != nil:
		case time.Since(begun) >= siteGrace:
			s.slow.Add(1)
		case err != nil || status != http.StatusOK:
			s.failed.Add(1)
			s.complaints.Store(fmt.Sprintf("key-%d: status %d, error %v", i, status, err), true)
		default:
			s.used.Add(1)
		}
	}
}

func (s *site) use(i int, value secret.Value) (status int, err error) {
	path := "/api/v2/campaigns?limit=1"
	if i >= siteTargets {
		path = "/api/v2/workspaces/current" // it is an admin key
	}
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+value.Reveal())
	req.Header.Set("User-Agent", "consumer")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// midway counts the targets with a rotation under way.
func (s *site) midway() (n int) {
	for _, st := range s.stores {
		snap, err := st.Describe(s.Context())
		if err != nil {
			s.Errorf("a store cannot be read after a kill: %v", err)
		}
		if _, pending := snap.Versions[secretstore.Pending]; pending || !snap.Notes.Intent.IsZero() {
			n++
		}
	}
	return n
}

// orphans gives our living keys that are not some target's current key, and how
// many keys of ours there ever were.
func (s *site) orphans() (left []string, ever int) {
	current := map[string]bool{}
	for _, st := range s.stores {
		snap, err := st.Describe(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		current[snap.Versions[secretstore.Current].ID] = true
	}
	for _, w := range s.box.Workspaces() {
		for _, k := range s.box.Keys(w.ID) {
			if s.foreign[k.ID] {
				continue
			}
			if ever++; k.Alive(time.Now()) && !current[k.ID] {
				left = append(left, k.Name)
			}
		}
	}
	return left, ever
}

// await waits until check is content.
func (s *site) await(what string, check func() bool) {
	s.Helper()
	for end := time.Now().Add(2 * waitLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if check() {
			return
		}
	}
	s.Fatalf("not within %s: %s", 2*waitLimit, what)
}

// TestDaemonKilledAtRandomInstants kills the daemon with SIGKILL, again and again,
// while it rotates twenty targets. No consumer ever reads a key that does not
// work, nobody else's key is touched, and in the end no key is left over.
func TestDaemonKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 30
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	s, begun := newSite(t, 4, localVault), time.Now()
	s.open("key-", siteTargets)
	first := s.daemon()
	s.await("every target has a key", func() bool {
		for i := range s.stores {
			if _, err := s.value(i); err != nil {
				return false
			}
		}
		return true
	})
	first.kill()

	consuming, stop := context.WithCancel(t.Context())
	var consumers sync.WaitGroup
	for i := range s.stores {
		consumers.Go(func() { s.consume(consuming, i) })
	}
	amid, midway, least := 0, 0, kills
	telling := func() bool { // kills, and keys: else nothing was shown
		_, ever := s.orphans()
		return amid >= least/20 && ever >= siteTargets+least/4
	}
	for kills = 0; kills < least || kills < 4*least && !telling(); kills++ { // on a slow machine there are more
		d := s.daemon()
		if random.IntN(4) > 0 { // else it may be killed while it starts, too
			d.logged(`"msg":"(started)"`)
		}
		time.Sleep(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
		d.kill()
		if n := s.midway(); n > 0 {
			amid++
			midway += n
		}
	}

	s.configure("@yearly") // what was begun is finished, and no more is begun
	last := s.daemon()
	s.await("the rotations that were begun are finished, and the old keys gone", func() bool {
		left, _ := s.orphans()
		return len(left) == 0 && s.midway() == 0
	})
	last.kill()
	stop()
	consumers.Wait()
	_, ever := s.orphans()
	t.Logf("seed %d: %d kills in %s, %d of them amid rotations (%d in all); %d keys issued; consumers used theirs %d times, %d of them failed (%d too slow to tell); keys left over: 0",
		seed, kills, time.Since(begun).Round(time.Second), amid, midway, ever, s.used.Load(), s.failed.Load(), s.slow.Load())
	s.complaints.Range(func(complaint, _ any) bool {
		t.Error("a consumer's request failed: ", complaint)
		return true
	})
	if !telling() {
		t.Errorf("%d kills came amid rotations, and %d keys were issued: this shows nothing", amid, ever)
	}
	for id := range s.foreign {
		if !s.alive(id) {
			t.Errorf("somebody else's key %s was revoked", id)
		}
	}
}

func (s *site) alive(id string) bool {
	for _, w := range s.box.Workspaces() {
		for _, k := range s.box.Keys(w.ID) {
			if k.ID == id {
				return k.Alive(time.Now())
			}
		}
	}
	return false
}
