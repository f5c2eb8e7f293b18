package kubernetescluster_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// kubeconfig writes one with a context for each namespace, the first of which is
// the current one.
func kubeconfig(t *testing.T, namespaces ...string) string {
	t.Helper()
	var contexts []string
	for _, ns := range namespaces {
		contexts = append(contexts, fmt.Sprintf("{name: %s, context: {cluster: c, user: u, namespace: %s}}", ns, ns))
	}
	text := fmt.Sprintf("{apiVersion: v1, kind: Config, current-context: %s, clusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}], users: [{name: u, user: {token: t}}], contexts: [%s]}",
		namespaces[0], strings.Join(contexts, ", "))
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNamespaceIsThatOfTheContext(t *testing.T) {
	path := kubeconfig(t, "growth", "sales")
	for context, want := range map[string]string{"": "growth", "sales": "sales"} {
		c, err := kubernetescluster.Connect(kubernetescluster.Location{Kubeconfig: path, Context: context})
		if err != nil || c.Namespace() != want {
			t.Errorf("context %q: %v, namespace %s", context, err, c.Namespace())
		}
	}
}

func TestClusterOutsideOfOneIsWhatKUBECONFIGSays(t *testing.T) {
	t.Setenv("KUBECONFIG", kubeconfig(t, "growth"))
	if _, err := kubernetescluster.Connect(kubernetescluster.Location{}); err != nil {
		t.Error(err)
	}
}

func TestNoClusterIsSaidPlainly(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	_, err := kubernetescluster.Connect(kubernetescluster.Location{})
	withoutCredentials(t, err, "run in one, or set kubeconfig, or KUBECONFIG")
	_, err = kubernetescluster.Connect(kubernetescluster.Location{Kubeconfig: kubeconfig(t, "growth"), Context: "unknown"})
	withoutCredentials(t, err, `"unknown"`)
}

func withoutCredentials(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, secretstore.ErrNoCredentials) || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want ErrNoCredentials that says %s", err, text)
	}
}
