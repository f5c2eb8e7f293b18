//go:build linux && amd64

package crash

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

// cluster is Kubernetes.
type cluster struct{ server *kubetest.Server }

const namespace = "growth"

func openCluster(w *world) site {
	c := &cluster{kubetest.New(namespace)}
	url := door{w.desk, labelOfCluster, c.server, refuseAsCluster}.open(w.T)
	w.write("kubeconfig", fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here,
  clusters: [{name: here, cluster: {server: %q}}], users: [{name: me, user: {token: t}}],
  contexts: [{name: here, context: {cluster: here, user: me, namespace: %s}}]}`, url, namespace))
	return c
}

func labelOfCluster(r *http.Request, body []byte) string {
	return "kubernetes " + r.Method + " " + bySecret(r.URL.Path+string(body))
}

func refuseAsCluster(w http.ResponseWriter, f refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": f.text, "code": f.code, "message": "struck",
	})
}

func (c *cluster) stores() string {
	const one = "{kind: kubernetes, kubeconfig: kubeconfig, create_missing: true}"
	return "  a: " + one + "\n  b: " + one
}

func (c *cluster) env() []string { return nil }

func (c *cluster) traced() bool { return false }

func (c *cluster) serves() map[string]string {
	return map[string]string{
		"Secret of store a": c.server.Served(namespace, inA, "api-key"),
		"Secret of store b": c.server.Served(namespace, inB, "api-key"),
	}
}

func (c *cluster) remains() (left []string) {
	for _, secret := range []string{inA, inB} {
		if data := c.server.Secret(namespace, secret).Data; len(data) != 1 {
			left = append(left, fmt.Sprintf("%d values in Secret %s", len(data), secret))
		}
	}
	return left
}
