package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// faulty gives a sandbox in which that went wrong from the start.
func faulty(t *testing.T, f sandbox.Faults) (*sandbox.Server, client) {
	t.Helper()
	srv, admin := inProcess(t, sandbox.Options{})
	srv.SetFaults(f)
	return srv, admin
}

func TestLostCreateResponseLeavesTheKeyBehind(t *testing.T) {
	srv, admin := faulty(t, sandbox.Faults{LostCreateResponse: true})
	wantLost(t, admin.post(`{"name":"orphan","scopes":[]}`))
	records := srv.Keys(sandbox.DefaultWorkspaceID)
	if len(records) != 2 || records[1].Name != "orphan" || !srv.Alive(records[1].Value) {
		t.Error("the key that nobody was told of is not alive")
	}
}

func TestLostCreateResponseStillTellsOfARefusal(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{LostCreateResponse: true})
	wantStatus(t, admin.post(`{}`), http.StatusBadRequest)
}

func TestCreateAnswerIDIsNotTheOneListed(t *testing.T) {
	for _, id := range []string{"../../workspaces/current", sandbox.OtherID} {
		srv, admin := faulty(t, sandbox.Faults{CreateAnswerID: id})
		k := admin.create("worker", "campaigns:read")
		if id != sandbox.OtherID && k.ID != id {
			t.Errorf("the create answered id %q; want %q", k.ID, id)
		}
		record := srv.Keys(sandbox.DefaultWorkspaceID)[1]
		if record.ID == k.ID || record.Name != "worker" || !srv.Alive(secret.New(k.Key)) {
			t.Errorf("the list has id %q for the create's %q", record.ID, k.ID)
		}
	}
}

func TestErrorInSuccessChangesNothing(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker", "campaigns:read")
	srv.SetFaults(sandbox.Faults{ErrorInSuccess: true})
	for name, a := range map[string]answer{
		"create": admin.post(`{"name":"n","scopes":[]}`), "list": admin.get(keysPath), "delete": admin.del(k.ID),
		"test call": admin.as(k.Key).get("/api/v2/campaigns"),
	} {
		if a.status != http.StatusOK || a.text != `{"error":"ACC_NOT_FOUND"}` {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	if len(srv.Keys(sandbox.DefaultWorkspaceID)) != 2 || !srv.Alive(secret.New(k.Key)) {
		t.Error("a call had an effect")
	}
	wantStatus(t, admin.as("unknown").get("/api/v2/campaigns"), http.StatusUnauthorized)
}

func TestEndlessListHasANewCursorOnEveryPage(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{EndlessList: true})
	seen := map[string]bool{}
	for next := ""; len(seen) < 20; {
		page := decode[listPage[apiKey]](t, admin.get(keysPath+"?starting_after="+next))
		if page.Next == "" || seen[page.Next] || len(page.Items) != 1 {
			t.Fatalf("page %d: %d items, cursor %q", len(seen)+1, len(page.Items), page.Next)
		}
		seen[page.Next], next = true, page.Next
	}
}

func TestNewKeyIsRefusedDuringTheActivationDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, admin := faulty(t, sandbox.Faults{ActivationDelay: 3 * time.Second})
		k := admin.create("worker", "campaigns:read")
		time.Sleep(3*time.Second - 1)
		wantError(t, admin.as(k.Key).get("/api/v2/campaigns"), http.StatusUnauthorized, "Invalid API key")
		if srv.Alive(secret.New(k.Key)) {
			t.Error("the key is alive too early")
		}
		time.Sleep(time.Nanosecond)
		wantStatus(t, admin.as(k.Key).get("/api/v2/campaigns"), http.StatusOK)
	})
}

func TestDeletedKeyWorksOnDuringTheRevocationDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, admin := faulty(t, sandbox.Faults{RevocationDelay: 3 * time.Second})
		k := admin.create("worker", "campaigns:read")
		wantStatus(t, admin.del(k.ID), http.StatusOK)
		srv.SetFaults(sandbox.Faults{}) // a key keeps the delay of its deletion
		time.Sleep(3*time.Second - 1)
		wantStatus(t, admin.as(k.Key).get("/api/v2/campaigns"), http.StatusOK)
		time.Sleep(time.Nanosecond)
		wantStatus(t, admin.as(k.Key).get("/api/v2/campaigns"), http.StatusUnauthorized)
		if srv.Alive(secret.New(k.Key)) {
			t.Error("the key is alive after the delay")
		}
	})
}

func TestListKeyRulesTheValueInListsAndDeletions(t *testing.T) {
	for form, shown := range map[sandbox.KeyForm]func(value string) string{
		"":                func(value string) string { return value },
		sandbox.KeyFull:   func(value string) string { return value },
		sandbox.KeyMasked: func(value string) string { return "********" + value[len(value)-4:] },
		sandbox.KeyEmpty:  func(string) string { return "" },
	} {
		t.Run(string(form), func(t *testing.T) {
			_, admin := faulty(t, sandbox.Faults{ListKey: form})
			k := admin.create("worker")
			listed := decode[listPage[apiKey]](t, admin.get(keysPath)).Items[1]
			deleted := decode[apiKey](t, admin.del(k.ID))
			if want := shown(k.Key); listed.Key != want || deleted.Key != want {
				t.Errorf("list shows %q, deletion %q; want %q", listed.Key, deleted.Key, want)
			}
		})
	}
}

func TestDeleteBodyCanBeEmpty(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{DeleteBody: sandbox.DeleteEmpty})
	k := admin.create("worker")
	a := admin.del(k.ID)
	wantStatus(t, a, http.StatusOK)
	if a.text != "" {
		t.Errorf("got body %q", a.text)
	}
	wantStatus(t, admin.del(k.ID), http.StatusNotFound)
}

func TestDeleteNotFoundLeavesTheKeyAlive(t *testing.T) {
	srv, admin := faulty(t, sandbox.Faults{DeleteNotFound: true})
	k := admin.create("worker")
	wantStatus(t, admin.del(k.ID), http.StatusNotFound)
	if !srv.Alive(secret.New(k.Key)) {
		t.Error("the key is dead")
	}
}

func TestPlanLapsedIsNotAboutTheKey(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	narrow := admin.create("worker", "auth:read")
	srv.SetFaults(sandbox.Faults{PlanLapsed: true})
	for _, a := range []answer{admin.get(keysPath), admin.post(`{"name":"x","scopes":[]}`), admin.as(narrow.Key).get(keysPath)} {
		wantError(t, a, http.StatusPaymentRequired, "Workspace does not have an active paid plan")
	}
	wantStatus(t, admin.as("guess").get(keysPath), http.StatusUnauthorized)
}

func TestUnavailableMeetsEveryCall(t *testing.T) {
	srv, admin := faulty(t, sandbox.Faults{Unavailable: true})
	wantError(t, admin.post(`{"name":"x","scopes":[]}`), http.StatusServiceUnavailable, "Service Unavailable")
	wantStatus(t, admin.as("guess").get(keysPath), http.StatusServiceUnavailable)
	if len(srv.Keys(sandbox.DefaultWorkspaceID)) != 1 {
		t.Error("a key was created all the same")
	}
}

func TestRateLimitedComesWithAndWithoutRetryAfter(t *testing.T) {
	for wait, header := range map[time.Duration]string{0: "", 1500 * time.Millisecond: "2", time.Minute: "60"} {
		_, admin := faulty(t, sandbox.Faults{RateLimited: true, RetryAfter: wait})
		a := admin.get(keysPath)
		wantError(t, a, http.StatusTooManyRequests, "Rate limit exceeded")
		if got := a.header.Get("Retry-After"); got != header {
			t.Errorf("after %v: got Retry-After %q; want %q", wait, got, header)
		}
	}
}

func TestEdgeBlockIsNotJSON(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{EdgeBlock: true})
	a := admin.get(keysPath)
	wantStatus(t, a, http.StatusForbidden)
	got := []string{a.text, a.header.Get("Server"), strings.Split(a.header.Get("Content-Type"), ";")[0]}
	if d := cmp.Diff([]string{"error code: 1010", "cloudflare", "text/plain"}, got); d != "" || a.header.Get("Cf-Ray") == "" {
		t.Errorf("cf-ray %q, %s", a.header.Get("Cf-Ray"), d)
	}
}

func TestTruncateCutsBodiesOverSockets(t *testing.T) {
	srv, _ := faulty(t, sandbox.Faults{Truncate: true})
	a := overSocket(t, srv).get(keysPath)
	wantLost(t, a)
	if a.status != http.StatusOK || a.text == "" {
		t.Errorf("got status %d and %d bytes before the end", a.status, len(a.text))
	}
}

func TestLatencyDelaysEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, admin := faulty(t, sandbox.Faults{Latency: 700 * time.Millisecond})
		start := time.Now()
		wantStatus(t, admin.get(keysPath), http.StatusOK)
		if took := time.Since(start); took != 700*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestCallerThatGivesUpDuringLatencyChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, admin := faulty(t, sandbox.Faults{Latency: time.Minute})
		admin.http.Timeout = time.Second
		if a := admin.post(`{"name":"x","scopes":[]}`); a.err == nil {
			t.Errorf("got status %d", a.status)
		}
		if len(srv.Keys(sandbox.DefaultWorkspaceID)) != 1 {
			t.Error("a key was created")
		}
	})
}

func TestCursorOnLastPageLeadsToAnEmptyPage(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{CursorOnLastPage: true})
	last := decode[listPage[apiKey]](t, admin.get(keysPath))
	if len(last.Items) != 1 || last.Next == "" {
		t.Fatalf("got %d items and cursor %q", len(last.Items), last.Next)
	}
	if a := admin.get(keysPath + "?starting_after=" + last.Next); a.text != `{"items":[]}` {
		t.Errorf("got %s", a.text)
	}
}

func TestRepeatCursorGivesThePageAgainAndAgain(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{RepeatCursor: true, PageSize: 1})
	admin.create("a")
	admin.create("b")
	first := decode[listPage[apiKey]](t, admin.get(keysPath))
	second := decode[listPage[apiKey]](t, admin.get(keysPath+"?starting_after="+first.Next))
	if first.Next == "" || second.Next != first.Next || len(second.Items) != 1 {
		t.Errorf("first cursor %q, second %q", first.Next, second.Next)
	}
}

func TestPageSizeHoldsWhereNoLimitIsAsked(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{PageSize: 2})
	for _, name := range []string{"a", "b", "c"} {
		admin.create(name)
	}
	for query, want := range map[string]int{"": 2, "?limit=3": 3} {
		if got := len(decode[listPage[apiKey]](t, admin.get(keysPath+query)).Items); got != want {
			t.Errorf("%q: got %d items; want %d", query, got, want)
		}
	}
}

func TestStrictScopesRefusesWhatIsNotPublished(t *testing.T) {
	_, admin := faulty(t, sandbox.Faults{StrictScopes: true})
	admin.create("worker", "background-jobs:delete", "email_verifications:create")
	for _, scope := range []string{"supersearch_enrichments:all", "email_verifications:update", "email_verifications:delete", "campaigns"} {
		wantError(t, admin.post(`{"name":"x","scopes":["all:read","`+scope+`"]}`), http.StatusBadRequest,
			"body/scopes/1 must be equal to one of the allowed values")
	}
}

func TestIgnoreAsWorkspaceCreatesInTheAdminsOwn(t *testing.T) {
	spaces := agency()
	srv, admin := inProcess(t, sandbox.Options{Workspaces: spaces})
	srv.SetFaults(sandbox.Faults{IgnoreAsWorkspace: true})
	if k := admin.with("x-as-workspace", spaces[1].ID).create("worker"); k.OrganizationID != sandbox.DefaultWorkspaceID {
		t.Errorf("the key belongs to %s", k.OrganizationID)
	}
}

func TestFaultsSurviveJSON(t *testing.T) {
	want := sandbox.Faults{
		LostCreateResponse: true, CreateAnswerID: sandbox.OtherID, ErrorInSuccess: true, EndlessList: true, ActivationDelay: time.Second, RevocationDelay: 90 * time.Second,
		ListKey: sandbox.KeyMasked, ListOrder: sandbox.NewestFirst, DeleteBody: sandbox.DeleteEmpty,
		DeleteNotFound: true, PlanLapsed: true, Unavailable: true, RateLimited: true,
		RetryAfter: time.Minute, EdgeBlock: true, Truncate: true, Latency: time.Millisecond,
		CursorOnLastPage: true, RepeatCursor: true, PageSize: 7, StrictScopes: true, IgnoreAsWorkspace: true,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got sandbox.Faults
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestImpossibleFaultsAreNamed(t *testing.T) {
	for part, f := range map[string]sandbox.Faults{
		"list_key":         {ListKey: "half"},
		"list_order":       {ListOrder: "random"},
		"delete_body":      {DeleteBody: "html"},
		"page_size":        {PageSize: 101},
		"activation_delay": {ActivationDelay: -1},
	} {
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: got %v", part, err)
		}
	}
}
