package kubetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// KubeconfigVariable names the environment variable with the path of a
// kubeconfig whose cluster the tests may use, as its administrator.
const KubeconfigVariable = "INSTANTLY_ROTATOR_TEST_KUBECONFIG"

// Real gives the cluster that the environment names, and a namespace made there
// for the test. Without one the test is skipped.
func Real(t *testing.T) (cfg *rest.Config, namespace string) {
	t.Helper()
	path := os.Getenv(KubeconfigVariable)
	if path == "" {
		t.Skip("runs only where " + KubeconfigVariable + " names a kubeconfig")
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	namespace = "rotator-test-" + strings.ToLower(rand.Text()[:8])
	administer(t, cfg, http.MethodPost, "/api/v1/namespaces", fmt.Sprintf(`{"metadata":{"name":%q}}`, namespace))
	t.Cleanup(func() { administer(t, cfg, http.MethodDelete, "/api/v1/namespaces/"+namespace, "") })
	return cfg, namespace
}

// administer makes a call that must succeed.
func administer(t *testing.T, cfg *rest.Config, method, path, body string) {
	t.Helper()
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, cfg.Host+path, bytes.NewBufferString(body)) //nolint:gosec // the address is that of the cluster given for tests
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r) //nolint:gosec // as above
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s", method, path, res.Status)
	}
}
