package audit_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// world is a workspace in which there is nothing to be found, until faults are planted:
// two targets, and an admin key that is rotated, in a local store.
type world struct {
	*testing.T
	dir string
	api *sandbox.Server
	ago time.Duration // by how much the sandbox's clock is behind

	// The configuration, in parts.
	apiURL, workspace, adminKey, sending, reporting, more string
	scan                                                  *scan.Options
	env                                                   map[string]string
	probe                                                 bool
	receiver                                              *httptest.Server // of webhooks; refuses what lacks the secret
}

// adminScopes are what rotating needs, and an audit.
func adminScopes() []string {
	return []string{"api_keys:all", "workspaces:read", "audit_logs:read", "workspace_members:read", "webhooks:read", "webhook_events:read", "block_list_entries:read"}
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, dir: t.TempDir(), env: map[string]string{},
		workspace: "organization_id: " + sandbox.DefaultWorkspaceID + ", members: [owner@acme.example]",
		adminKey:  "{store: local, secret: admin, rotate: {scopes: [" + strings.Join(adminScopes(), ", ") + "]}}",
		sending:   "scopes: [campaigns:read, leads:update], stores: [{store: local}, {store: second}]",
		reporting: "scopes: [accounts:read], stores: [{store: local}]",
		more:      "audit: {block_list: [customer.example.com]}",
	}
	w.api = sandbox.New(sandbox.Options{Now: w.then, Workspaces: []sandbox.Workspace{{
		ID: sandbox.DefaultWorkspaceID, AdminScopes: adminScopes(),
	}}})
	server := httptest.NewServer(w.api)
	w.Cleanup(server.Close)
	w.receiver = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Webhook-Secret") != hookSecret {
			rw.WriteHeader(http.StatusUnauthorized)
		}
	}))
	w.Cleanup(w.receiver.Close)
	w.Cleanup(w.api.Close)
	w.apiURL = server.URL
	w.put("admin", w.api.Workspaces()[0].AdminKey)
	first := w.api.Keys(sandbox.DefaultWorkspaceID)[0].ID
	w.rotate()
	w.hook("events", w.receiver.URL+"/?token=of-the-address", "X-Webhook-Secret", hookSecret)
	w.must(w.api.Block(sandbox.DefaultWorkspaceID, "customer.example.com"))
	w.long(time.Hour, func() { w.must(w.api.DeleteKey(first)) }) // as the documents say: the one made by hand is a person's to revoke
	return w
}

func (w *world) then() time.Time { return time.Now().Add(-w.ago) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// write writes a file below the folder that is scanned.
func (w *world) write(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, []byte(text), 0o600))
}

func (w *world) config() *config.Config {
	w.Helper()
	w.write("config.yaml", fmt.Sprintf(`workspaces:
  main: {admin_key: %s, %s, base_url: %q, requests_per_second: 100}
stores:
  local: {kind: file, path: ./store}
  second: {kind: file, path: ./second}
keys:
  - {name: sending, %s}
  - {name: reporting, %s}
%s
`, w.adminKey, w.workspace, w.apiURL, w.sending, w.reporting, w.more))
	cfg, _, err := config.Load(filepath.Join(w.dir, "config.yaml"))
	w.must(err)
	return cfg
}

func (w *world) options() fleet.Options {
	w.Helper()
	return fleet.Options{Config: w.config(), Log: zap.NewNop(), Now: time.Now, Getenv: func(name string) string { return w.env[name] }}
}

func (w *world) rotate(names ...string) {
	w.Helper()
	w.run(rotator.Request{RotateSince: time.Now(), EndGrace: true}, names...)
}

// rotateGently leaves the old key its grace period.
func (w *world) rotateGently(names ...string) {
	w.Helper()
	w.run(rotator.Request{RotateSince: time.Now()}, names...)
}

func (w *world) run(req rotator.Request, names ...string) {
	w.Helper()
	f, err := fleet.Named(w.Context(), w.options(), names)
	w.must(err)
	defer f.Close()
	for _, res := range f.ReconcileAll(w.Context(), f.Targets, req, func(rotator.Result) {}) {
		w.must(res.Err)
	}
}

func (w *world) store(name, of string) secretstore.Store {
	w.Helper()
	c := fleet.Connect(w.options())
	w.Cleanup(c.Close)
	return c.Store(w.Context(), config.StoreRef{Store: name, Secret: of})
}

// put puts a value into a secret of the first store.
func (w *world) put(of string, value secret.Value) {
	w.Helper()
	putter := w.store("local", of).(secretstore.Putter)
	seen, err := putter.Describe(w.Context())
	w.must(err)
	_, err = putter.Put(w.Context(), seen, value)
	w.must(err)
}

// value is what consumers of a secret read.
func (w *world) value(of string) secret.Value {
	w.Helper()
	_, value, err := fleet.Current(w.Context(), w.store("local", of))
	w.must(err)
	return value
}

// long does something so long ago: an hour is before the audit before.
func (w *world) long(ago time.Duration, do func()) {
	w.ago = ago
	defer func() { w.ago = 0 }()
	do()
}

// addKey has somebody make a key, so long ago.
func (w *world) addKey(ago time.Duration, name string, scopes ...string) (k sandbox.KeyRecord) {
	w.Helper()
	w.long(ago, func() {
		var err error
		k, err = w.api.AddKey(sandbox.DefaultWorkspaceID, name, scopes...)
		w.must(err)
	})
	return k
}

// adminWith acts with another admin key, in the environment.
func (w *world) adminWith(scopes ...string) {
	w.Helper()
	w.env["ADMIN"] = w.addKey(time.Hour, "admin", scopes...).Value.Reveal()
	w.adminKey = "{env: ADMIN}"
}

// source has the folder "source" scanned, with git's history if it is a repository.
func (w *world) source(git bool) {
	w.Helper()
	w.write("source/readme.txt", "nothing to see\n")
	w.scan = &scan.Options{Dir: filepath.Join(w.dir, "source"), Git: git}
}

func (w *world) audit() audit.Report {
	w.Helper()
	r, err := audit.Make(w.Context(), audit.Options{Options: w.options(), Scan: w.scan, Timeout: 20 * time.Second, ProbeWebhooks: w.probe, Lookup: w.lookup, Since: time.Now().Add(-30 * time.Minute)})
	w.must(err)
	return r
}

// lines gives the findings as people read them.
func lines(r audit.Report) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, strings.Join([]string{f.Check, string(f.Severity), f.Named() + ": " + f.Said(), "do: " + f.Remedy}, " | "))
	}
	return all
}

// lookup knows the hosts that end in .example.com.
func (w *world) lookup(_ context.Context, host string) error {
	if strings.HasSuffix(host, ".example.com") {
		return nil
	}
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

const hookSecret = "dGhlIHNlY3JldCBvZiB0aGUgd2ViaG9vaw"

// hook adds a webhook, whose events carry the header.
func (w *world) hook(name, url, header, value string) sandbox.Webhook {
	w.Helper()
	h := sandbox.Webhook{Name: name, URL: url, EventType: "all_events", Headers: map[string]secret.Value{}}
	if header != "" {
		h.Headers[header] = secret.New(value)
	}
	h, err := w.api.AddWebhook(sandbox.DefaultWorkspaceID, h)
	w.must(err)
	return h
}

// emit has an event happen, and waits until it was delivered once, or could not be.
func (w *world) emit() {
	w.Helper()
	_, err := w.api.Emit(sandbox.Event{})
	w.must(err)
	admin := w.value("admin").Reveal()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r := httptest.NewRequest(http.MethodGet, "/api/v2/webhook-events", nil)
		r.Header.Set("Authorization", "Bearer "+admin)
		r.Header.Set("User-Agent", "test")
		answer := httptest.NewRecorder()
		w.api.ServeHTTP(answer, r)
		if strings.Contains(answer.Body.String(), "status_code") {
			return
		}
	}
	w.Fatal("nothing was delivered")
}

// logged puts something into the audit log, so long ago.
func (w *world) logged(ago time.Duration, e sandbox.AuditEntry) {
	w.Helper()
	e.At = time.Now().Add(-ago)
	w.must(w.api.PlantEntry(e))
}

// member adds one, so long ago.
func (w *world) member(ago time.Duration, email, role string, pending bool) {
	w.Helper()
	_, err := w.api.AddMember(sandbox.DefaultWorkspaceID, sandbox.Member{Email: email, Role: role, Pending: pending, Created: time.Now().Add(-ago)})
	w.must(err)
}
