package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// A cloudLab is a deployment in both clouds, over the network: a sandbox, AWS and
// GCP, and a target in AWS only, one in GCP only and one in all stores. What is
// stored in AWS is a key alone, what is in GCP has other fields beside it.
type cloudLab struct {
	*lab
	amazon *amazon
	google *google
}

// The targets of a cloudLab, which are the names of their secrets too, and the
// fields that stood in GCP before there was a key.
const (
	onlyAWS    = "only-aws"
	onlyGCP    = "only-gcp"
	everywhere = "everywhere"

	otherFields = `{"host":"smtp.example.com","port":587}`
)

func newCloudLab(t *testing.T, a *amazon, options string) *cloudLab {
	t.Helper()
	box := sandboxFor(t)
	l := &cloudLab{lab: &lab{T: t, box: box, gate: newGatekeeper(t, box.url), dir: t.TempDir()}, amazon: a, google: newGoogle(t)}
	l.env = []string{
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_PROFILE=", "AWS_MAX_ATTEMPTS=1",
	}
	for _, secret := range []string{onlyAWS, everywhere} {
		l.amazon.call(t, "CreateSecret", map[string]any{"Name": secret})
	}
	for _, secret := range []string{onlyGCP, everywhere} {
		l.google.Make(secret)
		l.google.Put(secret, otherFields)
	}
	l.writeConfig(options)
	return l
}

// writeConfig takes the options of all keys.
func (l *cloudLab) writeConfig(options string) {
	l.Helper()
	text := fmt.Sprintf(`
workspaces:
  main: {admin_key: {env: INSTANTLY_ADMIN_KEY}, base_url: %q, requests_per_second: 100}
stores:
  amazon: {kind: aws, region: %s, endpoint: %q}
  google: {kind: gcp, project: %s, endpoint: %q, payload: json}
  local: {kind: file, path: ./local}
defaults: {%s}
keys:
  - {name: only-aws, scopes: [campaigns:read], stores: [{store: amazon}]}
  - {name: only-gcp, scopes: [campaigns:read], stores: [{store: google}]}
  - {name: everywhere, scopes: [campaigns:read], stores: [{store: google}, {store: amazon}, {store: local}]}
`, l.gate.url, awstest.Region, l.amazon.url, gcptest.Project, l.google.address, options)
	if err := os.WriteFile(filepath.Join(l.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

// An amazon is AWS Secrets Manager behind a door that can be shut.
type amazon struct {
	*awstest.Server // nil: it is moto
	url             string
	down            atomic.Bool
	killer          atomic.Pointer[killer]
}

// A killer kills a process at its call of an action, of which a label begins so.
type killer struct {
	victim        *command
	action, label string
	after         bool
}

// killAt has a process killed, once.
func (a *amazon) killAt(c *command, action, label string, after bool) {
	a.killer.Store(&killer{c, action, label, after})
}

// struck tells whether the process is killed for that call, before or after its effect. It is
// dead then.
func (a *amazon) struck(action string, body []byte, after bool) bool {
	var q struct{ VersionStage string }
	_ = json.Unmarshal(body, &q)
	k := a.killer.Load()
	if k == nil || action != "secretsmanager."+k.action || after != k.after || !strings.HasPrefix(q.VersionStage, k.label) {
		return false
	}
	if a.killer.CompareAndSwap(k, nil) {
		_ = k.victim.Process.Kill()
	}
	return true
}

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	a := &amazon{Server: awstest.New(nil)}
	a.url = newLoopbackServer(t, a.door(a.Server))
	return a
}

func newMoto(t *testing.T) *amazon {
	t.Helper()
	target, err := url.Parse(awstest.StartMoto(t))
	if err != nil {
		t.Fatal(err)
	}
	a := &amazon{}
	a.url = newLoopbackServer(t, a.door(httputil.NewSingleHostReverseProxy(target)))
	return a
}

func (a *amazon) door(service http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.down.Load() {
			http.Error(w, `{"__type":"InternalServiceError"}`, http.StatusInternalServerError)
			return
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		action := r.Header.Get("X-Amz-Target")
		if a.struck(action, body, false) {
			return
		}
		service.ServeHTTP(w, r)
		a.struck(action, body, true)
	})
}

// call makes a call as any program of the account does.
func (a *amazon) call(t *testing.T, action string, in map[string]any) (out map[string]any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "secretsmanager."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/"+awstest.Region+
		"/secretsmanager/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", action, err, answer)
	}
	return out
}

// A google is the stand-in for GCP Secret Manager, on a port of this machine.
type google struct {
	*gcptest.Server
	address string
	down    atomic.Bool
}

func newGoogle(t *testing.T) *google {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &google{Server: gcptest.New(), address: l.Addr().String()}
	t.Cleanup(g.Close)
	g.Before = func(gcptest.Call) gcptest.Fault {
		if g.down.Load() {
			return gcptest.LostRequest
		}
		return gcptest.None
	}
	g.Serve(l)
	return g
}

// run runs a command and gives its exit code and all that it said.
func (l *cloudLab) run(args ...string) (code int, said string) {
	l.Helper()
	c := l.command(append(args, "--log-level", "error")...)
	err := c.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		l.Fatal(err)
	}
	return c.ProcessState.ExitCode(), c.stdout.String() + c.stderr.String()
}

// wantRun runs a command that must end with that code and say all of that: regular
// expressions.
func (l *cloudLab) wantRun(code int, args []string, says ...string) {
	l.Helper()
	got, said := l.run(args...)
	if got != code {
		l.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, said)
	}
	for _, want := range says {
		if !regexp.MustCompile(`(?m)` + want).MatchString(said) {
			l.Errorf("%s does not say %q:\n%s", strings.Join(args, " "), want, said)
		}
	}
}

// inAWS is the key that a reader of a label in AWS has: AWSCURRENT or AWSPREVIOUS.
func (l *cloudLab) inAWS(secret, label string) string {
	l.Helper()
	value, _ := l.amazon.call(l.T, "GetSecretValue", map[string]any{"SecretId": secret, "VersionStage": label})["SecretString"].(string)
	return value
}

// inGCP is the key that a reader of a version in GCP has: latest, or an alias. The
// fields beside it must be there.
func (l *cloudLab) inGCP(secret, which string) string {
	l.Helper()
	stored := l.google.Served(secret, which)
	var object struct {
		Key  string `json:"api_key"`
		Host string `json:"host"`
		Port int    `json:"port"`
	}
	if err := json.Unmarshal([]byte(stored), &object); err != nil || object.Host != "smtp.example.com" || object.Port != 587 {
		l.Errorf("%s of %s in GCP lost fields beside the key: %v", which, secret, err)
	}
	return object.Key
}

// readings are the keys that consumers have, by the way they read them.
func (l *cloudLab) readings() map[string]string {
	l.Helper()
	return map[string]string{
		onlyAWS + ", AWSCURRENT":                   l.inAWS(onlyAWS, "AWSCURRENT"),
		onlyGCP + ", versions/latest":              l.inGCP(onlyGCP, "latest"),
		onlyGCP + ", alias current":                l.inGCP(onlyGCP, "current"),
		everywhere + ", AWSCURRENT":                l.inAWS(everywhere, "AWSCURRENT"),
		everywhere + ", versions/latest":           l.inGCP(everywhere, "latest"),
		everywhere + ", alias current":             l.inGCP(everywhere, "current"),
		everywhere + ", instantly-rotator get":     strings.TrimSpace(l.mustRun("get", everywhere)),
		everywhere + ", get from the folder":       strings.TrimSpace(l.mustRun("get", everywhere, "--store", "local")),
		onlyAWS + ", instantly-rotator get":        strings.TrimSpace(l.mustRun("get", onlyAWS)),
		onlyGCP + ", instantly-rotator get":        strings.TrimSpace(l.mustRun("get", onlyGCP)),
		everywhere + ", get from AWS by the store": strings.TrimSpace(l.mustRun("get", everywhere, "--store", "amazon")),
	}
}

// wantServed wants whatever consumers read to work, and all readers of a target to
// have the same key. It gives that key by the target.
func (l *cloudLab) wantServed(when string) map[string]string {
	l.Helper()
	keys := map[string]string{}
	for reader, value := range l.readings() {
		target, _, _ := strings.Cut(reader, ",")
		if keys[target] == "" {
			keys[target] = value
			if err := l.box.works(value); err != nil {
				l.Errorf("%s: what %s reads does not work: %v", when, reader, err)
			}
		}
		if value != keys[target] {
			l.Errorf("%s: %s reads another key than others of that target", when, reader)
		}
	}
	return keys
}
