package serverless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/serverless"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	target = "sending"
	name   = "prod/sending"
	token  = "6b0cf2fd-0000-4000-8000-00000000aaaa"
	grace  = 24 * time.Hour
)

var errKilled = errors.New("the process has ended")

// world is Instantly and AWS, and a target whose key is in AWS.
type world struct {
	*testing.T
	box  *sandbox.Server
	aws  *awstest.Server
	arn  string
	kept bool // there is a key, so that consumers have one from now on
}

// newWorld has a current key.
func newWorld(t *testing.T) *world {
	w := &world{T: t, box: sandbox.New(sandbox.Options{}), aws: awstest.New(nil)}
	w.arn, _ = w.call("CreateSecret", map[string]any{"Name": name})["ARN"].(string)
	if err := w.process(0, before).Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.kept = true
	time.Sleep(time.Hour)
	return w
}

// call makes a call of AWS as a person does.
func (w *world) call(action string, in map[string]any) (out map[string]any) {
	w.Helper()
	if err := w.try(action, in, &out); err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) try(action string, in map[string]any, out *map[string]any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, "http://aws.invalid/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = http.Header{
		"X-Amz-Target": {"secretsmanager." + action}, "Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Date": {"20260101T000000Z"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/" + awstest.Region + "/secretsmanager/aws4_request, SignedHeaders=host, Signature=0"},
	}
	res, err := w.aws.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %v", action, *out)
	}
	return nil
}

// begin is "aws secretsmanager rotate-secret", without the calls of the function.
func (w *world) begin(token string) {
	w.Helper()
	w.call("RotateSecret", map[string]any{"SecretId": name, "ClientRequestToken": token})
}

// when a process is killed: at which end of the call.
type when string

const (
	before when = "before"
	after  when = "after"
)

// A process is the function until it is killed: at one of its calls to the outside.
type process struct {
	*serverless.Runner
	w     *world
	at    int // 0: at none
	when  when
	calls int
	dead  bool
}

// around is told of a call, at both ends. What consumers read must work after each.
func (p *process) around(now when) error {
	if p.dead {
		return errKilled
	}
	if now == before {
		p.calls++
	} else {
		p.w.consumersAreServed(fmt.Sprintf("after call %d", p.calls))
	}
	if p.calls == p.at && p.when == now {
		p.dead = true
		return errKilled
	}
	return nil
}

// RoundTrip implements [http.RoundTripper] for the API's client.
func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.around(before); err != nil {
		return nil, err
	}
	res, err := sandbox.Transport(p.w.box).RoundTrip(r)
	if err == nil {
		err = p.around(after)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

func (w *world) process(at int, when when) *process {
	p := &process{w: w, at: at, when: when}
	p.Runner = &serverless.Runner{
		Config: configured(), Now: time.Now, Log: zap.NewNop(),
		Open: func(_ context.Context, _ string, observe func(rotator.Event)) (serverless.Opened, error) {
			return p.open(observe), nil
		},
		Due: func(ctx context.Context) error {
			o := p.open(func(rotator.Event) {})
			return o.ReconcileAll(ctx, []rotator.Target{o.Target}, rotator.Request{}, nil)[0].Err
		},
	}
	return p
}

func configured() *config.Config {
	return &config.Config{
		Stores: map[string]config.Store{"amazon": {Name: "amazon", Kind: "aws", Settings: &awssecretsmanager.Settings{}}},
		Keys: []config.Key{
			{Name: target, Stores: []config.StoreRef{{Store: "amazon", Secret: name}}},
			{Name: "other", Stores: []config.StoreRef{{Store: "amazon", Secret: "prod/other"}, {Store: "amazon", Secret: "prod/follower"}}},
		},
	}
}

func (p *process) open(observe func(rotator.Event)) serverless.Opened {
	p.w.Helper()
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: p.w.box.Workspaces()[0].AdminKey, Transport: p,
		Pacer: instantly.NewPacer(math.Inf(1)), RetryBudget: -1,
	})
	if err != nil {
		p.w.Fatal(err)
	}
	site := awssecretsmanager.Site{
		Region: awstest.Region, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "not-a-secret", ""),
		HTTPClient: &awstest.Tap{Next: p.w.aws, Hook: func(_ awstest.Call, at awstest.When) error { return p.around(when(at)) }},
	}
	store, err := awssecretsmanager.Connect(p.w.Context(), site.Of(name))
	if err != nil {
		p.w.Fatal(err)
	}
	return serverless.Opened{
		Engine: rotator.New(rotator.Options{Instance: "function", Gone: func(string) bool { return true }, Observe: observe, InTurn: true}),
		Target: rotator.Target{
			Name: target, Workspace: rotator.NewWorkspace("main", apikeys.New(client), ""),
			Policy: rotator.Policy{Owner: "test", Spec: apikeys.SpecOf([]string{"campaigns:read"}), Grace: grace, Activation: time.Minute, Revocation: time.Minute},
			Stores: []rotator.NamedStore{{Name: "amazon", Store: store.Open(awssecretsmanager.Options{Secret: name, Owner: "test"})}},
		},
		Close: func() {},
	}
}

func (w *world) consumersAreServed(when string) {
	w.Helper()
	if value, _ := w.aws.Value(name, "AWSCURRENT"); w.kept && !w.box.Alive(secret.New(value)) {
		w.Errorf("%s: AWSCURRENT is no key that works", when)
	}
}

// isOn tells whether a label is on that version; with an empty one, whether it is nowhere.
func (w *world) isOn(label, version string) bool {
	labels, _, _ := w.aws.Inspect(name)
	for on, all := range labels {
		if slices.Contains(all, label) {
			return on == version
		}
	}
	return version == ""
}

// complete tells whether AWS takes its rotation for complete, by its documents.
func (w *world) complete() bool {
	labels, _, _ := w.aws.Inspect(name)
	for _, all := range labels {
		if slices.Contains(all, "AWSPENDING") && !slices.Contains(all, "AWSCURRENT") {
			return false
		}
	}
	return true
}

// living counts the keys that were not revoked, beside the admin's.
func (w *world) living() (n int) {
	for _, k := range w.box.Keys(w.box.Workspaces()[0].ID) {
		if k.Deleted.IsZero() {
			n++
		}
	}
	return n - 1
}
