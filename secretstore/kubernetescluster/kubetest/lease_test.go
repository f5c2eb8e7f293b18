package kubetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

// leases gives the desk on which Leases are kept.
func (d *desk) leases() *desk {
	other := *d
	other.prefix = strings.NewReplacer("/api/v1/", "/apis/coordination.k8s.io/v1/", "/secrets", "/leases").Replace(d.prefix)
	return &other
}

func lease(version, holder string) string {
	return fmt.Sprintf(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","resourceVersion":%q},`+
		`"spec":{"holderIdentity":%q,"leaseDurationSeconds":15,"renewTime":"2026-01-02T03:04:05.000006Z"}}`, version, holder)
}

// checkLeases: what an election hangs on.
func checkLeases(d *desk) {
	d = d.leases()
	d.want(d.get("l"), 404, "NotFound", `leases.coordination.k8s.io "l" not found`)
	made := d.create(lease("", "a"))
	d.want(made, 201, "", "")
	d.want(d.create(lease("", "b")), 409, "AlreadyExists", `leases.coordination.k8s.io "l" already exists`)
	d.want(d.update("l", lease("", "b")), 422, "Invalid", "metadata.resourceVersion: Invalid value: 0")
	next := d.update("l", lease(made.Metadata.ResourceVersion, "b"))
	d.want(next, 200, "", "")
	if next.Metadata.ResourceVersion == made.Metadata.ResourceVersion {
		d.Error("an update left the resourceVersion as it was")
	}
	d.want(d.update("l", lease(made.Metadata.ResourceVersion, "c")), 409, "Conflict", "the object has been modified")
	if got := d.get("l"); got.Metadata.ResourceVersion != next.Metadata.ResourceVersion {
		d.Error("a refused update changed the Lease")
	}
}

func TestLeasesAreSwappedAsTheAPIServerDoes(t *testing.T) {
	t.Run("stand-in", func(t *testing.T) { checkLeases(newDesk(t, kubetest.New("here").Config(), "here")) })
	t.Run("API server", func(t *testing.T) {
		cfg, namespace := kubetest.Real(t)
		checkLeases(newDesk(t, cfg, namespace))
	})
}
