package gcpsecretmanager_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
)

// What disabling versions needs is asked for only where that is configured.
func TestProbeOfWritesAsksForThePermissionsOfTheRoleAndChangesNothing(t *testing.T) {
	disabling := append(permissionsOf(t, "gcp-role.yaml"), permissionsOf(t, "gcp-role-disable.yaml")...)
	for name, c := range map[string]struct {
		needs  []string
		change []func(*gcpsecretmanager.Options)
	}{
		"role":              {permissionsOf(t, "gcp-role.yaml"), nil},
		"versions are kept": {disabling, []func(*gcpsecretmanager.Options){func(o *gcpsecretmanager.Options) { o.KeepVersions = 1 }}},
	} {
		server := newServer(t)
		s := open(t, server, c.change...)
		must(t, s, staging("a"), promoting("a"))
		before := server.Secret("sending")
		if p, err := s.ProbeWrites(t.Context()); err != nil || len(p.Lacking)+len(p.Unknown) > 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if diff := cmp.Diff(before, server.Secret("sending"), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
		for _, permission := range c.needs {
			server.Deny(permission)
			p, err := s.ProbeWrites(t.Context())
			reads := permission == "secretmanager.secrets.get" || permission == "secretmanager.versions.get"
			if reads && err == nil || !reads && (len(p.Lacking) != 1 || !strings.Contains(p.Lacking[0], permission)) {
				t.Errorf("%s, without %s: %+v, %v", name, permission, p, err)
			}
			server.Allow()
		}
	}
}
