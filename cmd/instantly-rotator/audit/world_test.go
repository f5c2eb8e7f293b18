package audit_test

import (
	"fmt"
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
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, dir: t.TempDir(), env: map[string]string{},
		workspace: "organization_id: " + sandbox.DefaultWorkspaceID,
		adminKey:  "{store: local, secret: admin, rotate: {}}",
		sending:   "scopes: [campaigns:read, leads:update], stores: [{store: local}, {store: second}]",
		reporting: "scopes: [accounts:read], stores: [{store: local}]",
	}
	w.api = sandbox.New(sandbox.Options{Now: w.then, Workspaces: []sandbox.Workspace{{
		ID: sandbox.DefaultWorkspaceID, AdminScopes: []string{"api_keys:all", "workspaces:read"},
	}}})
	server := httptest.NewServer(w.api)
	w.Cleanup(server.Close)
	w.apiURL = server.URL
	w.put("admin", w.api.Workspaces()[0].AdminKey)
	first := w.api.Keys(sandbox.DefaultWorkspaceID)[0].ID
	w.rotate()
	w.must(w.api.DeleteKey(first)) // as the documents say: the one made by hand is a person's to revoke
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
	f, err := fleet.Named(w.Context(), w.options(), names)
	w.must(err)
	defer f.Close()
	for _, res := range f.ReconcileAll(w.Context(), f.Targets, rotator.Request{RotateSince: time.Now(), EndGrace: true}, func(rotator.Result) {}) {
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

// addKey has somebody make a key, so long ago.
func (w *world) addKey(ago time.Duration, name string, scopes ...string) sandbox.KeyRecord {
	w.Helper()
	w.ago = ago
	defer func() { w.ago = 0 }()
	k, err := w.api.AddKey(sandbox.DefaultWorkspaceID, name, scopes...)
	w.must(err)
	return k
}

// adminWith acts with another admin key, in the environment.
func (w *world) adminWith(scopes ...string) {
	w.Helper()
	w.env["ADMIN"] = w.addKey(0, "admin", scopes...).Value.Reveal()
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
	r, err := audit.Make(w.Context(), audit.Options{Options: w.options(), Scan: w.scan, Timeout: 20 * time.Second})
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
