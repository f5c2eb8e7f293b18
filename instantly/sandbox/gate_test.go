package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestMissingHeaderIsNamed(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	wantError(t, admin.as("").get(keysPath), http.StatusUnauthorized, "Missing Authorization header")
}

func TestUnknownKeyIsRefused(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	wantError(t, admin.as("guess").get(keysPath), http.StatusUnauthorized, "Invalid API key")
	basic := admin.with("Authorization", "Basic "+adminText)
	wantError(t, basic.get(keysPath), http.StatusUnauthorized, "Invalid API key")
}

func TestMissingScopeNamesWhatIsRequiredAndFound(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker", "campaigns:all", "leads:all")
	wantError(t, admin.as(k.Key).get("/api/v2/accounts"), http.StatusUnauthorized,
		"Invalid scope. Required: accounts:read. Found: campaigns:all, leads:all")
}

func TestAnyOfFourFormsOpensARoute(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for scope, status := range map[string]int{
		"accounts:read": 200, "accounts:all": 200, "all:read": 200, "all:all": 200,
		"accounts:create": 401, "all:create": 401, "campaigns:all": 401, "account:read": 401,
	} {
		k := admin.create(scope, scope)
		if a := admin.as(k.Key).get("/api/v2/accounts"); a.status != status {
			t.Errorf("%s: got status %d; want %d", scope, a.status, status)
		}
	}
}

func TestInboxManagerTakesAiAgentsAllForItsOwn(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	const path = "/api/v2/ai-agents/inbox-manager/01980000-0000-7000-8000-000000000001/replies"
	for scope, status := range map[string]int{"ai_agents:all": 404, "ai_sdr_replies:read": 404, "ai_sdr_replies:all": 401} {
		k := admin.create(scope, scope)
		if a := admin.as(k.Key).get(path); a.status != status {
			t.Errorf("%s: got status %d; want %d", scope, a.status, status)
		}
	}
}

func TestLookupIsNotFoundOnlyAfterTheScopeCheck(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker", "email_verifications:read")
	wantStatus(t, admin.as(k.Key).get("/api/v2/email-verification/a@b.example"), http.StatusNotFound)
	wantStatus(t, admin.as(k.Key).get("/api/v2/account-campaign-mappings/a@b.example"), http.StatusUnauthorized)
}

func TestLookupByTestNeedsItsParameter(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for _, path := range []string{"/api/v2/inbox-placement-analytics", "/api/v2/inbox-placement-reports"} {
		wantError(t, admin.get(path), http.StatusBadRequest, "querystring must have required property 'test_id'")
		wantStatus(t, admin.get(path+"?test_id=1"), http.StatusNotFound)
	}
}

func TestUnknownRouteAnswersAsFastify(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for _, path := range []string{"/api/v2/nothing?a=b", "/api/v2/api-keys/", "/api/v1/api-keys"} {
		wantError(t, admin.as("").get(path), http.StatusNotFound, "Route GET:"+path+" not found")
	}
}

func TestEmptyBodyWithJSONTypeIsRefused(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker")
	typed := admin.with("Content-Type", "application/json")
	for _, a := range []answer{typed.del(k.ID), typed.post("")} {
		wantError(t, a, http.StatusBadRequest, "Body cannot be empty when content-type is set to 'application/json'")
		if code := decode[apiError](t, a).Code; code != "FST_ERR_CTP_EMPTY_JSON_BODY" {
			t.Errorf("got code %s", code)
		}
	}
	wantStatus(t, typed.get(keysPath), http.StatusOK)
}

func TestBodyThatCannotBeReadIsRefused(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	broken := admin.post(`{"name":`)
	wantStatus(t, broken, http.StatusBadRequest)
	if code := decode[apiError](t, broken).Code; code != "FST_ERR_CTP_INVALID_JSON_BODY" {
		t.Errorf("got code %s", code)
	}
	wantStatus(t, admin.with("Content-Type", "text/plain").post(`{}`), http.StatusUnsupportedMediaType)
	wantStatus(t, admin.post(`"`+strings.Repeat("x", 1<<20)+`"`), http.StatusRequestEntityTooLarge)
}

func TestEdgeBlocksMissingAndDefaultAgents(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for agent, status := range map[string]int{
		"": 403, "Go-http-client/1.1": 403, "Go-http-client/2.0": 403, "Python-urllib/3.12": 403,
		"curl/8.5.0": 200, "instantly-rotator/1.0 (+https://example.org)": 200,
	} {
		if a := admin.with("User-Agent", agent).get(keysPath); a.status != status {
			t.Errorf("agent %q: got status %d; want %d", agent, a.status, status)
		}
	}
}

func TestRateLimitIsPerWorkspaceAndSecond(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	other := sandbox.Workspace{Name: "Other", AdminKey: secret.New("other-admin")}
	_, admin := inProcess(t, sandbox.Options{
		Now: func() time.Time { return now }, Workspaces: []sandbox.Workspace{acme(), other},
		RateLimit: sandbox.RateLimit{PerSecond: 2, PerMinute: -1},
	})
	k := admin.create("second key of the same workspace", "all:all")
	wantStatus(t, admin.get(keysPath), http.StatusOK)
	wantError(t, admin.as(k.Key).get(keysPath), http.StatusTooManyRequests, "Rate limit exceeded")
	wantStatus(t, admin.as("other-admin").get(keysPath), http.StatusOK)
	now = now.Add(time.Second)
	wantStatus(t, admin.get(keysPath), http.StatusOK)
}

func TestRateLimitIsPerMinute(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	_, admin := inProcess(t, sandbox.Options{
		Now: func() time.Time { return now }, RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: 2},
	})
	for range 2 {
		wantStatus(t, admin.get(keysPath), http.StatusOK)
		now = now.Add(10 * time.Second)
	}
	wantStatus(t, admin.get(keysPath), http.StatusTooManyRequests)
	now = now.Add(40 * time.Second)
	wantStatus(t, admin.get(keysPath), http.StatusOK)
}

func TestDocumentedRateLimitIsTheDefault(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	_, admin := inProcess(t, sandbox.Options{Now: func() time.Time { return now }})
	for range 100 {
		wantStatus(t, admin.get(keysPath), http.StatusOK)
	}
	wantStatus(t, admin.get(keysPath), http.StatusTooManyRequests)
}

// agency is an admin workspace with two sub-workspaces, one of which has not
// accepted yet, and a stranger with one of its own.
func agency() []sandbox.Workspace {
	return []sandbox.Workspace{
		acme(),
		{ID: "01980000-0000-7000-8000-000000000001", Name: "Client", Parent: sandbox.DefaultWorkspaceID},
		{ID: "01980000-0000-7000-8000-000000000002", Name: "Invited", Parent: sandbox.DefaultWorkspaceID, Invitation: sandbox.InvitationPending},
		{ID: "01980000-0000-7000-8000-000000000003", Name: "Stranger"},
		{ID: "01980000-0000-7000-8000-000000000004", Name: "Stranger's client", Parent: "01980000-0000-7000-8000-000000000003"},
	}
}

func TestAdminActsInItsSubWorkspace(t *testing.T) {
	spaces := agency()
	srv, admin := inProcess(t, sandbox.Options{Workspaces: spaces})
	sub := admin.with("x-as-workspace", spaces[1].ID)
	if k := sub.create("worker", "workspaces:read"); k.OrganizationID != spaces[1].ID {
		t.Errorf("the key belongs to %s", k.OrganizationID)
	}
	if got := decode[apiKey](t, sub.get("/api/v2/workspaces/current")); got.ID != spaces[1].ID {
		t.Errorf("current workspace is %s", got.ID)
	}
	if len(srv.Keys(spaces[1].ID)) != 2 || len(srv.Keys(sandbox.DefaultWorkspaceID)) != 1 {
		t.Error("the key was not created in the sub-workspace alone")
	}
}

func TestOtherWorkspacesStayShut(t *testing.T) {
	spaces := agency()
	_, admin := inProcess(t, sandbox.Options{Workspaces: spaces})
	for _, id := range []string{spaces[2].ID, spaces[3].ID, spaces[4].ID, "unknown"} {
		wantStatus(t, admin.with("x-as-workspace", id).get(keysPath), http.StatusForbidden)
	}
}

func TestKeyOfAnotherWorkspaceCannotBeDeleted(t *testing.T) {
	spaces := agency()
	srv, admin := inProcess(t, sandbox.Options{Workspaces: spaces})
	theirs := srv.Keys(spaces[3].ID)[0]
	wantStatus(t, admin.del(theirs.ID), http.StatusNotFound)
	if !srv.Alive(theirs.Value) {
		t.Error("the stranger's key is dead")
	}
}
