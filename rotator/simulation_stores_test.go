package rotator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest/simulation"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// simulated are the stores of the simulation, the quickest most often.
func simulated() []simulation.Backend {
	return []simulation.Backend{
		{Name: "memory", Weight: 88, Fresh: memoryForSimulation},
		{Name: "file", Weight: 3, Fresh: folderForSimulation},
		{Name: "aws", Weight: 4, Blind: true, Fresh: awsForSimulation},
		{Name: "gcp", Weight: 5, Fresh: gcpForSimulation},
	}
}

func memoryForSimulation(_ testing.TB, name string) simulation.Secret {
	s := memstore.New(name)
	return simulation.Secret{
		Secret: secretIn(s),
		Put:    func(value string) { s.PutByHand(secret.New(value)) },
		Wipe:   s.ForgetRecord,
	}
}

// folderForSimulation keeps the folder in memory where there is a file system
// for that: what is at stake here is not the disk.
func folderForSimulation(t testing.TB, _ string) simulation.Secret {
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "simulated")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	open := func(t testing.TB) secretstore.Store {
		s, err := filestore.Open(filestore.Options{Dir: filepath.Join(dir, "key"), Identity: filepath.Join(dir, "identity")})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return simulation.Secret{Secret: rotatortest.Secret{
		Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store { return rotatortest.Tap(open(t), hook) },
	}}
}

// onAWS is a secret at the AWS stand-in.
type onAWS struct {
	server *awstest.Server
	name   string
	puts   int
}

func awsForSimulation(t testing.TB, name string) simulation.Secret {
	a := &onAWS{server: awstest.New(nil), name: name}
	a.call(t, "CreateSecret", map[string]any{"Name": name})
	return simulation.Secret{
		Secret: rotatortest.Secret{Open: a.open, Current: a.consumed},
		Put: func(value string) {
			a.puts++
			token := "ffffffff-0000-4000-8000-" + strings.Repeat("0", 11) + string(rune('a'+a.puts%26))
			a.call(t, "PutSecretValue", map[string]any{"SecretId": name, "ClientRequestToken": token, "SecretString": value})
		},
		Wipe: func() { a.server.DropTags(name, func(string) bool { return true }) }, // as Terraform does
	}
}

func (a *onAWS) open(t testing.TB, hook rotatortest.Hook) secretstore.Store {
	o := awssecretsmanager.Options{Secret: a.name, Owner: "sim"}
	site := awssecretsmanager.Site{
		Region: awstest.Region, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "not-a-secret", ""),
		HTTPClient: &awstest.Tap{Next: a.server, Hook: func(c awstest.Call, when awstest.When) error {
			if hook(c.Action, rotatortest.When(when)) != nil {
				return awstest.ErrTorn
			}
			return nil
		}},
	}
	c, err := awssecretsmanager.Connect(t.Context(), site.Of(o.Secret))
	if err != nil {
		t.Fatal(err)
	}
	return c.Open(o)
}

// consumed is what AWSCURRENT gives, unless it only is on the first value that
// ever was put, which AWS puts it on by itself.
func (a *onAWS) consumed() string {
	labels, _, _ := a.server.Look(a.name)
	for _, on := range labels {
		first := func(label string) bool { return strings.HasPrefix(label, "rotator/first/") }
		if slices.Contains(on, "AWSCURRENT") && slices.ContainsFunc(on, first) {
			return ""
		}
	}
	value, _ := a.server.Value(a.name, "AWSCURRENT")
	return value
}

// call makes a call of the service as another program would.
func (a *onAWS) call(t testing.TB, action string, in map[string]any) {
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://aws.invalid/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "secretsmanager."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/"+awstest.Region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=0")
	res, err := a.server.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", action, res.StatusCode)
	}
}

func gcpForSimulation(t testing.TB, name string) simulation.Secret {
	server := gcptest.New()
	t.Cleanup(server.Close)
	server.Make(name)
	return simulation.Secret{
		Secret: rotatortest.Secret{
			Open:    func(t testing.TB, hook rotatortest.Hook) secretstore.Store { return openGCP(t, server, name, hook) },
			Current: func() string { return server.Served(name, "current") },
			Latest:  func() string { return server.Served(name, "latest") },
		},
		Put:  func(value string) { server.Put(name, value) },
		Wipe: func() { server.Wipe(name) },
	}
}

func openGCP(t testing.TB, server *gcptest.Server, name string, hook rotatortest.Hook) secretstore.Store {
	toServer, err := server.DirectOptions(gcptest.Tap(func(method string, after bool) error {
		when := rotatortest.Before
		if after {
			when = rotatortest.After
		}
		return hook(method, when)
	}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := gcpsecretmanager.Connect(t.Context(), gcpsecretmanager.Site{}, toServer...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, err := c.Open(gcpsecretmanager.Options{Project: gcptest.Project, Secret: name, Owner: "sim"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
