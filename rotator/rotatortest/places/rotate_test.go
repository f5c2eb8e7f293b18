package places_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio/composiotest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// addresses say where everything is, to the process that rotates.
type addresses struct {
	Sandbox, AdminKey, Workspace string
	AWS, Vault, Composio, GitHub string
	Kubeconfig, TokenFile        string
	// Rotate: new rotations begin; else what was begun is finished.
	Rotate bool
}

const (
	addressesVar = "PLACES_TEST_ADDRESSES"

	target    = "sending"
	namespace = "growth"
	account   = "ca_1"

	githubPlace = "acme/web/INSTANTLY_KEY"

	grace = time.Second
)

// TestMain makes the test binary the process that rotates, if the environment says so.
func TestMain(m *testing.M) {
	if text := os.Getenv(addressesVar); text != "" {
		var at addresses
		if err := json.Unmarshal([]byte(text), &at); err != nil {
			panic(err)
		}
		rotate(at)
	}
	os.Exit(m.Run())
}

// rotate reconciles for good: it is killed.
func rotate(at addresses) {
	ctx := context.Background()
	t, err := at.target(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := rotator.New(rotator.Options{Observe: func(e rotator.Event) {
		if e.Err != nil {
			fmt.Fprintln(os.Stderr, e.Verb, e.Store, e.Sink, e.Err)
		}
	}})
	for ; ; time.Sleep(100 * time.Millisecond) {
		if res := r.Reconcile(ctx, t, rotator.Request{IgnoreBackoff: true}); res.Err != nil {
			fmt.Fprintln(os.Stderr, "run:", res.Err)
		}
	}
}

// eachSecond is when the key falls due.
type eachSecond struct{}

// Next implements [rotator.Schedule].
func (eachSecond) Next(t time.Time) time.Time { return t.Truncate(time.Second).Add(time.Second) }

// target is a key in all five places.
func (at addresses) target(ctx context.Context) (rotator.Target, error) {
	client, err := instantly.NewClient(instantly.Options{BaseURL: at.Sandbox, AdminKey: secret.New(at.AdminKey), Pacer: instantly.NewPacer(100)})
	if err != nil {
		return rotator.Target{}, err
	}
	t := rotator.Target{
		Name: target, Workspace: rotator.NewWorkspace("main", apikeys.New(client), at.Workspace),
		Policy: rotator.Policy{Owner: "places", Spec: apikeys.SpecOf([]string{"campaigns:read"}), Grace: grace, Activation: 10 * time.Second, Revocation: 10 * time.Second},
	}
	if at.Rotate {
		t.Policy.Schedule = eachSecond{}
	}
	env := &storekind.Environment{Owner: "places", Now: time.Now}
	for _, s := range at.stores() {
		store, err := s.settings.Open(ctx, env, target)
		if err != nil {
			return t, err
		}
		t.Stores = append(t.Stores, rotator.NamedStore{Name: s.name, Store: store})
	}
	t.Sinks, err = at.sinks(ctx, env)
	return t, err
}

// namedSettings are those of a store.
type namedSettings struct {
	name     string
	settings storekind.Settings
}

// stores has the primary first.
func (at addresses) stores() []namedSettings {
	return []namedSettings{
		{"aws", &awssecretsmanager.Settings{Region: awstest.Region, Endpoint: at.AWS, CreateMissing: true, Payload: payload.Settings{Kind: "raw"}}},
		{"kubernetes", &kubernetessecret.Settings{Cluster: kubernetescluster.Location{Kubeconfig: at.Kubeconfig}, Key: kubernetessecret.DefaultKey, CreateMissing: true}},
		{"vault", &vaultkv.Settings{
			Site:  vaultkv.Site{Address: at.Vault, Auth: vaultkv.Auth{Method: "token", TokenFile: at.TokenFile}},
			Mount: vaulttest.Mount, Payload: payload.Settings{Kind: "json", JSON: payload.Default()},
		}},
	}
}

func (at addresses) sinks(ctx context.Context, env *storekind.Environment) ([]sink.Sink, error) {
	var sinks []sink.Sink
	for _, s := range []struct {
		settings          sinkkind.Settings
		place, credential string
	}{
		{&composio.Settings{Address: at.Composio, Tool: "INSTANTLY_LIST_CAMPAIGNS", Arguments: `{"limit": 1}`}, account, composiotest.Key},
		{&githubsecret.Settings{Address: at.GitHub, For: "actions", Mark: true, Visibility: "private"}, githubPlace, githubtest.Token},
	} {
		opened, err := s.settings.Open(ctx, env, sinkkind.Opening{
			Section: "sink", Place: s.place, Target: target,
			Credential: func(context.Context, string) (secret.Value, error) { return secret.New(s.credential), nil },
		})
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, opened)
	}
	return sinks, nil
}

// primary opens the store that has the notes.
func (at addresses) primary(t *testing.T) secretstore.Store {
	env := &storekind.Environment{Owner: "places", Now: time.Now, ReadOnly: true}
	t.Cleanup(func() { _ = env.Close() })
	s, err := at.stores()[0].settings.Open(t.Context(), env, target)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
