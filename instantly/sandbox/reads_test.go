package sandbox_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

type member struct {
	Email    string `json:"email"`
	Role     string `json:"role"`
	Accepted bool   `json:"accepted"`
}

func memberEmail(m member) string { return m.Email }

func TestMembersCanBeFiltered(t *testing.T) {
	space := acme()
	space.Members = []sandbox.Member{
		{Email: "ann@acme.example", Role: "owner"}, {Email: "bob@acme.example", Role: "editor"},
		{Email: "cy@agency.example", Role: "client", Pending: true},
	}
	_, admin := inProcess(t, sandbox.Options{Workspaces: []sandbox.Workspace{space}})
	for query, want := range map[string][]string{
		"":                      {"ann@acme.example", "bob@acme.example", "cy@agency.example"},
		"?accepted=true":        {"ann@acme.example", "bob@acme.example"},
		"?accepted=false":       {"cy@agency.example"},
		"?search=ACME":          {"ann@acme.example", "bob@acme.example"},
		"?limit=1&search=bob":   {"bob@acme.example"},
		"?starting_after=never": nil,
	} {
		page := decode[listPage[member]](t, admin.get("/api/v2/workspace-members"+query))
		if d := cmp.Diff(want, names(page.Items, memberEmail)); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
}

func TestMembersComeInPages(t *testing.T) {
	space := acme()
	space.Members = []sandbox.Member{{Email: "a@x.example", Role: "owner"}, {Email: "b@x.example"}, {Email: "c@x.example"}}
	_, admin := inProcess(t, sandbox.Options{Workspaces: []sandbox.Workspace{space}})
	first := decode[listPage[member]](t, admin.get("/api/v2/workspace-members?limit=2"))
	second := decode[listPage[member]](t, admin.get("/api/v2/workspace-members?limit=2&starting_after="+first.Next))
	got := append(names(first.Items, memberEmail), names(second.Items, memberEmail)...)
	if d := cmp.Diff([]string{"a@x.example", "b@x.example", "c@x.example"}, got); d != "" || second.Next != "" {
		t.Errorf("last cursor %q, %s", second.Next, d)
	}
}

func TestGroupListsSubWorkspacesWithTheirStatus(t *testing.T) {
	type membership struct {
		Sub    string `json:"sub_workspace_id"`
		Admin  string `json:"admin_workspace_id"`
		Status string `json:"status"`
	}
	spaces := agency()
	_, admin := inProcess(t, sandbox.Options{Workspaces: spaces})
	want := []membership{
		{spaces[1].ID, spaces[0].ID, "accepted"}, {spaces[2].ID, spaces[0].ID, "pending"},
	}
	got := decode[listPage[membership]](t, admin.get("/api/v2/workspace-group-members"))
	if d := cmp.Diff(want, got.Items); d != "" {
		t.Error(d)
	}
}

func TestEveryRouteAnswersWithItsScopeAlone(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{RateLimit: unlimited()})
	for _, r := range sandbox.Routes() {
		t.Run(r.Method+" "+r.Pattern, func(t *testing.T) {
			admin.t = t
			k := admin.create("probe", r.Scopes[0])
			a := admin.as(k.Key).send(r.Method, examplePath(r.Pattern), exampleBody(r))
			if !slices.Contains([]int{http.StatusOK, http.StatusNotFound}, a.status) || a.err != nil {
				t.Errorf("got status %d: %s", a.status, a.text)
			}
			other := admin.create("stranger", "auth:read")
			wantStatus(t, admin.as(other.Key).send(r.Method, examplePath(r.Pattern), exampleBody(r)), http.StatusUnauthorized)
		})
	}
}

func TestLeadsTakeTheirLimitInTheBody(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for body, status := range map[string]int{
		`{}`: 200, `{"limit":1}`: 200, `{"limit":100}`: 200, `{"limit":0}`: 400, `{"limit":101}`: 400,
		`{"limit":"1"}`: 400, `{"limit":1.5}`: 400, `[]`: 400,
	} {
		if a := admin.send(http.MethodPost, "/api/v2/leads/list", body); a.status != status {
			t.Errorf("%s: got status %d; want %d", body, a.status, status)
		}
	}
}
