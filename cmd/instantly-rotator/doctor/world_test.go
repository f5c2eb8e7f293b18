package doctor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/doctor"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// world is a healthy set-up, in which trouble can be planted: one target in one store,
// and the admin key in the environment until it is vaulted.
type world struct {
	*testing.T
	dir    string
	api    *sandbox.Server
	header http.Header // on every answer of the API
	aws    *awstest.Server
	gcp    *gcptest.Server
	kube   *kubetest.Server
	vault  *vaulttest.Server
	env    map[string]string
	ahead  time.Duration // of our clock
	limit  time.Duration // for the examination

	// The configuration, in parts.
	apiURL, store, adminKey, pinned, after, sinks, notify string
}

const (
	local      = "{kind: file, path: ./store}"
	kubernetes = "{kind: kubernetes, kubeconfig: kubeconfig}"
)

// newWorld makes one with a store of that kind, in which the first key is current;
// without a kind a folder in which there is none yet.
func newWorld(t *testing.T, kind string) *world {
	w := &world{
		T: t, dir: t.TempDir(), header: http.Header{}, env: map[string]string{}, limit: 20 * time.Second,
		api: sandbox.New(sandbox.Options{Workspaces: []sandbox.Workspace{{
			ID: sandbox.DefaultWorkspaceID, AdminScopes: []string{"api_keys:create", "api_keys:read", "api_keys:delete", "workspaces:read"},
		}}}),
		adminKey: "{env: ADMIN}", pinned: sandbox.DefaultWorkspaceID, store: local,
	}
	w.apiURL = w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for name, values := range w.header {
			rw.Header()[name] = values
		}
		w.api.ServeHTTP(rw, r)
	}))
	switch kind {
	case "aws":
		w.amazon()
	case "gcp":
		w.google()
	case "kubernetes":
		w.cluster()
	case "vault":
		w.openbao()
	}
	w.env["ADMIN"] = w.api.Workspaces()[0].AdminKey.Reveal()
	if kind != "" {
		w.rotate()
	}
	return w
}

func (w *world) serve(h http.Handler) string {
	server := httptest.NewServer(h)
	w.Cleanup(server.Close)
	return server.URL
}

func (w *world) amazon() {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "",
	} {
		w.Setenv(name, value)
	}
	w.aws = awstest.New(nil)
	w.store = fmt.Sprintf("{kind: aws, region: %s, endpoint: %q}", awstest.Region, w.serve(w.aws))
	w.awsCall("CreateSecret", `{"Name": "sending"}`)
}

// awsCall makes a call as a person does.
func (w *world) awsCall(action, body string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "secretsmanager."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/x/"+awstest.Region+"/secretsmanager/aws4_request")
	r.Header.Set("X-Amz-Date", "now")
	rec := httptest.NewRecorder()
	w.aws.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		w.Fatalf("%s: %s", action, rec.Body)
	}
}

func (w *world) google() {
	w.gcp = gcptest.New()
	w.Cleanup(w.gcp.Close)
	l, err := (&net.ListenConfig{}).Listen(w.Context(), "tcp", "127.0.0.1:0")
	w.must(err)
	w.gcp.Serve(l)
	w.gcp.Make("sending")
	w.store = fmt.Sprintf("{kind: gcp, project: %s, endpoint: %q}", gcptest.Project, l.Addr())
}

// openbao serves a KV engine, to a token with the least privilege.
func (w *world) openbao() {
	w.vault = vaulttest.New(vaulttest.NewKV())
	w.vault.Admit("s.rotator")
	w.vault.Policy = map[string][]string{}
	for _, path := range []string{"data/sending", "destroy/sending", "data/sending-rotator", "metadata/sending-rotator"} {
		w.vault.Policy[vaulttest.Mount+"/"+path] = []string{"create", "read", "update"}
	}
	w.write("token", "s.rotator")
	w.store = fmt.Sprintf("{kind: vault, address: %q, auth: {token_file: token}}", w.serve(w.vault))
}

func (w *world) cluster() {
	w.kube = kubetest.New("growth")
	w.write("kubeconfig", fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here,
  clusters: [{name: here, cluster: {server: %q}}], users: [{name: me, user: {token: t}}],
  contexts: [{name: here, context: {cluster: here, user: me, namespace: growth}}]}`, w.serve(w.kube)))
	w.Setenv("KUBECONFIG", filepath.Join(w.dir, "kubeconfig"))
	w.kube.Make("growth", "sending")
	w.kube.Deploy("growth", "web", 2)
	w.store, w.after = kubernetes, "{restart: deployment/web}"
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.Helper()
	w.must(os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

// options read the configuration as it is now.
func (w *world) options() doctor.Options {
	w.Helper()
	w.write("config.yaml", fmt.Sprintf(`workspaces:
  main: {admin_key: %s, organization_id: "%s", base_url: %q, requests_per_second: 100}
stores:
  vault: {kind: file, path: ./vault}
  primary: %s
keys:
  - {name: sending, scopes: [campaigns:read], stores: [{store: primary}], after_promote: [%s], sinks: [%s]}
%s
`, w.adminKey, w.pinned, w.apiURL, w.store, w.after, w.sinks, w.notify))
	path := filepath.Join(w.dir, "config.yaml")
	if w.pinned == "" {
		text, err := os.ReadFile(path)
		w.must(err)
		w.write("config.yaml", strings.Replace(string(text), `organization_id: "", `, "", 1))
	}
	cfg, warnings, err := config.Load(path)
	w.must(err)
	return doctor.Options{Warnings: warnings, Options: fleet.Options{
		Config: cfg, Log: zap.NewNop(), Now: func() time.Time { return time.Now().Add(w.ahead) },
		Getenv: func(name string) string { return w.env[name] }, Collector: io.Discard,
	}}
}

// put puts a value into a local store.
func (w *world) put(store, name string, value secret.Value) {
	w.Helper()
	c := fleet.Connect(w.options().Options)
	defer c.Close()
	putter, ok := c.Store(w.Context(), config.StoreRef{Store: store, Secret: name}).(secretstore.Putter)
	if !ok {
		w.Fatalf("store %s takes no value", store)
	}
	seen, err := putter.Describe(w.Context())
	w.must(err)
	_, err = putter.Put(w.Context(), seen, value)
	w.must(err)
}

// rotate has targets rotated; all if none is named.
func (w *world) rotate(names ...string) {
	w.Helper()
	f, err := fleet.Named(w.Context(), w.options().Options, names)
	w.must(err)
	defer f.Close()
	for _, res := range f.ReconcileAll(w.Context(), f.Targets, rotator.Request{RotateSince: time.Now()}, func(rotator.Result) {}) {
		w.must(res.Err)
	}
}

// adminKeyWith puts an admin key of those scopes in the place of the one that there is.
func (w *world) adminKeyWith(scopes ...string) {
	w.Helper()
	k, err := w.api.AddKey(sandbox.DefaultWorkspaceID, "another admin", scopes...)
	w.must(err)
	w.env["ADMIN"] = k.Value.Reveal()
}

// vaulted puts the admin key into a store, and has it rotated there once.
func (w *world) vaulted() {
	w.Helper()
	w.put("vault", "admin", w.api.Workspaces()[0].AdminKey)
	w.adminKey = "{store: vault, secret: admin, rotate: {}}"
	w.rotate("main-admin-key")
}

// edit changes the state file of the local store.
func (w *world) edit(change func(map[string]any)) {
	w.Helper()
	path := filepath.Join(w.dir, "store", "sending", "state.json")
	text, err := os.ReadFile(path)
	w.must(err)
	var state map[string]any
	w.must(json.Unmarshal(text, &state))
	change(state)
	text, err = json.Marshal(state)
	w.must(err)
	w.must(os.WriteFile(path, text, 0o600))
}

// revision of the target's secret.
func (w *world) revision() string {
	w.Helper()
	c := fleet.Connect(w.options().Options)
	defer c.Close()
	seen, err := c.Store(w.Context(), config.StoreRef{Store: "primary", Secret: "sending"}).Describe(w.Context())
	w.must(err)
	return seen.Revision
}

// examine makes an examination.
func (w *world) examine() doctor.Report {
	w.Helper()
	o := w.options()
	ctx, cancel := context.WithTimeout(w.Context(), w.limit)
	defer cancel()
	return doctor.Examine(ctx, o)
}
