package kubernetessecret_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

const (
	namespace = "growth"
	annotated = "instantly-rotator.dev/api-key"
)

// cluster is where the tests keep Secrets: the stand-in or a real one.
type cluster struct {
	cfg       *rest.Config
	namespace string
	tap       *wire.Tap
}

func standIn() (*cluster, *kubetest.Server) {
	server := kubetest.New(namespace)
	return newCluster(server.Config(), namespace), server
}

// anyCluster is the real one where the environment names one, and the stand-in
// elsewhere: what hands do to a Secret must look the same on both.
func anyCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv(kubetest.KubeconfigVariable) != "" {
		return newCluster(kubetest.Real(t))
	}
	c, _ := standIn()
	return c
}

func newCluster(cfg *rest.Config, ns string) *cluster { return &cluster{cfg, ns, &wire.Tap{}} }

// open gives a store on a Secret, with the tap between it and the cluster.
func (c *cluster) open(t testing.TB, name string, changes ...func(*kubernetessecret.Options)) *kubernetessecret.Store {
	t.Helper()
	cfg := rest.CopyConfig(c.cfg)
	cfg.Wrap(c.tap.Wrap)
	connected, err := kubernetescluster.New(cfg, c.namespace)
	if err != nil {
		t.Fatal(err)
	}
	o := kubernetessecret.Options{Secret: name, Owner: "prod"}
	for _, change := range changes {
		change(&o)
	}
	s, err := kubernetessecret.Open(connected, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hand makes a call as a person with kubectl would.
func (c *cluster) hand(t testing.TB, method, path, contentType, body string) []byte {
	t.Helper()
	client, err := rest.HTTPClientFor(c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	url := c.cfg.Host + "/api/v1/namespaces/" + c.namespace + "/secrets" + path
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "kubectl/v1")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var raw json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&raw); err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, url, res.Status, raw, err)
	}
	return raw
}

func (c *cluster) make(t testing.TB, name, more string) {
	t.Helper()
	c.hand(t, http.MethodPost, "", "application/json", fmt.Sprintf(`{"metadata":{"name":%q}%s}`, name, more))
}

func (c *cluster) edit(t testing.TB, name, patch string) {
	t.Helper()
	c.hand(t, http.MethodPatch, "/"+name, "application/merge-patch+json", patch)
}

// put writes a value by hand; an empty one takes the data key away.
func (c *cluster) put(t testing.TB, name, key, value string) {
	t.Helper()
	encoded := "null"
	if value != "" {
		encoded = `"` + base64.StdEncoding.EncodeToString([]byte(value)) + `"`
	}
	c.edit(t, name, fmt.Sprintf(`{"data":{%q:%s}}`, key, encoded))
}

// wipe takes the annotation away, as kubectl replace does.
func (c *cluster) wipe(t testing.TB, name string) {
	t.Helper()
	c.edit(t, name, fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, annotated))
}

type seenSecret struct {
	Type     string
	Data     map[string][]byte
	Metadata struct {
		UID                 string
		Labels, Annotations map[string]string
	}
}

func (c *cluster) secret(t testing.TB, name string) seenSecret {
	t.Helper()
	var sec seenSecret
	if err := json.Unmarshal(c.hand(t, http.MethodGet, "/"+name, "application/json", ""), &sec); err != nil {
		t.Fatal(err)
	}
	return sec
}

// forgetPromoted takes the promotion times out of the annotation.
func (c *cluster) forgetPromoted(t testing.TB, name string) {
	t.Helper()
	c.rewrite(t, name, func(state map[string]any) {
		for _, v := range state["versions"].([]any) {
			delete(v.(map[string]any), "promoted")
		}
	})
}

// rewrite edits the annotation.
func (c *cluster) rewrite(t testing.TB, name string, change func(map[string]any)) {
	t.Helper()
	var state map[string]any
	if err := json.Unmarshal([]byte(c.secret(t, name).Metadata.Annotations[annotated]), &state); err != nil {
		t.Fatal(err)
	}
	change(state)
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	c.annotate(t, name, string(text))
}

func (c *cluster) annotate(t testing.TB, name, text string) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{annotated: text}}})
	if err != nil {
		t.Fatal(err)
	}
	c.edit(t, name, string(patch))
}

var secrets atomic.Int64

// fresh makes an empty Secret and gives its name.
func (c *cluster) fresh(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("sending-%d", secrets.Add(1))
	c.make(t, name, "")
	return name
}
