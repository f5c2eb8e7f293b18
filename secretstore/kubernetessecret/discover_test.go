package kubernetessecret_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
)

// TestAClusterThatKnowsUsIsFound: with the namespace of the kubeconfig's context.
func TestAClusterThatKnowsUsIsFound(t *testing.T) {
	cluster := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer known" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}`)
	}))
	t.Cleanup(cluster.Close)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	t.Setenv("KUBECONFIG", path)
	write := func(token string) {
		text := fmt.Sprintf("{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}], "+
			"users: [{name: u, user: {token: %s}}], contexts: [{name: x, context: {cluster: c, user: u, namespace: growth}}]}", cluster.URL, token)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("known")
	found, err := kubernetessecret.Kind().Discover(t.Context())
	if want := cluster.URL + ", namespace growth"; err != nil || found.As != want || found.Settings["namespace"] != "growth" {
		t.Errorf("found %+v, %v, want %s", found, err, want)
	}
	write("unknown")
	if found, err := kubernetessecret.Kind().Discover(t.Context()); err == nil {
		t.Errorf("a cluster that refuses us is found: %+v", found)
	}
}
