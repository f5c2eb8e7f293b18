package recorder_test

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/recorder"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

func open(t *testing.T, server *kubetest.Server) *recorder.ConfigMap {
	t.Helper()
	cluster, err := kubernetescluster.New(server.Config(), "keys")
	if err != nil {
		t.Fatal(err)
	}
	m, err := recorder.NewConfigMap(cluster, "", "trail")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAConfigMapTakesNoStateOverAnotherOnes(t *testing.T) {
	server := kubetest.New("keys")
	server.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "keys", Name: "trail", Labels: map[string]string{"team": "growth"}}})
	m := open(t, server)
	seen, err := m.Load(t.Context())
	if err != nil || seen.Head != "" || seen.Revision == "" {
		t.Fatalf("an empty one: %+v, %v", seen, err)
	}
	first, err := m.Swap(t.Context(), trail.Kept{Head: "h1", Checkpoint: "c1", PublicKey: "k", Revision: seen.Revision})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Swap(t.Context(), trail.Kept{Head: "h2", Checkpoint: "c2", PublicKey: "k", Revision: seen.Revision}); !errors.Is(err, trail.ErrMoved) {
		t.Errorf("a state that goes by what is there no longer: %v", err)
	}
	if now, err := m.Load(t.Context()); err != nil || now != first || now.Head != "h1" || now.Checkpoint != "c1" || now.PublicKey != "k" {
		t.Errorf("got %+v, %v, want %+v", now, err, first)
	}
	kubetest.Change(server, "keys", "trail", func(c *corev1.ConfigMap) {
		if c.Labels["team"] != "growth" {
			t.Error("its labels are gone")
		}
	})
}

func TestAConfigMapThatCannotBeHadSaysWhatIsMissing(t *testing.T) {
	server := kubetest.New("keys")
	if _, err := open(t, server).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "kubectl --namespace keys create configmap trail") {
		t.Errorf("not there: %v", err)
	}
	server.Denied = map[string]bool{"get": true}
	if _, err := open(t, server).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "the role needs get and patch") {
		t.Errorf("denied: %v", err)
	}
}
