package sandbox_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

const membersPath = "/api/v2/workspace-members"

type memberSeen struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Nickname string `json:"nickname"`
	Accepted bool   `json:"accepted"`
}

// people gives the members as "email role", with a question mark while invited.
func people(t *testing.T, c client) []string {
	t.Helper()
	var all []string
	for _, m := range decode[listPage[memberSeen]](t, c.get(membersPath+"?limit=100")).Items {
		all = append(all, m.Email+" "+m.Role+map[bool]string{false: "?"}[m.Accepted])
	}
	return all
}

func TestMembersAreInvitedAcceptChangeRoleAndGo(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()}}
	srv, admin := reopen(t, o)
	invited := decode[memberSeen](t, admin.send(http.MethodPost, membersPath, `{"email":"bob@acme.example","role":"editor"}`))
	want := []string{"owner@acme.example owner", "bob@acme.example editor?"}
	if d := cmp.Diff(want, people(t, admin)); d != "" {
		t.Error(d)
	}
	if err := srv.AcceptInvitation(invited.ID); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, admin.send(http.MethodPatch, membersPath+"/"+invited.ID, `{"role":"admin","nickname":"B"}`), http.StatusOK)
	_, admin = reopen(t, o)
	want[1] = "bob@acme.example admin"
	if d := cmp.Diff(want, people(t, admin)); d != "" {
		t.Error("after a restart:", d)
	}
	if m := decode[memberSeen](t, admin.get(membersPath+"/"+invited.ID)); m.Nickname != "B" || !m.Accepted {
		t.Errorf("got %+v", m)
	}
	wantStatus(t, admin.send(http.MethodDelete, membersPath+"/"+invited.ID, ""), http.StatusOK)
	wantStatus(t, admin.send(http.MethodDelete, membersPath+"/"+invited.ID, ""), http.StatusNotFound)
	if d := cmp.Diff(want[:1], people(t, admin)); d != "" {
		t.Error(d)
	}
	if page := auditOf(t, admin, ""); len(page.Items) != 1 || page.Items[0].ActivityType != 1 || *page.Items[0].UserName != "bob@acme.example" {
		t.Errorf("the log has not one login: %+v", page.Items)
	}
}

func TestMembersThatCannotBeAreRefused(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	owner := srv.Members(sandbox.DefaultWorkspaceID)[0].ID
	for body, message := range map[string]string{
		`[]`:                                     "body must be object",
		`{"role":"admin"}`:                       "body must have required property 'email'",
		`{"email":"a@b.example","role":"owner"}`: "body/role must be equal to one of the allowed values",
		`{"email":"a@b.example","role":"client"}`:               "body/role must be equal to one of the allowed values",
		`{"email":"bob","role":"view"}`:                         `body/email must match format "email"`,
		`{"email":"a@b.example","role":"view","accepted":true}`: "body must NOT have additional properties",
		`{"email":"Owner@acme.example","role":"view"}`:          "User is already a member of this workspace",
	} {
		wantError(t, admin.send(http.MethodPost, membersPath, body), http.StatusBadRequest, message)
	}
	wantError(t, admin.send(http.MethodPatch, membersPath+"/"+owner, `{}`), http.StatusBadRequest, "body must NOT have fewer than 1 properties")
	wantStatus(t, admin.send(http.MethodPatch, membersPath+"/"+owner, `{"role":"view"}`), http.StatusForbidden)
	wantStatus(t, admin.send(http.MethodDelete, membersPath+"/"+owner, ""), http.StatusForbidden)
	if d := cmp.Diff([]string{"owner@acme.example owner"}, people(t, admin)); d != "" {
		t.Error(d)
	}
}

func TestPeopleComeAndGoOverHTTP(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{})
	a := c.send(http.MethodPost, "/_sandbox/members", `{"email":"bob@acme.example","role":"editor","pending":true}`)
	wantStatus(t, a, http.StatusOK)
	id := decode[memberSeen](t, a).ID
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/members/"+id+"/accept", ""), http.StatusNoContent)
	wantStatus(t, c.send(http.MethodPut, "/_sandbox/members/"+id+"/role", `{"role":"admin"}`), http.StatusNoContent)
	if d := cmp.Diff([]string{"owner@acme.example owner", "bob@acme.example admin"}, people(t, c)); d != "" {
		t.Error(d)
	}
	if m := decode[[]memberSeen](t, c.get("/_sandbox/members")); len(m) != 2 || m[1].ID != id {
		t.Errorf("got %+v", m)
	}
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/members/"+id, ""), http.StatusNoContent)
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/members/"+id, ""), http.StatusNotFound)
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/members", `{"name":"x"}`), http.StatusBadRequest)
	if _, err := srv.AddMember("nowhere", sandbox.Member{}); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
