package awssecretsmanager_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// TestContractOnMoto runs the whole suite against an emulator that was written
// by others, less what it is known to get wrong.
func TestContractOnMoto(t *testing.T) {
	url := awstest.StartMoto(t)
	var secrets atomic.Int64
	storetest.Run(t, storetest.Harness{
		Backend: "aws on moto",
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
	var injected atomic.Pointer[fault]
	injected.Store(&fault{})
	byHand := 0
	return storetest.Secret{
		Open: func(*testing.T) secretstore.Store {
			return m.open(func(c awstest.Call, when awstest.When) error { return injected.Load().hook(c, when) })
		},
		PutByHand: func(_ *testing.T, value secret.Value) {
			byHand++
			m.call("PutSecretValue", map[string]any{
				"SecretId": m.name, "ClientRequestToken": fmt.Sprintf("by-hand-%032d", byHand), "SecretString": value.Reveal(),
			})
		},
		ForgetPromoted: func(*testing.T) { m.forgetPromoted() },
		FailNextWrite: func(t *testing.T, after bool) {
			injected.Store(&fault{observer: m.open(nil), armed: true, after: after, was: means(t, m.open(nil)), TB: t})
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

// TestTheNextKeyFillsTheVersionThatMotoWaitsFor has moto begin a rotation. Its function does
// nothing: moto runs one in a container only.
func TestTheNextKeyFillsTheVersionThatMotoWaitsFor(t *testing.T) {
	m := &motoSecret{TB: t, url: awstest.StartMoto(t), name: "rotated"}
	m.call("CreateSecret", map[string]any{"Name": m.name})
	rotate(t, m.open(nil), keyA)
	m.call("RotateSecret", map[string]any{"SecretId": m.name, "ClientRequestToken": token, "RotationLambdaARN": awstest.MotoFunction(t, m.url)})
	s := m.open(nil)
	if snap := snapshotOf(t, s); held(snap) != "current=a" {
		t.Fatalf("a version without a value is shown: %s", held(snap))
	}
	rotate(t, s, keyB)
	p, err := s.Begun(t.Context(), token)
	out := m.call("GetSecretValue", map[string]any{"SecretId": m.name, "VersionStage": "AWSCURRENT"})
	if err != nil || p.State != storekind.Promoted || out["VersionId"] != token || out["SecretString"] != valueOf(keyB).Reveal() {
		t.Errorf("the rotation is in state %d (%v), AWSCURRENT is version %v", p.State, err, out["VersionId"])
	}
}
