package kubetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

// leases gives the client of Leases.
func (c *apiClient) leases() *apiClient {
	other := *c
	other.prefix = strings.NewReplacer("/api/v1/", "/apis/coordination.k8s.io/v1/", "/secrets", "/leases").Replace(c.prefix)
	return &other
}

func lease(version, holder string) string {
	return fmt.Sprintf(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","resourceVersion":%q},`+
		`"spec":{"holderIdentity":%q,"leaseDurationSeconds":15,"renewTime":"2026-01-02T03:04:05.000006Z"}}`, version, holder)
}

// checkLeases: what an election hangs on.
func checkLeases(c *apiClient) {
	c = c.leases()
	c.want(c.get("l"), 404, "NotFound", `leases.coordination.k8s.io "l" not found`)
	made := c.create(lease("", "a"))
	c.want(made, 201, "", "")
	c.want(c.create(lease("", "b")), 409, "AlreadyExists", `leases.coordination.k8s.io "l" already exists`)
	c.want(c.update("l", lease("", "b")), 422, "Invalid", "metadata.resourceVersion: Invalid value: 0")
	next := c.update("l", lease(made.Metadata.ResourceVersion, "b"))
	c.want(next, 200, "", "")
	if next.Metadata.ResourceVersion == made.Metadata.ResourceVersion {
		c.Error("an update left the resourceVersion as it was")
	}
	c.want(c.update("l", lease(made.Metadata.ResourceVersion, "c")), 409, "Conflict", "the object has been modified")
	if got := c.get("l"); got.Metadata.ResourceVersion != next.Metadata.ResourceVersion {
		c.Error("a refused update changed the Lease")
	}
}

func TestLeasesAreSwappedAsTheAPIServerDoes(t *testing.T) {
	t.Run("stand-in", func(t *testing.T) { checkLeases(newClient(t, kubetest.New("here").Config(), "here")) })
	t.Run("API server", func(t *testing.T) {
		cfg, namespace := kubetest.Real(t)
		checkLeases(newClient(t, cfg, namespace))
	})
}
