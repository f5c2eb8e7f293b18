package instantly_test

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const apiBase = "https://api.instantly.ai/api/v2"

// withoutRandom replaces the random ids in a URL.
func withoutRandom(url string) string {
	url = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`).ReplaceAllString(url, "UUID")
	return regexp.MustCompile(`[0-9a-f]{32}@example\.invalid`).ReplaceAllString(url, "ADDRESS")
}

func TestProbeMakesTheCheapestCallTheScopesAllow(t *testing.T) {
	for _, tc := range []struct{ scopes, want string }{
		{"", "GET /workspaces/current"},
		{"all:all", "GET /workspaces/current"},
		{"all:read", "GET /workspaces/current"},
		{"leads:read campaigns:all workspaces:read", "GET /workspaces/current"},
		{"leads:read campaigns:all", "GET /campaigns?limit=1"},
		{"leads:read api_keys:read", "GET /api-keys?limit=1"},
		{"ai_sdr:read leads:all", `POST /leads/list {"limit":1}`},
		{"emails:read", "GET /emails/unread/count"},
		{"block_list_entries:read", "GET /block-lists-entries?limit=1"},
		{"crm_actions:all", "GET /crm-actions/phone-numbers"},
		{"ai_sdr:read", "GET /ai-agents/UUID/analytics"},
		{"ai_sdr_replies:read", "GET /ai-agents/inbox-manager/UUID/replies"},
		{"inbox_placement_reports:read", "GET /inbox-placement-reports?limit=1&test_id=UUID"},
		{"email_verifications:read", "GET /email-verification/ADDRESS"},
		{"supersearch_enrichments:read", "GET /supersearch-enrichment/history/UUID"},
		{"leads:create", "GET /workspaces/current"},
		{"leads:update all:delete", "GET /workspaces/current"},
		{"sales_flows:read", "GET /workspaces/current"},
		{"invented:read", "GET /workspaces/current"},
	} {
		api := always(200, `{}`)
		newClient(t, api).Probe(t.Context(), secret.New(keyValue), strings.Fields(tc.scopes))
		r := api.requests()[0]
		got := strings.TrimSpace(r.Method + " " + strings.TrimPrefix(withoutRandom(r.URL), apiBase) + " " + r.Body)
		if got != tc.want {
			t.Errorf("%q: %s, want %s", tc.scopes, got, tc.want)
		}
	}
}

func TestProbeUsesTheValueAndNoOtherWorkspace(t *testing.T) {
	api := always(200, `{}`)
	c := newClient(t, api, func(o *instantly.Options) { o.AsWorkspace = "sub" })
	c.Probe(t.Context(), secret.New(keyValue), []string{"leads:read"})
	r := api.requests()[0]
	if r.Header.Get("Authorization") != "Bearer "+keyValue {
		t.Error("not made with the value")
	}
	if _, has := r.Header["X-As-Workspace"]; has {
		t.Error("made with x-as-workspace")
	}
}

func TestProbeTellsTheScopesOfALivingKey(t *testing.T) {
	p := newClient(t, always(401, scopeBody)).Probe(t.Context(), secret.New(keyValue), nil)
	want := instantly.Probe{Verdict: instantly.Valid, Found: []string{"campaigns:all", "leads:all"}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}

func TestProbeOfAValueThatCannotBeSentSendsNothing(t *testing.T) {
	for _, value := range []string{"", "a\nb", "a b", "é"} {
		api := always(200, `{}`)
		p := newClient(t, api).Probe(t.Context(), secret.New(value), nil)
		if p.Verdict != instantly.Invalid || !errors.Is(p.Err, instantly.ErrNoKey) || len(api.requests()) != 0 {
			t.Errorf("%q: %v after %d requests", value, p, len(api.requests()))
		}
	}
}

// A 404 or 400 to a question for what does not exist may come before the API
// checked the key.
func TestProbeByIDIsConfirmed(t *testing.T) {
	for name, first := range map[string]func() *http.Response{
		"not found":   func() *http.Response { return reply(404, `{"message":"Resource not found"}`) },
		"bad request": func() *http.Response { return reply(400, `{"message":"params/id must match"}`) },
		"no route":    func() *http.Response { return reply(404, `{"message":"Route GET:/x not found"}`) },
	} {
		for body, want := range map[string]instantly.Verdict{deadBody: instantly.Invalid, scopeBody: instantly.Valid} {
			api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
				if n == 0 {
					return first(), nil
				}
				return reply(401, body), nil
			}}
			p := newClient(t, api).Probe(t.Context(), secret.New(keyValue), []string{"ai_sdr:read"})
			r := api.requests()
			if p.Verdict != want || len(r) != 2 || r[1].URL != apiBase+"/workspaces/current" {
				t.Errorf("%s: %v after %d requests, want %v", name, p.Verdict, len(r), want)
			}
		}
	}
}

// What these calls answer when they succeed is not documented.
func TestSuccessOfAnUndocumentedShapeIsConfirmed(t *testing.T) {
	for _, scope := range []string{"ai_sdr:read", "ai_agents:read"} {
		for _, first := range []string{`{"a":1}`, `[]`, `{"items":[]}`, `{"error":"ACC_NOT_FOUND"}`, `<html>`} {
			for second, want := range map[string]instantly.Verdict{
				`{"id":"w"}`: instantly.Valid, `{"error":"ACC_NOT_FOUND"}`: instantly.Indeterminate, `{}`: instantly.Indeterminate,
			} {
				api := inTurn(first, second)
				p := newClient(t, api).Probe(t.Context(), secret.New(keyValue), []string{scope})
				r := api.requests()
				if p.Verdict != want || len(r) != 2 || r[1].URL != apiBase+"/workspaces/current" {
					t.Errorf("%s, %s, then %s: %v after %d requests, want %v", scope, first, second, p.Verdict, len(r), want)
				}
			}
		}
	}
}

// A 2xx shows that a key is alive only if it is what that call answers.
func TestProbeBelievesASuccessByItsShape(t *testing.T) {
	bodies := map[string]string{
		"page": `{"items":[]}`, "page with an item": `{"items":[{"id":"a"}],"next_starting_after":"b"}`,
		"page without an error": `{"items":[],"error":null}`,
		"workspace":             `{"id":"w","name":"n"}`, "count": `{"count":0}`, "plan": `{"subscriptions":{}}`, "array": `[]`,
		"array with an item": `[{"number":"1"}]`,
		"error":              `{"error":"ACC_NOT_FOUND"}`, "error and message": `{"error":"E","message":"M"}`,
		"error beside a page": `{"items":[],"error":"E"}`, "error beside all": `{"id":"w","count":0,"items":[],"addons":{},"error":{"a":1}}`,
		"message only": `{"message":"M"}`, "status code": `{"statusCode":401,"message":"M"}`,
		"empty object": `{}`, "null": `null`, "text": `"ok"`, "number": `1`, "true": `true`, "nothing": ``, "html": `<html>`,
		"items of a wrong type": `{"items":{"a":1}}`, "null items": `{"items":null}`, "null id": `{"id":null}`,
	}
	believed := map[string][]string{
		"workspaces:read":        {"workspace"},
		"campaigns:read":         {"page", "page with an item", "page without an error"},
		"api_keys:read":          {"page", "page with an item", "page without an error"},
		"leads:read":             {"page", "page with an item", "page without an error"},
		"emails:read":            {"count"},
		"workspace_billing:read": {"plan"},
		"crm_actions:read":       {"array", "array with an item"},
		"leads:create":           {"workspace"},
	}
	for scope, names := range believed {
		for name, body := range bodies {
			p := newClient(t, always(200, body)).Probe(t.Context(), secret.New(keyValue), []string{scope})
			want := instantly.Indeterminate
			if slices.Contains(names, name) {
				want = instantly.Valid
			}
			if p.Verdict != want || (p.Err == nil) != (want == instantly.Valid) {
				t.Errorf("%s, %s: %v (%v), want %v", scope, name, p.Verdict, p.Err, want)
			}
		}
	}
}

func TestErrorBesideASuccessIsShownInShort(t *testing.T) {
	body := `{"error":"ACC_NOT_FOUND","message":"no account for ` + keyValue + ` ` + strings.Repeat("x", 5000) + `"}`
	p := newClient(t, always(200, body)).Probe(t.Context(), secret.New(keyValue), []string{"campaigns:read"})
	var e *instantly.Error
	if !errors.As(p.Err, &e) || e.Code != "ACC_NOT_FOUND" || !strings.HasPrefix(e.Message, "no account for [redacted]") || len(e.Message) != 200 {
		t.Errorf("%v", p.Err)
	}
}

// The sandbox is another reading of the same documents.
func TestProbeFindsEveryKeyOfTheSandboxAlive(t *testing.T) {
	box := sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}})
	c := newClient(t, sandbox.Transport(box))
	for _, scope := range instantly.KnownScopes() {
		k, err := box.AddKey(sandbox.DefaultWorkspaceID, "n", scope)
		if err != nil {
			t.Fatal(err)
		}
		if p := c.Probe(t.Context(), k.Value, []string{scope}); p.Verdict != instantly.Valid {
			t.Errorf("%s: %v", scope, p.Err)
		}
		box.SetFaults(sandbox.Faults{ErrorInSuccess: true})
		if p := c.Probe(t.Context(), k.Value, []string{scope}); p.Verdict == instantly.Invalid || p.Verdict == instantly.Valid && p.Found == nil {
			t.Errorf("%s: %v of an error beside a success", scope, p.Verdict)
		}
		box.SetFaults(sandbox.Faults{})
	}
}

func TestProbeRetriesWithinTenSeconds(t *testing.T) {
	for _, scope := range []string{"campaigns:read", "leads:read"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			api := failing(errors.New("lost"))
			p := newClient(t, api, withRetries).Probe(t.Context(), secret.New(keyValue), []string{scope})
			if n, took := len(api.requests()), time.Since(start); p.Verdict != instantly.Indeterminate || n < 3 || took > 10*time.Second {
				t.Errorf("%s: %v after %d attempts in %s", scope, p.Verdict, n, took)
			}
		})
	}
}

func TestVerdictOfNothingAndOfStrangers(t *testing.T) {
	if v := instantly.VerdictOf(nil); v != instantly.Valid {
		t.Errorf("nil: %v", v)
	}
	if v := instantly.VerdictOf(errors.New("who knows")); v != instantly.Indeterminate {
		t.Errorf("a stranger: %v", v)
	}
}
