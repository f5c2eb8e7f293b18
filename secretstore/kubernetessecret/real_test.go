package kubernetessecret_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// TestRoleOfTheDocumentedVerbsIsEnoughOnARealCluster rotates as a service account
// that may do what doc.go says, on one Secret, and no more.
func TestRoleOfTheDocumentedVerbsIsEnoughOnARealCluster(t *testing.T) {
	cfg, ns := kubetest.Real(t)
	newCluster(cfg, ns).make(t, "sending", "")
	c := newCluster(asServiceAccount(t, cfg, ns), ns)
	s := c.open(t, "sending")
	steps.Must(t, s, steps.Rotation()...)
	steps.WantHeld(t, s, "/b/")
	steps.WantValue(t, s, "b", steps.ValueOf("b"))

	_, err := c.open(t, "other").Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrDenied, "needs the verb get on the secret other in namespace "+ns, "system:serviceaccount:"+ns+":rotator")
	newCluster(cfg, ns).hand(t, "DELETE", "/sending", "application/json", "")
	missing := c.open(t, "sending", creating)
	_, err = steps.Reserving("a").Call(t.Context(), missing, steps.Describe(t, missing))
	steps.WantError(t, err, secretstore.ErrDenied, "needs the verb create on the secret sending")
}

// asServiceAccount makes an account with the right to get and patch one Secret.
func asServiceAccount(t *testing.T, admin *rest.Config, ns string) *rest.Config {
	t.Helper()
	const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/"
	administer(t, admin, "/api/v1/namespaces/"+ns+"/serviceaccounts", `{"metadata":{"name":"rotator"}}`)
	administer(t, admin, rbac+ns+"/roles", `{"metadata":{"name":"rotator"},"rules":[
		{"apiGroups":[""],"resources":["secrets"],"resourceNames":["sending"],"verbs":["get","patch"]}]}`)
	administer(t, admin, rbac+ns+"/rolebindings", fmt.Sprintf(`{"metadata":{"name":"rotator"},
		"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"rotator"},
		"subjects":[{"kind":"ServiceAccount","name":"rotator","namespace":%q}]}`, ns))
	var token struct{ Status struct{ Token string } }
	answer := administer(t, admin, "/api/v1/namespaces/"+ns+"/serviceaccounts/rotator/token", `{"spec":{"expirationSeconds":600}}`)
	if err := json.Unmarshal(answer, &token); err != nil || token.Status.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	cfg := rest.AnonymousClientConfig(admin)
	cfg.BearerToken = token.Status.Token
	return cfg
}

// administer makes something as the administrator.
func administer(t *testing.T, cfg *rest.Config, path, body string) json.RawMessage {
	t.Helper()
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, cfg.Host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("POST %s: %s %s", path, res.Status, answer)
	}
	return answer
}
