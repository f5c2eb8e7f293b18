package instantly_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// What client and sandbox, two independent readings of the API, make of each other.

// refusing is a receiver that refuses every delivery without one secret.
type refusing struct{ secret string }

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	status := http.StatusNoContent
	if req.Header.Get("X-Webhook-Secret") != r.secret {
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: req}, nil
}

func sandboxed(t *testing.T, scopes ...string) (*sandbox.Server, *instantly.Client) {
	t.Helper()
	srv := sandbox.New(sandbox.Options{
		Workspaces: []sandbox.Workspace{{ID: sandbox.DefaultWorkspaceID, Name: "Acme", AdminKey: secret.New(adminValue), AdminScopes: scopes}},
		Deliver:    refusing{"new"},
	})
	t.Cleanup(srv.Close)
	return srv, newClient(t, sandbox.Transport(srv))
}

func TestMembersOfTheSandboxGo(t *testing.T) {
	srv, c := sandboxed(t, "workspace_members:all", "audit_logs:read")
	for _, email := range []string{"a@acme.example", "b@acme.example"} {
		if _, err := srv.AddMember(sandbox.DefaultWorkspaceID, sandbox.Member{Email: email, Role: "editor", Pending: email[0] == 'b'}); err != nil {
			t.Fatal(err)
		}
	}
	members, err := c.Members(t.Context())
	if err != nil || len(members) != 3 || !members[1].Accepted || members[2].Accepted || members[2].Created.IsZero() {
		t.Fatal(members, err)
	}
	for range 2 {
		if err := c.DeleteMember(t.Context(), members[1].ID); err != nil {
			t.Error(err)
		}
	}
	wantIs(t, c.DeleteMember(t.Context(), members[0].ID), instantly.ErrForbidden)
	if left, err := c.Members(t.Context()); err != nil || len(left) != 2 {
		t.Error(left, err)
	}
	_, narrow := sandboxed(t, "workspace_members:read")
	wantIs(t, narrow.DeleteMember(t.Context(), members[1].ID), instantly.ErrScope)
}

func TestTheSandboxsAuditLogNamesTheKeyThatActed(t *testing.T) {
	srv, c := sandboxed(t, "api_keys:all", "audit_logs:read")
	k, err := c.CreateKey(t.Context(), "n", []string{"leads:read"})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.PlantEntry(sandbox.AuditEntry{
		Activity: 34, KeyID: k.ID, FromAPI: true, IP: "192.0.2.7", Affected: 12, Metadata: map[string]any{"list": []any{"x"}},
		At: time.Now().Add(-48 * time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	logs, err := c.AuditLogs(t.Context(), instantly.AuditQuery{})
	if err != nil || len(logs) != 2 || logs[0].Activity != instantly.KeyCreated || logs[0].KeyID != srv.Keys(sandbox.DefaultWorkspaceID)[0].ID {
		t.Fatal(logs, err)
	}
	if l := logs[1]; l.Activity != instantly.LeadsExported || l.KeyID != k.ID || l.Affected != 12 || !l.Mentions("x") || l.IP != "192.0.2.7" {
		t.Errorf("got %+v", l)
	}
	logs, err = c.AuditLogs(t.Context(), instantly.AuditQuery{Since: time.Now().Add(-time.Hour)})
	if err != nil || len(logs) != 1 {
		t.Error(logs, err)
	}
	srv.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditRefused})
	_, err = c.AuditLogs(t.Context(), instantly.AuditQuery{})
	wantIs(t, err, instantly.ErrNoAuditLog)
}

func TestAWebhooksSecretIsSwitchedInTheSandbox(t *testing.T) {
	for _, patch := range []sandbox.HeadersPatch{sandbox.HeadersReplaced, sandbox.HeadersMerged} {
		srv, c := sandboxed(t, "webhooks:all", "webhook_events:read")
		srv.SetFaults(sandbox.Faults{PatchHeaders: patch, RetryWithin: time.Millisecond, DisableAfter: 1})
		added, err := srv.AddWebhook(sandbox.DefaultWorkspaceID, sandbox.Webhook{
			URL: "https://a.example/h", EventType: "all_events",
			Headers: map[string]secret.Value{"X-Webhook-Secret": secret.New("old"), "X-Team": secret.New("growth")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := srv.Emit(sandbox.Event{}); err != nil {
			t.Fatal(err)
		}
		if err := srv.WaitForDeliveries(t.Context()); err != nil {
			t.Fatal(err)
		}
		hooks, err := c.Webhooks(t.Context())
		if err != nil || len(hooks) != 1 || hooks[0].Status != instantly.WebhookDisabled || hooks[0].Failed.IsZero() {
			t.Fatal(hooks, err)
		}
		headers := maps.Clone(hooks[0].Headers)
		headers["X-Webhook-Secret"] = secret.New("new")
		if _, err := c.SetWebhookHeaders(t.Context(), added.ID, headers); err != nil {
			t.Fatal(err)
		}
		if err := c.ResumeWebhook(t.Context(), added.ID); err != nil {
			t.Fatal(err)
		}
		hook, err := c.Webhook(t.Context(), added.ID)
		if err != nil || hook.Status != instantly.WebhookActive {
			t.Fatal(hook, err)
		}
		if d := cmp.Diff(headers, hook.Headers); d != "" {
			t.Error(d)
		}
		test, err := c.TestWebhook(t.Context(), hook)
		if err != nil || !test.Success || test.Status != http.StatusNoContent {
			t.Error(test, err)
		}
		events, err := c.WebhookEvents(t.Context(), instantly.WebhookEventQuery{FailedOnly: true, Since: time.Now().Add(-time.Minute)})
		if err != nil || len(events) != 4 {
			t.Fatal(events, err)
		}
		if e := events[0]; e.Status != 401 || e.Retries != 3 || e.WillRetry || !events[3].WillRetry || e.Group != events[3].Group {
			t.Errorf("got %+v", events)
		}
	}
}

// An answer that is lost, before the effect or after it, leaves open what was done, and
// nothing is asked for twice.
func TestALostAnswerLeavesTheHeadersOpen(t *testing.T) {
	for _, when := range []sandbox.Moment{sandbox.Before, sandbox.After} {
		srv, c := sandboxed(t, "webhooks:all")
		added, err := srv.AddWebhook(sandbox.DefaultWorkspaceID, sandbox.Webhook{URL: "https://a.example/h"})
		if err != nil {
			t.Fatal(err)
		}
		srv.Inject(sandbox.Rule{Method: http.MethodPatch, Kind: sandbox.KindDrop, When: when})
		_, err = c.SetWebhookHeaders(t.Context(), added.ID, map[string]secret.Value{"A": secret.New("1")})
		wantIs(t, err, instantly.ErrOutcomeUnknown, instantly.ErrUnavailable)
		hook, err := c.Webhook(t.Context(), added.ID)
		if err != nil || (len(hook.Headers) == 1) != (when == sandbox.After) {
			t.Errorf("%s: %v, %v", when, hook.Headers, err)
		}
		if n := srv.Calls()["PATCH /api/v2/webhooks/{id}"]; n != 1 {
			t.Errorf("asked %d times", n)
		}
	}
}

func TestTheSandboxsBlockListIsReadPageByPage(t *testing.T) {
	srv, c := sandboxed(t, "block_list_entries:read")
	var want []string
	for i := range 250 {
		want = append(want, string(rune('a'+i%26))+time.Duration(i).String()+".example")
	}
	if err := errors.Join(srv.Block(sandbox.DefaultWorkspaceID, want...), srv.Block(sandbox.DefaultWorkspaceID, "a@b.example")); err != nil {
		t.Fatal(err)
	}
	entries, err := c.BlockList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.IsDomain {
			got = append(got, e.Value)
		}
	}
	if !slices.Equal(want, got) || len(entries) != 251 {
		t.Errorf("%d entries, %d domains", len(entries), len(got))
	}
}
