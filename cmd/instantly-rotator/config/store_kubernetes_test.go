package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
)

func TestKubernetesStoreIsTakenAsWritten(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "  local: {kind: file, path: ./store}", `  local: {kind: kubernetes}
  all:
    kind: kubernetes
    namespace: growth
    key: INSTANTLY_API_KEY
    kubeconfig: /etc/kubeconfig
    context: production
    create_missing: true
    labels: {team: growth, app.kubernetes.io/name: sender}
    annotations: {example.com/why: "keys, fresh"}`, 1))
	want := map[string]config.Store{
		"local": {Name: "local", Kind: "kubernetes", Settings: &kubernetessecret.Settings{Key: "api-key"}},
		"all": {Name: "all", Kind: "kubernetes", Settings: &kubernetessecret.Settings{
			Namespace: "growth", Key: "INSTANTLY_API_KEY", CreateMissing: true,
			Cluster: kubernetescluster.Location{Kubeconfig: "/etc/kubeconfig", Context: "production"},
			Create: kubernetessecret.Create{
				Labels:      map[string]string{"team": "growth", "app.kubernetes.io/name": "sender"},
				Annotations: map[string]string{"example.com/why": "keys, fresh"},
			},
		}},
	}
	if diff := cmp.Diff(want, got.Stores); diff != "" {
		t.Errorf("stores (-want +got):\n%s", diff)
	}
}
