package fleet

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

const agency = `
workspaces:
  client: {admin_key: {store: local, secret: admin, rotate: {}}, as_workspace: sub, organization_id: theirs}
  other: {admin_key: {store: local, secret: admin}, as_workspace: sub2}
  apart: {admin_key: {env: OTHER}}
stores: {local: {kind: file, path: ./store}}
keys:
  - {name: x, workspace: client, scopes: [leads:read], stores: [{store: local}]}
  - {name: y, workspace: other, scopes: [leads:read], stores: [{store: local}]}
  - {name: z, workspace: apart, scopes: [leads:read], stores: [{store: local}]}
`

// An agency's admin key is not one of a workspace that it acts for, and all that are
// rotated with it wait while it is replaced, also if it was not named itself.
func TestTargetsKnowTheAdminKeyThatTheyAreRotatedWith(t *testing.T) {
	f := All(t.Context(), options(t, agency, nil))
	defer f.Close()
	admin, x, y, z := f.Targets[0], f.Targets[1], f.Targets[2], f.Targets[3]
	if !admin.Credential || admin.Awaits.Store != nil || admin.Workspace == x.Workspace || admin.Workspace.Name != "client-admin-key" {
		t.Errorf("the admin key is issued in %s", admin.Workspace.Name)
	}
	if x.Awaits.Name != "client-admin-key" || x.Awaits.Store != y.Awaits.Store || z.Awaits.Store != nil || x.Credential {
		t.Errorf("x waits for %q, y for %q, z for %q", x.Awaits.Name, y.Awaits.Name, z.Awaits.Name)
	}
	one, err := Named(t.Context(), options(t, agency, nil), []string{"y"})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if one.Targets[0].Awaits.Name != "client-admin-key" {
		t.Errorf("alone, y waits for %q", one.Targets[0].Awaits.Name)
	}
}

func TestWorkspacesOfOneAdminKeyShareIt(t *testing.T) {
	o := options(t, agency, map[string]string{"OTHER": "abc"})
	c := Connect(o)
	defer c.Close()
	client, other, apart := o.Config.Workspaces["client"], o.Config.Workspaces["other"], o.Config.Workspaces["apart"]
	if c.adminKey(t.Context(), client.AdminKey) != c.adminKey(t.Context(), other.AdminKey) {
		t.Error("when it is replaced, one of the two keeps the old one")
	}
	if c.adminKey(t.Context(), apart.AdminKey) == c.adminKey(t.Context(), client.AdminKey) {
		t.Error("another admin key is taken for it")
	}
}

func TestAdminKeyThatIsNotRotatedIsSaid(t *testing.T) {
	for said, ws := range map[string]config.Workspace{
		"": {Name: "w", AdminTarget: "w-admin-key"},
		"the admin key of workspace w is not rotated, since it is in environment variable KEY and not in a store": {Name: "w", AdminKey: config.SecretRef{Env: "KEY"}},
		"the admin key of workspace w is not rotated, since it is in file /k and not in a store":                  {Name: "w", AdminKey: config.SecretRef{File: "/k"}},
		"the admin key of workspace w is not rotated, since admin_key has no rotate":                              {Name: "w", AdminKey: config.SecretRef{Store: "s", Secret: "k"}},
	} {
		if got := NotRotated(ws); got != said {
			t.Errorf("%q, want %q", got, said)
		}
	}
}
