package gcpsecretmanager_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// id is the secret that most tests work on.
const id = "sending"

const stateKey = "instantly-rotator-state"

// newServer starts a stand-in with one secret that holds nothing.
func newServer(t testing.TB) *gcptest.Server {
	t.Helper()
	server := gcptest.New()
	t.Cleanup(server.Close)
	server.Make(id)
	return server
}

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 2, 3, 4, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// open gives a store that is bound to the secret, as another process has it.
func open(t testing.TB, server *gcptest.Server, change ...func(*gcpsecretmanager.Options)) *gcpsecretmanager.Store {
	t.Helper()
	return openAt(t, server, gcpsecretmanager.Site{}, change...)
}

func openAt(t testing.TB, server *gcptest.Server, site gcpsecretmanager.Site, change ...func(*gcpsecretmanager.Options)) *gcpsecretmanager.Store {
	t.Helper()
	toServer, err := server.ClientOptions()
	if err != nil {
		t.Fatal(err)
	}
	return bound(t, site, toServer, change)
}

// A tap is called before and after each call that a store makes.
type tap func(method string, after bool) error

// openTapped gives a store whose calls go through a tap, and from there to the
// server without a wire.
func openTapped(t testing.TB, server *gcptest.Server, tapped tap, change ...func(*gcpsecretmanager.Options)) *gcpsecretmanager.Store {
	t.Helper()
	toServer, err := server.DirectOptions(gcptest.Tap(tapped))
	if err != nil {
		t.Fatal(err)
	}
	return bound(t, gcpsecretmanager.Site{}, toServer, change)
}

func bound(t testing.TB, site gcpsecretmanager.Site, toServer []option.ClientOption, change []func(*gcpsecretmanager.Options)) *gcpsecretmanager.Store {
	t.Helper()
	o := gcpsecretmanager.Options{Project: gcptest.Project, Secret: id, Owner: "prod"}
	for _, c := range change {
		c(&o)
	}
	s, err := connect(t, site, toServer...).Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// connect gives a client that is closed when the test ends.
func connect(t testing.TB, site gcpsecretmanager.Site, more ...option.ClientOption) *gcpsecretmanager.Client {
	t.Helper()
	c, err := gcpsecretmanager.Connect(t.Context(), site, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func at(c *clock) func(*gcpsecretmanager.Options) {
	return func(o *gcpsecretmanager.Options) { o.Now = c.Now }
}

func describe(t testing.TB, s secretstore.Store) secretstore.Snapshot {
	t.Helper()
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// valueOf is the value that tests store for a key.
func valueOf(key string) secret.Value { return secret.New("value of " + key) }

func version(key string) secretstore.Version {
	return secretstore.Version{ID: key, Account: "org", Intent: secretstore.Intent{Nonce: "nonce-" + key, Grace: time.Hour}}
}

// A write is a call that changes the secret, on a snapshot.
type write struct {
	name string
	call func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error)
}

func annotating(reason string) write {
	return write{"annotate " + reason, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		n := seen.Notes
		n.Failure = secretstore.Failure{Count: 1, Reason: reason}
		return s.Annotate(t.Context(), seen, n)
	}}
}

func reserving(key string) write {
	return write{"reserve " + key, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Annotate(t.Context(), seen, secretstore.Notes{Intent: version(key).Intent})
	}}
}

func staging(key string) write {
	return write{"stage " + key, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(t.Context(), seen, version(key), valueOf(key))
	}}
}

func promoting(key string) write {
	return write{"promote " + key, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(t.Context(), seen, key, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	}}
}

func destroying(key string) write {
	return write{"destroy " + key, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(t.Context(), seen, key)
	}}
}

// write makes writes, one after the other.
func must(t testing.TB, s secretstore.Store, writes ...write) secretstore.Snapshot {
	t.Helper()
	seen := describe(t, s)
	for _, w := range writes {
		next, err := w.call(t, s, seen)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		seen = next
	}
	return seen
}

// held writes a snapshot's stages as "pending/current/previous".
func held(snap secretstore.Snapshot) string {
	var out []string
	for _, stage := range secretstore.Stages() {
		out = append(out, snap.Versions[stage].ID)
	}
	return strings.Join(out, "/")
}

func wantHeld(t testing.TB, s secretstore.Store, want string) {
	t.Helper()
	if got := held(describe(t, s)); got != want {
		t.Errorf("pending/current/previous are %s, want %s", got, want)
	}
}

// wantServed checks what readers of the latest version get; empty for an error.
func wantServed(t testing.TB, server *gcptest.Server, want string) {
	t.Helper()
	if want != "" {
		want = valueOf(want).Reveal()
	}
	if got := server.Served(id, "latest"); got != want {
		t.Errorf("latest serves %q, want %q", got, want)
	}
}

// inject puts a fault into the nth call of a method from now on.
func inject(server *gcptest.Server, method string, nth int, fault gcptest.Fault) {
	server.Before = func(c gcptest.Call) gcptest.Fault {
		if c.Method != method {
			return gcptest.None
		}
		if nth--; nth == 0 {
			return fault
		}
		return gcptest.None
	}
}

// methods lists the calls made while f runs.
func methods(server *gcptest.Server, f func()) []string {
	before := len(server.Calls())
	f()
	var out []string
	for _, c := range server.Calls()[before:] {
		out = append(out, c.Method)
	}
	return out
}

// editState changes the state in a secret's annotation by hand.
func editState(t testing.TB, server *gcptest.Server, secretID string, change func(st map[string]any)) {
	t.Helper()
	server.Edit(secretID, func(sec *secretmanagerpb.Secret) {
		var st map[string]any
		if err := json.Unmarshal([]byte(sec.GetAnnotations()[stateKey]), &st); err != nil {
			t.Fatal(err)
		}
		change(st)
		raw, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		sec.Annotations[stateKey] = string(raw)
	})
}

// forgetPromoted loses the promotion times.
func forgetPromoted(t testing.TB, server *gcptest.Server, secretID string) {
	t.Helper()
	editState(t, server, secretID, func(st map[string]any) {
		for _, v := range st["versions"].([]any) {
			delete(v.(map[string]any), "promoted")
		}
	})
}

// announces tells whether a call announces a version.
func announces(c gcptest.Call) bool {
	req, ok := c.Request.(*secretmanagerpb.UpdateSecretRequest)
	return ok && strings.Contains(req.GetSecret().GetAnnotations()[stateKey], `"adding":`)
}
