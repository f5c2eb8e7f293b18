package kubernetessecret_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// kubeconfig writes one with a context for each namespace, all on one server. The
// first is the current one.
func kubeconfig(t *testing.T, namespaces ...string) string {
	t.Helper()
	web := httptest.NewServer(kubetest.New(namespaces...))
	t.Cleanup(web.Close)
	var contexts []string
	for _, ns := range namespaces {
		contexts = append(contexts, fmt.Sprintf("{name: %s, context: {cluster: c, user: u, namespace: %s}}", ns, ns))
	}
	text := fmt.Sprintf("{apiVersion: v1, kind: Config, current-context: %s, clusters: [{name: c, cluster: {server: %q}}], users: [{name: u, user: {token: t}}], contexts: [%s]}",
		namespaces[0], web.URL, strings.Join(contexts, ", "))
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNamespaceIsThatOfTheStoreThenThatOfTheContext(t *testing.T) {
	path := kubeconfig(t, "growth", "sales")
	for _, c := range []struct{ context, namespace, want string }{
		{"", "", "growth"}, {"sales", "", "sales"}, {"sales", "growth", "growth"},
	} {
		cluster, err := kubernetescluster.Connect(kubernetescluster.Location{Kubeconfig: path, Context: c.context})
		if err != nil {
			t.Fatal(err)
		}
		s, err := kubernetessecret.Open(cluster, kubernetessecret.Options{Secret: "sending", Namespace: c.namespace})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrNotFound, "describe in "+c.want+"/sending")
	}
}
