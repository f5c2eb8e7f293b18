package places_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio/composiotest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

var rotations = flag.Int("places.rotations", 2, "how often the key is rotated")

// latency of each call.
const latency = 20 * time.Millisecond

// place is where a consumer reads the key.
type place struct {
	name string
	read func() string
	// uses of the key by its consumer, those that were refused, and those that were held
	// up for as long as the grace period, which prove nothing.
	used, failed, slow atomic.Int64
}

// world has the stand-ins of all services, in the test's process, and the consumers.
type world struct {
	*testing.T
	box     *sandbox.Server
	at      addresses
	primary secretstore.Store
	places  []*place
	foreign map[string]bool // ids of keys that are nobody's of ours
	said    atomic.Value    // by the last process
	vault   string          // what stands for it
	wrong   sync.Map
}

func newWorld(t *testing.T) *world {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	w := &world{T: t, foreign: map[string]bool{}}
	w.box = sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}})
	space := w.box.Workspaces()[0]
	for _, k := range w.box.Keys(space.ID) {
		w.foreign[k.ID] = true
	}
	amazon, cluster, vault := awstest.New(nil), kubetest.New(namespace), startVault(t)
	project, hub := &composiotest.Server{Works: w.works}, githubtest.New()
	project.Connect(account, "Sales", "BEARER_TOKEN", map[string]string{"token": "what was there before"})
	dir := t.TempDir()
	w.at = addresses{
		Sandbox: w.serve(w.box), AdminKey: space.AdminKey.Reveal(), Workspace: space.ID,
		AWS: w.serve(amazon), Vault: w.serve(vault.proxy()), Composio: w.serve(project), GitHub: w.serve(hub),
		Kubeconfig: write(t, dir, "kubeconfig", fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here,
  clusters: [{name: here, cluster: {server: %q}}], users: [{name: me, user: {token: t}}],
  contexts: [{name: here, context: {cluster: here, user: me, namespace: %s}}]}`, w.serve(cluster), namespace)),
		TokenFile: write(t, dir, "token", vaulttest.RootToken), Rotate: true,
	}
	w.primary, w.vault = w.at.primary(t), vault.is
	w.places = []*place{
		{name: "aws", read: func() string { value, _ := amazon.Value(target, "AWSCURRENT"); return value }},
		{name: "kubernetes", read: func() string { return cluster.Served(namespace, target, "api-key") }},
		{name: "vault", read: vault.read},
		{name: "composio", read: func() string { return project.Credential(account, "token") }},
		{name: "github", read: func() string {
			if s := hub.Secret("/repos/acme/web/actions/secrets/INSTANTLY_KEY"); s != nil {
				return s.Value
			}
			return ""
		}},
	}
	return w
}

func (w *world) serve(h http.Handler) string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		time.Sleep(latency) // a rotation takes a while to kill it in
		h.ServeHTTP(rw, r)
	}))
	w.Cleanup(s.Close)
	return s.URL
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// works tells whether a key is accepted.
func (w *world) works(key string) bool {
	for _, k := range w.box.Keys(w.at.Workspace) {
		if k.Value.Reveal() == key {
			return k.Alive(time.Now())
		}
	}
	return false
}

// start begins a process that rotates; what it gives kills it.
func (w *world) start() (kill func()) {
	at, err := json.Marshal(w.at)
	if err != nil {
		w.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), addressesVar+"="+string(at))
	if *binary != "" {
		cmd = w.at.daemon(w.T)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	var once sync.Once
	kill = func() {
		once.Do(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); w.said.Store(said.String()) })
	}
	w.Cleanup(kill)
	return kill
}

// ours are the keys that were issued, and those that live beside the current one.
func (w *world) ours() (issued, others int) {
	current := w.places[0].read()
	for _, k := range w.box.Keys(w.at.Workspace) {
		if w.foreign[k.ID] {
			continue
		}
		if issued++; k.Alive(time.Now()) && k.Value.Reveal() != current {
			others++
		}
	}
	return issued, others
}

// alike tells whether all places have one key.
func (w *world) alike() bool {
	first := w.places[0].read()
	for _, p := range w.places {
		if p.read() != first {
			return false
		}
	}
	return first != ""
}

// amid tells whether a rotation is under way, or a key not everywhere yet.
func (w *world) amid() bool {
	snap, err := w.primary.Describe(w.Context())
	if err != nil {
		w.Errorf("the primary cannot be read after a kill: %v", err)
	}
	_, pending := snap.Versions[secretstore.Pending]
	return pending || !snap.Notes.Intent.IsZero() || !w.alike()
}

func (w *world) await(what string, check func() bool) {
	w.Helper()
	const limit = 2 * time.Minute
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if check() {
			return
		}
	}
	w.Fatalf("not within %s: %s", limit, what)
}

// consume reads and uses the key of a place until ctx ends.
func (w *world) consume(ctx context.Context, p *place) {
	for ; ctx.Err() == nil; time.Sleep(30 * time.Millisecond) {
		begun := time.Now()
		status, err := w.use(p.read())
		switch {
		case time.Since(begun) >= grace:
			p.slow.Add(1)
		case err != nil || status != http.StatusOK:
			p.failed.Add(1)
			w.wrong.Store(fmt.Sprintf("%s: status %d, error %v", p.name, status, err), true)
		default:
			p.used.Add(1)
		}
	}
}

func (w *world) use(key string) (status int, err error) {
	req, err := http.NewRequest(http.MethodGet, w.at.Sandbox+"/api/v2/campaigns?limit=1", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("User-Agent", "consumer")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// TestNoConsumerIsRefusedWhereverItReadsTheKey: AWS is the primary, Kubernetes and Vault
// follow it, Composio and GitHub are sinks. The process that rotates is killed at random
// instants, and another one goes on.
func TestNoConsumerIsRefusedWhereverItReadsTheKey(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while: a key is rotated and the process killed for many seconds")
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	w, begun := newWorld(t), time.Now()
	kill := w.start()
	defer func() {
		if t.Failed() {
			kill()
			t.Logf("seed %d; the last process said:\n%s", seed, w.said.Load())
		}
	}()
	w.await("all places have the first key", w.alike)
	kill()

	consuming, stop := context.WithCancel(t.Context())
	defer stop()
	var consumers sync.WaitGroup
	for _, p := range w.places {
		consumers.Go(func() { w.consume(consuming, p) })
	}
	kills, amid := 0, 0
	w.await("it was rotated often enough, and killed meanwhile", func() bool {
		kill = w.start()
		time.Sleep(100*time.Millisecond + time.Duration(random.Int64N(int64(1500*time.Millisecond))))
		kill()
		kills++
		if w.amid() {
			amid++
		}
		issued, _ := w.ours()
		return issued > *rotations && amid >= min(3, *rotations)
	})
	w.at.Rotate = false // what was begun is finished, and no more is begun
	kill = w.start()
	w.await("all places have one key, and no other lives", func() bool { _, others := w.ours(); return others == 0 && w.alike() && !w.amid() })
	kill()
	stop()
	consumers.Wait()
	issued, others := w.ours()
	var uses []string
	for _, p := range w.places {
		uses = append(uses, fmt.Sprintf("%s %d/%d", p.name, p.used.Load(), p.failed.Load()))
		if p.used.Load() == 0 {
			t.Errorf("the consumer behind %s never used a key: this shows nothing", p.name)
		}
	}
	t.Logf("seed %d: %d keys issued, %d kills in %s, %d of them amid a rotation; requests/refused: %s; keys left over: %d; vault: %s",
		seed, issued, kills, time.Since(begun).Round(time.Second), amid, strings.Join(uses, ", "), others, w.vault)
	w.wrong.Range(func(complaint, _ any) bool { t.Error(complaint); return true })
}
