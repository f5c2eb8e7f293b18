package instantly_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestAMemberIsRemovedOrNotThere(t *testing.T) {
	for name, api := range map[string]*fakeAPI{
		"the object": always(200, `{"id":"m"}`), "nothing": always(200, ``), "not there": always(404, `{"message":"no"}`),
	} {
		if err := newClient(t, api).DeleteMember(t.Context(), "m"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r := api.requests()[0]
		if r.Method != "DELETE" || r.URL != "https://api.instantly.ai/api/v2/workspace-members/m" || r.Body != "" {
			t.Errorf("%s %s %q", r.Method, r.URL, r.Body)
		}
	}
	wantIs(t, newClient(t, always(401, scopeBody)).DeleteMember(t.Context(), "m"), instantly.ErrScope)
}

func TestAListOfMembersIsWholeOrNothing(t *testing.T) {
	members, err := newClient(t, inTurn(
		`{"items":[{"id":"a","email":"a@x.example"},{"id":"b"}],"next_starting_after":"b"}`,
		`{"items":[{"id":"b"},{"id":"c","name":{"first":"Cy","last":"Go"},"issuer_id":"a","permissions":["unibox.all"]}]}`)).Members(t.Context())
	want := []instantly.Member{{ID: "a", Email: "a@x.example"}, {ID: "b"}, {ID: "c", Name: "Cy Go", IssuerID: "a", Permissions: []string{"unibox.all"}}}
	if diff := cmp.Diff(want, members); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, second := range []string{`{"items":[{"id":"../b"}]}`, `{"items":[{"email":"x"}]}`, `{"items":`, `{}`} {
		members, err := newClient(t, inTurn(`{"items":[{"id":"a"}],"next_starting_after":"a"}`, second)).Members(t.Context())
		if wantIs(t, err, instantly.ErrMalformed); members != nil {
			t.Errorf("%d members", len(members))
		}
	}
}

func TestBlockListIsRead(t *testing.T) {
	entries, err := newClient(t, inTurn(`{"items":[{"id":"1","bl_value":"x.example","is_domain":true,"organization_id":"org","timestamp_created":"?"}],"next_starting_after":"1"}`,
		`{"items":[{"id":"2","bl_value":"a@x.example","is_domain":false}]}`)).BlockList(t.Context())
	want := []instantly.BlockListEntry{{ID: "1", Value: "x.example", IsDomain: true, Organization: "org"}, {ID: "2", Value: "a@x.example"}}
	if diff := cmp.Diff(want, entries); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestAnAuditLogEntryHasAllThatTheAPISays(t *testing.T) {
	body := `{"items":[
		{"id":"1","timestamp":"2026-08-01T10:00:00.000Z","activity_type":34,"from_api":false,"ip_address":"192.0.2.1","organization_id":"org",
		 "user_id":"u","user_name":"Ann","user_agent":"Mozilla/5.0","affected_count":12,"campaign_id":"c","webhook_id":"w","subsequence_id":"s","list_id":"l",
		 "audit_metadata":{"key":{"id":"` + keyID + `","value":"` + hidden + `"},"list":["x",7,null]}},
		{"id":"../2","activity_type":1e300,"affected_count":-1,"audit_metadata":"text"}],"next_starting_after":"2"}`
	logs, err := newClient(t, inTurn(body, `{"items":[{"id":"1","activity_type":34}]}`)).AuditLogs(t.Context(), instantly.AuditQuery{})
	if err != nil || len(logs) != 2 {
		t.Fatal(logs, err)
	}
	if l := logs[0]; !l.Mentions(keyID) || !l.Mentions("x") || l.Mentions("u") || l.Mentions("") {
		t.Error("what the metadata mentions is not found")
	}
	wantNone(t, piecesOf(), logs, logs[0])
	logs[0].Metadata = nil
	want := []instantly.AuditLog{{
		ID: "1", At: time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC), Activity: instantly.LeadsExported, IP: "192.0.2.1", Organization: "org",
		UserID: "u", UserName: "Ann", UserAgent: "Mozilla/5.0", Affected: 12, CampaignID: "c", WebhookID: "w", SubsequenceID: "s", ListID: "l",
	}, {Metadata: []secret.Value{secret.New("text")}}}
	if diff := cmp.Diff(want, logs); diff != "" {
		t.Error(diff)
	}
}

func TestNoAuditLogIsAnErrorOfItsOwn(t *testing.T) {
	for _, tc := range answerCases() {
		_, err := newClient(t, always(tc.status, tc.body, tc.header...)).AuditLogs(t.Context(), instantly.AuditQuery{})
		wantIs(t, err, tc.class)
		want := tc.class == instantly.ErrPlan || tc.class == instantly.ErrForbidden || tc.class == instantly.ErrNotFound
		if errors.Is(err, instantly.ErrNoAuditLog) != want {
			t.Errorf("%s: no audit log: %v; want %v", tc.name, !want, want)
		}
	}
}

func TestActivitiesHaveNames(t *testing.T) {
	for a, want := range map[instantly.Activity]string{
		instantly.KeyCreated: "API key created", instantly.UserLogin: "User login", 40: "Domain forwarding updated", 39: "activity 39",
	} {
		if a.String() != want {
			t.Errorf("%d is %q; want %q", int(a), a, want)
		}
	}
}
