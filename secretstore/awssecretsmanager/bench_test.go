package awssecretsmanager_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	name  = "prod/instantly/sending"
	owner = "acme-rotator"

	keyA = "0193a7c2-5a10-7c3e-9b1f-00000000000a"
	keyB = "0193a7c2-5a10-7c3e-9b1f-00000000000b"
	keyC = "0193a7c2-5a10-7c3e-9b1f-00000000000c"

	account = "0193a7c2-0000-7000-8000-0000000000ff"
)

// bench is a service with one secret, and stores on it.
type bench struct {
	testing.TB
	server *awstest.Server
	name   string
}

// newBench makes a secret without a value.
func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t, awstest.New(nil), name}
	b.call("CreateSecret", map[string]any{"Name": b.name})
	return b
}

// options are a store's, and its site's.
type options struct {
	awssecretsmanager.Options
	awssecretsmanager.Site
}

func (b *bench) options(via awssecretsmanager.HTTPClient) options {
	return options{
		awssecretsmanager.Options{Secret: b.name, Owner: owner},
		awssecretsmanager.Site{
			Region: awstest.Region, HTTPClient: via,
			Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "not-a-secret", ""),
		},
	}
}

func (b *bench) open() *awssecretsmanager.Store { return b.openVia(nil) }

// openVia opens a store whose calls go through a hook.
func (b *bench) openVia(hook func(awstest.Call, awstest.When) error) *awssecretsmanager.Store {
	b.Helper()
	return openWith(b, b.options(&awstest.Tap{Next: b.server, Hook: hook}))
}

func openWith(t testing.TB, o options) *awssecretsmanager.Store {
	t.Helper()
	c, err := awssecretsmanager.Connect(t.Context(), o.Of(o.Secret))
	if err != nil {
		t.Fatal(err)
	}
	return c.Open(o.Options)
}

// call makes a call of the service as another program would.
func (b *bench) call(action string, in map[string]any) map[string]any {
	b.Helper()
	status, out := call(b, b.server, action, in)
	if status != http.StatusOK {
		b.Fatalf("%s: %d %v", action, status, out)
	}
	return out
}

func call(t testing.TB, via awstest.Doer, action string, in map[string]any) (status int, out map[string]any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return callRaw(t, via, action, body)
}

func callRaw(t testing.TB, via awstest.Doer, action string, body []byte) (status int, out map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://aws.invalid/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "secretsmanager."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/"+awstest.Region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=0")
	res, err := via.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}

// putByHand is what somebody does who knows nothing of the rotator.
func (b *bench) putByHand(token, value string) {
	b.Helper()
	b.call("PutSecretValue", map[string]any{"SecretId": b.name, "ClientRequestToken": token, "SecretString": value})
}

func isMarkOf(kind string) func(string) bool {
	return func(label string) bool { return strings.HasPrefix(label, "rotator/"+kind+"/") }
}

func intent(nonce string) secretstore.Intent {
	return secretstore.Intent{
		Nonce: nonce, At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Spec: "campaigns:read,leads:all", Grace: 24 * time.Hour,
	}
}

func version(id string) secretstore.Version {
	return secretstore.Version{ID: id, Intent: intent("nonce-" + id[len(id)-1:]), Account: account}
}

func valueOf(id string) secret.Value { return secret.New("value of " + id) }

func promotedAt() time.Time { return time.Date(2026, 3, 5, 6, 7, 8, 0, time.UTC) }

func snapshotOf(t testing.TB, s secretstore.Store) secretstore.Snapshot {
	t.Helper()
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// rotate makes keys current, one after another, with everything the engine
// does to a store.
func rotate(t testing.TB, s secretstore.Store, ids ...string) secretstore.Snapshot {
	t.Helper()
	snap := snapshotOf(t, s)
	for _, id := range ids {
		for _, w := range []write{reserve(id), stage(id), promote(id)} {
			var err error
			if snap, err = w.do(t, s, snap); err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
		}
	}
	return snap
}

// A write is one of the four methods that write, with everything but the store
// and the snapshot filled in.
type write struct {
	name string
	do   func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error)
}

func annotate(what string, change func(*secretstore.Notes)) write {
	return write{what, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		n := seen.Notes
		change(&n)
		return s.Annotate(t.Context(), seen, n)
	}}
}

func reserve(id string) write {
	return annotate("reserve for "+id, func(n *secretstore.Notes) { n.Intent = version(id).Intent })
}

func cancel() write {
	return annotate("cancel", func(n *secretstore.Notes) { n.Intent = secretstore.Intent{} })
}

func fail(reason string) write {
	return annotate("fail "+reason, func(n *secretstore.Notes) {
		n.Failure = secretstore.Failure{Count: n.Failure.Count + 1, At: promotedAt(), Step: "verify", Reason: reason}
	})
}

func stage(id string) write {
	return write{"stage " + id, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Stage(t.Context(), seen, version(id), valueOf(id))
	}}
}

func promote(id string) write { return promoteAt(id, promotedAt()) }

func promoteAt(id string, at time.Time) write {
	return write{"promote " + id, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Promote(t.Context(), seen, id, at)
	}}
}

func destroy(id string) write {
	return write{"destroy " + id, func(t testing.TB, s secretstore.Store, seen secretstore.Snapshot) (secretstore.Snapshot, error) {
		return s.Destroy(t.Context(), seen, id)
	}}
}

// held tells which key is on which stage.
func held(snap secretstore.Snapshot) string {
	var out []string
	for _, st := range secretstore.Stages() {
		if v, ok := snap.Versions[st]; ok {
			out = append(out, fmt.Sprintf("%s=%s", st, v.ID[max(0, len(v.ID)-1):]))
		}
	}
	return strings.Join(out, " ")
}
