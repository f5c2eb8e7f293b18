package awssecretsmanager_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// TestContractOnMoto runs the whole suite against an emulator that was written
// by others, less what it is known to get wrong.
func TestContractOnMoto(t *testing.T) {
	url := startMoto(t)
	var secrets atomic.Int64
	storetest.Run(t, storetest.Harness{
		Fresh: func(t *testing.T) storetest.Secret {
			m := &motoSecret{TB: t, url: url, name: fmt.Sprintf("contract/%d", secrets.Add(1))}
			m.call("CreateSecret", map[string]any{"Name": m.name})
			return m.secret()
		},
		Skip: map[string]string{
			"Of many annotates at once exactly one wins":   "as on the fake: all may stand back",
			"A version displaced by hand keeps its record": "moto takes all other labels from the version that PutSecretValue displaces",
		},
	})
}

// startMoto runs moto_server for the length of the test.
func startMoto(t *testing.T) (url string) {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("NOT RUN: moto_server is not installed here (pip install 'moto[server]')")
	}
	port := freePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(30 * time.Second); ; {
		res, err := http.Get(url + "/moto-api/")
		if err == nil {
			_ = res.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("moto_server does not answer: %v", err)
		}
		<-time.After(50 * time.Millisecond) // another process: nothing tells when it is ready
	}
	res, err := http.Post(url+"/moto-api/reset", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return url
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// motoSecret is a secret in moto.
type motoSecret struct {
	testing.TB
	url, name string
}

// Do sends a request that was made for no address in particular to moto.
func (m *motoSecret) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, _ = strings.Cut(m.url, "://")
	r.Host = r.URL.Host
	return http.DefaultClient.Do(r)
}

func (m *motoSecret) call(action string, in map[string]any) map[string]any {
	m.Helper()
	status, out := call(m, m, action, in)
	if status != http.StatusOK {
		m.Fatalf("%s: %d %v", action, status, out)
	}
	return out
}

func (m *motoSecret) open(hook func(awstest.Call, awstest.When) error) *awssecretsmanager.Store {
	o := (&bench{TB: m, name: m.name}).options(&awstest.Tap{Next: http.DefaultClient, Hook: hook})
	o.Endpoint = m.url
	return openWith(m, o)
}

func (m *motoSecret) secret() storetest.Secret {
	var struck atomic.Pointer[strike]
	struck.Store(&strike{})
	byHand := 0
	return storetest.Secret{
		Open: func(*testing.T) secretstore.Store {
			return m.open(func(c awstest.Call, when awstest.When) error { return struck.Load().hook(c, when) })
		},
		PutByHand: func(_ *testing.T, value secret.Value) {
			byHand++
			m.call("PutSecretValue", map[string]any{
				"SecretId": m.name, "ClientRequestToken": fmt.Sprintf("by-hand-%032d", byHand), "SecretString": value.Reveal(),
			})
		},
		ForgetPromoted: func(*testing.T) { m.forgetPromoted() },
		Strike: func(t *testing.T, after bool) {
			struck.Store(&strike{observer: m.open(nil), armed: true, after: after, was: means(t, m.open(nil)), TB: t})
		},
	}
}

func (m *motoSecret) forgetPromoted() {
	m.Helper()
	stages, _ := m.call("DescribeSecret", map[string]any{"SecretId": m.name})["VersionIdsToStages"].(map[string]any)
	for version, labels := range stages {
		for _, label := range labels.([]any) {
			if isMarkOf("promoted")(label.(string)) {
				m.call("UpdateSecretVersionStage", map[string]any{"SecretId": m.name, "VersionStage": label, "RemoveFromVersionId": version})
			}
		}
	}
}
